//! The cache as its users see it: in memory alone, on Redis, and on a Redis Cluster.
#![allow(clippy::unwrap_used, reason = "a test stops where its world breaks")]

mod failures;
mod invalidation;
mod outages;
mod proxy;
mod reads;
mod seen;
mod several;
mod sharing;
mod wake;
mod world;
