//! The program `pratu`: the public door and, in one process, every role behind it.
//!
//! Reading order: the configuration, which roles run, the server, and the pipeline of a request.

pub mod alone;
pub mod config;
mod graph;
mod graphiql;
mod health;
mod pipeline;
pub mod proxies;
mod roles;
mod server;
mod shortcomings;
mod subgraphs;
mod upkeep;

pub use config::Config;
pub use roles::{apply_catalogue, export_catalogue, subgraph_schemas};
pub use server::{Server, StartError};
pub use shortcomings::of as shortcomings;
