//! `pratu keys`: the sealing keys, changed while everything serves.

use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;
use sealing::Keys;

use crate::config::Config;
use crate::roles;

/// Makes, shows and changes sealing keys.
#[derive(Subcommand)]
pub enum KeysCommand {
    /// Prints a fresh sealing key.
    New,
    /// Prints the blind index key in force, to be kept as `blind_index_key` before there are two sealing
    /// keys. It is a secret.
    Index,
    /// Shows how many subject keys each sealing key wraps.
    Status,
    /// Wraps everything with the first of `sealing_keys`, in batches. Run it again when it was stopped.
    Rotate {
        /// Subject keys per transaction.
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=5_000))]
        batch: u32,
        /// Milliseconds between two transactions.
        #[arg(long, default_value_t = 20)]
        pause_ms: u64,
    },
    /// Strikes off the keys that nothing needs any more, once every process has the new one first.
    Retire,
}

impl KeysCommand {
    /// Does it.
    pub async fn run(self, config: &Config) -> anyhow::Result<()> {
        match self {
            Self::New => println!("{}", Keys::generate()),
            Self::Index => println!("{}", roles::blind_index_key(config).context("the keys cannot be used")?),
            Self::Status => {
                for (service, uses) in roles::key_uses(config).await.context("the keys were not read")? {
                    for one in uses {
                        let what = match (one.current, one.known) {
                            (true, _) => "current",
                            (false, true) => "old",
                            (false, false) => "missing in the configuration",
                        };
                        println!(
                            "{service}: key {} ({what}) wraps {} subject keys",
                            one.name, one.subject_keys
                        );
                    }
                }
            }
            Self::Rotate { batch, pause_ms } => {
                let rotated = roles::rotate_keys(config, batch, Duration::from_millis(pause_ms)).await;
                for (service, count) in rotated.context("the keys were not changed")? {
                    println!("{service}: {count} wrapped anew");
                }
                println!("Old keys go with `pratu keys retire`, once every process has the new one first.");
            }
            Self::Retire => {
                roles::retire_keys(config).await.context("no key was struck off")?;
                println!("Old keys were struck off: take them out of sealing_keys.");
            }
        }
        Ok(())
    }
}
