//! What every process and service stands on: outgoing HTTP, the Graph, a subgraph's door and SDL, logs.

mod environment;
mod graph;
mod http_client;
mod sdl;
mod secret;
pub mod subgraph_door;
pub mod telemetry;

pub use environment::Environment;
pub use graph::{Graph, GraphFailure};
pub use http_client::{http_client, stream_client};
pub use sdl::subgraph_sdl;
pub use secret::Secret;
