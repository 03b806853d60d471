//! Random federated worlds, and the proof that their federation answers as one schema would: to callers who may
//! see everything, and to callers who may not.
//!
//! `schema` makes a `blueprint`, `sdl` writes it down for clients, for each part and for the engine, `data` fills
//! it, and `guards` says who may see what. `proof` asks the engine and the oracle the same documents.

pub mod blueprint;
mod composition;
pub mod data;
pub mod dice;
pub mod directives;
pub mod entities;
pub mod fields;
pub mod guards;
pub mod knowledge;
mod proof;
pub mod requirements;
pub mod schema;
pub mod sdl;
pub mod worlds;
