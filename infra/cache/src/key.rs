//! Names of what is cached: keys of entries, and tags that many entries bear.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The name of one entry: a namespace and a digest of everything the entry depends on.
///
/// A digest, and a cryptographic one: two askers must never share an entry by accident or by design, and
/// Redis need not see what was asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    namespace: &'static str,
    digest: [u8; 32],
}

/// What entries can have in common, and be dropped by: `Tag::new("offering", id)`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Tag(pub(crate) [u8; 16]);

impl Key {
    /// Of all `parts`, in order; where one ends and the next begins counts.
    pub fn new(namespace: &'static str, parts: &[&[u8]]) -> Self {
        Self { namespace, digest: digest(namespace, parts) }
    }

    pub fn namespace(&self) -> &'static str {
        self.namespace
    }

    /// The digest, for who makes an `ETag` or a key of their own from it.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// As it is written in Redis, after what all keys of an installation begin with.
    pub fn text(&self, prefix: &str) -> String {
        format!("{prefix}:{}:{}", self.namespace, URL_SAFE_NO_PAD.encode(self.digest))
    }
}

impl Tag {
    /// The tag that every entry bears.
    pub const ALL: Self = Self([0; 16]);

    pub fn new(kind: &str, id: &str) -> Self {
        let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = digest(kind, &[id.as_bytes()]);
        Self(first)
    }

    pub(crate) fn text(self, prefix: &str) -> String {
        format!("{prefix}:tag:{}", URL_SAFE_NO_PAD.encode(self.0))
    }
}

fn digest(namespace: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut sha = Sha256::new();
    for part in [namespace.as_bytes()].iter().chain(parts) {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    sha.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_part_ends_counts() {
        let joined = Key::new("answer", &[b"ab", b"c"]);
        assert_ne!(joined, Key::new("answer", &[b"a", b"bc"]));
        assert_ne!(joined, Key::new("answer", &[b"abc"]));
        assert_ne!(joined, Key::new("answe", &[b"rab", b"c"]));
        assert_eq!(joined, Key::new("answer", &[b"ab", b"c"]));
    }
}
