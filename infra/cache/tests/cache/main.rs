//! The cache as its users see it: in memory alone, on Redis, and on a Redis Cluster.

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
