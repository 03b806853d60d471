//! The applications service from outside: through its GraphQL door, on both engines.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by stopping")]

mod access;
mod closing;
mod draft;
mod erasure;
mod files;
mod legal_time;
mod messages;
mod partitions;
mod review;
mod scale;
mod storm;
mod submission;
mod subscription;
mod world;
