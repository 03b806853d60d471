//! The applications service from outside: through its GraphQL door, on both engines.

mod access;
mod draft;
mod files;
mod messages;
mod review;
mod submission;
mod subscription;
mod world;
