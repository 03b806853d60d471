//! What tests stand on: throw-away databases on both engines, clocks that move, principals.

mod databases;
mod plans;
mod principals;
mod statements;

pub use databases::{Engines, TestDatabase};
pub use plans::{Plan, Plans, excesses};
pub use principals::{citizen, officer, operator};
pub use statements::Statements;

use chrono::{DateTime, Utc};
use clock::Clock;

/// A working day in the Buddhist year 2569, ten o'clock in Bangkok.
pub fn clock() -> Clock {
    let instant: DateTime<Utc> = "2026-11-23T03:00:00Z".parse().expect("a constant instant");
    Clock::at(instant)
}
