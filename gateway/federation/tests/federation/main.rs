//! The engine over three real subgraphs, in process and over HTTP.

mod answers;
mod authorization;
mod documents;
mod failures;
mod fixtures;
mod schema;
mod subgraphs;
mod subscriptions;
mod world;
