//! Identity as a browser and an app meet it: beside the sandbox's Digital ID, on both engines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

mod attacks;
mod closing;
mod dpop;
mod driver;
mod erasure;
mod fresh_login;
mod graph;
mod holder;
mod hostile_provider;
mod joining;
mod login;
mod oddities;
mod other_browser;
mod pages;
mod provider_down;
mod rogue;
mod standard_client;
mod token;
mod upkeep;
