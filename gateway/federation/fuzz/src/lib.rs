//! Random input for the engine: what each target does with its bytes, and when a panic counts.

pub mod panics;
pub mod targets;
