//! Identity as a browser and an app meet it: beside the sandbox's Digital ID, on both engines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

mod driver;
mod graph;
mod joining;
mod login;
mod other_browser;
mod provider_down;
mod standard_client;
mod token;
