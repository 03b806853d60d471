//! What can be cached: anything that becomes bytes and comes back.

use bytes::Bytes;

/// A value of a cache. Clones are cheap: every reader gets one.
pub trait Value: Clone + Send + Sync + 'static {
    /// As it is kept in Redis, where other versions of the program may read it.
    fn encode(&self) -> Bytes;

    /// From there; `None` is what this version does not read, and counts as absent.
    fn decode(bytes: Bytes) -> Option<Self>;

    /// About how much memory it takes.
    fn weight_bytes(&self) -> usize;
}

impl Value for Bytes {
    fn encode(&self) -> Bytes {
        self.clone()
    }

    fn decode(bytes: Bytes) -> Option<Self> {
        Some(bytes)
    }

    fn weight_bytes(&self) -> usize {
        self.len()
    }
}
