//! Every test of the whole system: one binary, linked once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod alone;
mod answers;
mod architecture;
mod authorization;
mod bad_input;
mod developer;
mod documents;
mod door;
mod drills;
mod endings;
mod erasure;
mod filing;
mod installation;
mod interoperability;
mod journeys;
mod kills;
mod person;
mod privacy;
mod split;
mod switches;
mod transports;
