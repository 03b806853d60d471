//! A second opinion on what a federation should answer: a naive interpreter over data in memory, written
//! without the engine's code.
//!
//! A `World` is a schema, its parts and data. `Monolith` answers a document over the whole; `PartOf` answers
//! for one subgraph what the engine asks it, and writes down everything a real subgraph would have stumbled
//! over. `Pair` asks both the same document and says how the answers differ.

pub mod arguments;
pub mod data;
pub mod evaluate;
pub mod monolith;
pub mod overheard;
pub mod pair;
pub mod part;
pub mod refusal;
pub mod representation;
pub mod schema;
pub mod sdl;
pub mod sight;
pub mod world;
