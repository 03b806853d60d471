//! What may be forgotten: a cache in memory and Redis, values seen once, wake-ups between processes.
//!
//! Redis is never the truth. It makes answers cheaper and processes aware of each other; dead, slow or
//! absent, everything here goes on in the memory of the process, and no caller sees an error of it.
//!
//! In reading order: [`RedisConfig`] and [`Redis`]; [`Key`], [`Tag`], [`Value`], [`Policy`]; [`Tags`]
//! says what still holds; [`Cache`] is the two tiers; [`Seen`] and [`Wake`] stand beside it.

mod config;
mod connection;
mod entry;
mod flight;
mod key;
mod memory;
mod seen;
mod tags;
mod tiers;
mod value;
mod wake;

pub use config::{RedisAddress, RedisConfig};
pub use connection::{Absent, BadAddress, Redis, Script};
pub use entry::Policy;
pub use key::{Key, Tag};
pub use seen::Seen;
pub use tags::{Born, Tags};
pub use tiers::{Cache, Failed, Found, Loaded, Lookup, Settings, Source};
pub use value::Value;
pub use wake::{Listener, Wake};
