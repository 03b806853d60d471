//! Which clients ask, by the names they give themselves: counted, and never believed.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::HeaderMap;
use metrics::Counter;

/// Names that have series of their own; whoever comes later is one of the others.
const CLIENTS_MAX: usize = 50;
const NAME_BYTES_MAX: usize = 64;
/// As Apollo's clients, and others, say who they are.
const NAME_HEADERS: [&str; 2] = ["apollographql-client-name", "graphql-client-name"];
const UNNAMED: &str = "unnamed";
const OTHERS: &str = "other";

/// The clients seen so far.
#[derive(Default)]
pub struct Clients {
    seen: RwLock<HashMap<String, Arc<Counts>>>,
}

/// One client's documents, by how they were known.
pub struct Counts {
    /// In a manifest.
    pub trusted: Counter,
    /// Registered by its hash.
    pub registered: Counter,
    /// Neither, and answered.
    pub other: Counter,
    /// Not known, or refused.
    pub refused: Counter,
}

impl Clients {
    pub fn of(&self, headers: &HeaderMap) -> Arc<Counts> {
        let named = NAME_HEADERS.iter().find_map(|name| headers.get(*name)?.to_str().ok());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b' ');
        let good = |name: &&str| (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(plain);
        self.named(named.filter(good).unwrap_or(UNNAMED))
    }

    fn named(&self, name: &str) -> Arc<Counts> {
        if let Some(counts) = self.seen.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(counts);
        }
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let name = if seen.len() < CLIENTS_MAX { name } else { OTHERS };
        Arc::clone(seen.entry(name.to_owned()).or_insert_with(|| Arc::new(Counts::of(name))))
    }
}

impl Counts {
    fn of(client: &str) -> Self {
        let count = |outcome: &'static str| metrics::counter!("graphql_documents_total", "client" => client.to_owned(), "known" => outcome);
        Self {
            trusted: count("trusted"),
            registered: count("registered"),
            other: count("no"),
            refused: count("refused"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_end_are_not_counted_one_by_one() {
        let clients = Clients::default();
        for number in 0..1_000 {
            let name = format!("client-{number}").parse().unwrap();
            clients.of(&HeaderMap::from_iter([(NAME_HEADERS[0].parse().unwrap(), name)]));
        }
        assert_eq!(clients.seen.read().unwrap().len(), CLIENTS_MAX + 1);
        let long =
            HeaderMap::from_iter([(NAME_HEADERS[0].parse().unwrap(), "x".repeat(65).parse().unwrap())]);
        let (long, none) = (clients.of(&long), clients.of(&HeaderMap::new()));
        assert!(Arc::ptr_eq(&long, &none));
    }
}
