//! Identity as a browser and an app meet it: beside the sandbox's Digital ID, on both engines.

mod driver;
mod graph;
mod joining;
mod login;
mod other_browser;
mod provider_down;
mod token;
