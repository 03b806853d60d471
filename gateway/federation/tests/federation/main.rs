//! The engine over three real subgraphs, in process and over HTTP.
#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in test functions, not in what they call")]

mod addresses;
mod answers;
mod authorization;
mod broken_streams;
mod cache_policy;
mod connections;
mod differential;
mod documents;
mod entity_cache;
mod failures;
mod fixtures;
mod hostile;
mod interface_objects;
mod library;
mod nonsense;
mod oracle;
mod played;
mod random;
mod repeated;
mod required;
mod schema;
mod seeds;
mod subgraphs;
mod subscriptions;
mod tls;
mod world;
mod worlds;
