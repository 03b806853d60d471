//! What every process and service stands on: outgoing HTTP, the Graph, exported SDL, logs.

mod environment;
mod graph;
mod http_client;
mod sdl;
mod secret;
pub mod telemetry;

pub use environment::Environment;
pub use graph::{Graph, GraphFailure};
pub use http_client::http_client;
pub use sdl::subgraph_sdl;
pub use secret::Secret;
