//! Kill switches: what is closed to the public now, by whom, why, and until when.
//!
//! A service keeps the record in its own database ([`Switches`]). The record is only added to: the
//! last [`Change`] of a [`Target`] says how it stands. What is read is at most [`MEMORY_MS`] old, in
//! every process, with no cache server between. An officer who runs this platform closes and opens
//! through [`door`]; the command line does the same while the door cannot be reached.

pub mod door;
mod order;
mod record;
mod state;
mod target;

use database::Migrations;

pub use order::{Notice, Order, Ordered};
pub use record::Change;
pub use state::{Closures, MEMORY_MS, Switches};
pub use target::{Closure, Kind, Target, UnknownKind};

/// The table a service needs, beside those of the outbox and of idempotency keys.
pub static MIGRATIONS: Migrations = database::migrations!("switches", "0001_switches");
