//! The payments service through its doors, on both engines, against the sandbox's bank and wallet.
#![allow(clippy::unwrap_used, reason = "a test stops where its world breaks")]

mod access;
mod bills;
mod callbacks;
mod desk;
mod forgery;
mod kbank;
mod outages;
mod partitions;
mod paying;
mod races;
mod receipts;
mod reconciliation;
mod refunds;
mod scale;
mod switches;
mod world;
