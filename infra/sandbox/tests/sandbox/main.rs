//! The sandbox from outside, over real HTTP, as adapters and browsers meet it.

mod bank;
mod doors;
mod identity;
mod wallet;
mod world;
