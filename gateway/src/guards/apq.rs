//! Documents that clients registered by their hash: Apollo's automatic persisted queries.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::documents::hash;

/// One that nobody asks for is forgotten, and registered again by whoever wants it.
const IDLE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Longer texts are answered and not kept.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// What this process remembers of them. Nothing is lost with it: clients send the text when they are told
/// that a hash is not known.
pub struct Registered {
    texts: Cache<String, Arc<str>>,
}

impl Registered {
    pub fn new(bytes_max: u64) -> Self {
        let weight =
            |hash: &String, text: &Arc<str>| u32::try_from(hash.len() + text.len()).unwrap_or(u32::MAX);
        let texts = Cache::builder().max_capacity(bytes_max).weigher(weight).time_to_idle(IDLE_MAX).build();
        Self { texts }
    }

    pub fn text(&self, hash: &str) -> Option<Arc<str>> {
        self.texts.get(hash)
    }

    /// Remembers a text under its hash; says no when that is not its hash.
    pub fn register(&self, claimed: &str, text: &str) -> bool {
        // Its hash was checked when it came first.
        if self.texts.get(claimed).is_some_and(|known| *known == *text) {
            return true;
        }
        let good = is_hash_of(claimed, text);
        if good && text.len() <= TEXT_BYTES_MAX {
            self.texts.insert(claimed.to_owned(), text.into());
        }
        good
    }
}

pub fn is_hash_of(claimed: &str, text: &str) -> bool {
    claimed == hash(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_remembered_under_its_own_hash_only() {
        let registered = Registered::new(1_000_000);
        let (one, other) = (hash("{ a }"), hash("{ b }"));
        assert!(!registered.register(&other, "{ a }"));
        assert!(registered.text(&other).is_none());
        assert!(registered.register(&one, "{ a }") && registered.register(&one, "{ a }"));
        assert_eq!(registered.text(&one).as_deref(), Some("{ a }"));
        assert!(!registered.register(&one, "{ b }"), "a known hash is no hash of another text");
        let long = format!("{{ {} }}", "a ".repeat(TEXT_BYTES_MAX));
        assert!(registered.register(&hash(&long), &long));
        assert!(registered.text(&hash(&long)).is_none());
    }
}
