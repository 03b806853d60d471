//! The sandbox from outside, over real HTTP, as adapters and browsers meet it.

#![allow(clippy::unwrap_used, reason = "test code: a failed step fails the test")]

mod bank;
mod doors;
mod identity;
mod kbank;
mod people;
mod start_page;
mod triggers;
mod wallet;
mod world;
