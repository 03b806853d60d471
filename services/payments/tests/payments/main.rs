//! The payments service through its doors, on both engines, against the sandbox's bank and wallet.
#![allow(clippy::unwrap_used, reason = "a test stops where its world breaks")]

mod access;
mod bills;
mod forgery;
mod outages;
mod paying;
mod refunds;
mod world;
