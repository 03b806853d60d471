//! Every test of the whole system: one binary, linked once.

mod architecture;
mod authorization;
mod bad_input;
mod documents;
mod filing;
mod installation;
mod journeys;
mod person;
mod privacy;
