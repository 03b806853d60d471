//! The program `pratu`: the public door and, in one process, every role behind it.
//!
//! Reading order: the configuration, which roles run, the server, and the pipeline of a request.

pub mod alone;
pub mod config;
mod current_engine;
mod entities;
mod graph;
mod graphiql;
mod guards;
mod health;
mod keys_command;
mod measures;
mod outbox_command;
mod peers;
mod pipeline;
pub mod proxies;
mod roles;
mod server;
mod shortcomings;
mod status;
mod subgraphs;
mod switch_command;
mod upkeep;

pub use config::Config;
pub use keys_command::KeysCommand;
pub use outbox_command::OutboxCommand;
pub use roles::{SetUpError, apply_catalogue, export_catalogue, migrate, provision, subgraph_schemas};
pub use server::{Server, StartError};
pub use shortcomings::of as shortcomings;
pub use switch_command::{SwitchCommand, Which};
