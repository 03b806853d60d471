//! `pratu outbox`: messages that were given up, from the command line.

use anyhow::{Context, bail};
use clap::Subcommand;
use outbox::Replay;
use uuid::Uuid;

use crate::config::Config;
use crate::roles;

/// Shows messages that were given up, and has them sent again.
#[derive(Subcommand)]
pub enum OutboxCommand {
    /// Lists what was given up, the oldest first.
    Dead {
        /// Of which service: catalogue, identity, applications or payments; of all when left out.
        service: Option<String>,
    },
    /// Has one sent again, as often as a new one. Receivers that have it already do nothing.
    Replay {
        /// The service that sent it.
        service: String,
        /// The message, as `dead` shows it.
        id: Uuid,
        /// Who you are, for the record.
        #[arg(long)]
        by: String,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
    },
}

impl OutboxCommand {
    /// Does it.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        match self {
            Self::Dead { service } => {
                let found = roles::dead_messages(config, service.as_deref()).await;
                let found = found.context("the messages were not read")?;
                for (service, dead) in &found {
                    let (created, given_up) = (dead.created_at.to_rfc3339(), dead.dead_at.to_rfc3339());
                    println!("{service} {} {} of {created}, given up {given_up}", dead.id, dead.topic);
                    println!("  after {} attempts: {}", dead.attempts, dead.last_error);
                }
                if found.is_empty() {
                    println!("none was given up");
                }
            }
            Self::Replay { service, id, by, reason } => {
                let replay = Replay { message: id, by: &by, reason: &reason };
                let found = roles::replay_message(config, &service, replay).await;
                if !found.context("the message was not sent again")? {
                    bail!("no message {id} of {service} was given up");
                }
                println!("it is sent again within seconds; see `pratu outbox dead {service}`");
            }
        }
        Ok(())
    }
}
