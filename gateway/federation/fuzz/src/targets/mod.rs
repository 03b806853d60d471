//! What is done with random bytes, for the fuzzer and for the tests that run its seeds again.

pub mod answers;
pub mod frames;
pub mod plan;
pub mod variables;

mod choices;
mod documents;
mod model;
mod nonsense;
mod puppet;
mod shape;
