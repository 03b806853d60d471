//! `pratu switch`: what is closed, from the command line.

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use switches::{Kind, Notice, Target};

use crate::config::Config;
use crate::roles;

/// Closes and opens public services, Digital ID providers and ways to pay.
#[derive(Subcommand)]
pub enum SwitchCommand {
    /// Closes something, now or as planned.
    Close {
        #[command(flatten)]
        which: Which,
        /// What citizens read, in Thai.
        #[arg(long)]
        th: String,
        /// The same in English.
        #[arg(long)]
        en: String,
        /// When it begins, such as 2026-12-01T22:00:00+07:00; at once when left out.
        #[arg(long)]
        from: Option<DateTime<Utc>>,
        /// When it opens again by itself; left out when nobody knows yet.
        #[arg(long)]
        until: Option<DateTime<Utc>>,
    },
    /// Opens something again, or calls off a planned closure.
    Open {
        #[command(flatten)]
        which: Which,
    },
    /// Lists what is closed or going to be.
    List,
}

/// What is switched, by whom and why.
#[derive(Args)]
pub struct Which {
    /// `public_service`, `identity_provider`, `payment_provider` or `payment_method`.
    pub kind: Kind,
    /// Its code, such as LAO-01, thaid, scb or `PROMPTPAY_QR`.
    pub code: String,
    /// Who you are, for the record.
    #[arg(long)]
    pub by: String,
    /// Why, for the record.
    #[arg(long)]
    pub reason: String,
}

impl SwitchCommand {
    /// Does it.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        match self {
            Self::Close { which, th, en, from, until } => {
                let notice = Notice { text_th: th, text_en: en, from, until };
                which.order(config, Some(notice)).await?;
                println!("closed: every process feels it within a second");
            }
            Self::Open { which } => {
                which.order(config, None).await?;
                println!("opened: every process feels it within a second");
            }
            Self::List => {
                let (closures, now) = roles::closures(config).await.context("the switches were not read")?;
                for (target, closure) in &closures {
                    let state = if closure.in_force(now) { "closed" } else { "planned" };
                    let until = closure.until.map_or("unknown".to_owned(), |until| until.to_rfc3339());
                    let (kind, from) = (target.kind.as_str(), closure.from.to_rfc3339());
                    println!("{state} {kind} {} from {from} until {until}: {}", target.name, closure.text.th);
                }
                if closures.is_empty() {
                    println!("everything is open");
                }
            }
        }
        Ok(())
    }
}

impl Which {
    async fn order(self, config: &Config, notice: Option<Notice>) -> anyhow::Result<()> {
        let target = Target::new(self.kind, self.code);
        let moved = roles::move_switch(config, &self.by, target, notice, &self.reason).await;
        moved.context("the switch was not moved")
    }
}
