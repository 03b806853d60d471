//! Which document a request is about: its text, or a name for it that is known here.

use axum::http::StatusCode;
use graphql::ErrorCode;

use super::{Asker, Door, Refusal};
use crate::config::DocumentMode;
use crate::guards::apq::is_hash_of;
use crate::guards::documents::hash;

/// How a request names its document.
#[derive(Debug, PartialEq, Eq)]
pub enum Given {
    Text(String),
    /// By an id of a manifest: GraphQL over HTTP's `documentId`, Relay's `doc_id` or `id`.
    Id(String),
    /// By the hash of its text, and perhaps the text to be remembered: Apollo's `persistedQuery`.
    Hash {
        hash: String,
        text: Option<String>,
    },
}

/// The text of the document, where it may be answered.
pub fn text(door: &Door, asker: &Asker, given: Given) -> Result<String, Refusal> {
    let guards = &door.guards;
    let found = match given {
        Given::Text(text) => return judged(door, asker, text),
        Given::Id(_) if guards.mode == DocumentMode::Off => Err(not_supported()),
        Given::Id(id) => guards.documents.text(&id).ok_or_else(not_found),
        Given::Hash { hash, text: Some(text) } => return with_hash(door, asker, &hash, text),
        Given::Hash { hash, text: None } => {
            let trusted = (guards.mode != DocumentMode::Off).then(|| guards.documents.text(&hash)).flatten();
            if trusted.is_none()
                && let Some(registered) = &guards.registered
            {
                let found = registered.text(&hash).ok_or_else(not_found);
                let counts = &asker.client;
                if found.is_ok() {
                    counts.registered.increment(1);
                } else {
                    counts.refused.increment(1);
                }
                return found.map(|text| text.to_string());
            }
            // Who cannot register anything need not try: with the text it is asked again.
            let missing = if guards.mode == DocumentMode::Off { not_supported } else { not_found };
            trusted.ok_or_else(missing)
        }
    };
    let counts = &asker.client;
    if found.is_ok() {
        counts.trusted.increment(1);
    } else {
        counts.refused.increment(1);
    }
    found.map(|text| text.to_string())
}

/// A text with its hash: remembered for next time, where clients may have that.
fn with_hash(door: &Door, asker: &Asker, hash: &str, text: String) -> Result<String, Refusal> {
    let good = match &door.guards.registered {
        Some(registered) => registered.register(hash, &text),
        None => is_hash_of(hash, &text),
    };
    if !good {
        return Err(Refusal::bad_request("`persistedQuery.sha256Hash` is not the hash of `query`."));
    }
    judged(door, asker, text)
}

/// A text, where texts are answered.
fn judged(door: &Door, asker: &Asker, text: String) -> Result<String, Refusal> {
    let (guards, counts) = (&door.guards, &asker.client);
    match guards.mode {
        DocumentMode::Off => counts.other.increment(1),
        _ if guards.documents.trusts(&text) => counts.trusted.increment(1),
        DocumentMode::Allow => counts.other.increment(1),
        DocumentMode::Log => {
            counts.other.increment(1);
            // The text may hold what a person wrote: its hash tells which it is.
            tracing::warn!(sha256 = hash(&text), bytes = text.len(), "a document that is not trusted");
        }
        DocumentMode::Require => {
            counts.refused.increment(1);
            let message = "Only documents that are known here are answered.";
            let refusal = Refusal::new(StatusCode::FORBIDDEN, ErrorCode::QueryNotInSafelist, message);
            return Err(Refusal { graphql: true, ..refusal });
        }
    }
    Ok(text)
}

fn not_found() -> Refusal {
    // Apollo's clients look for this code and send the text.
    refusal(ErrorCode::PersistedQueryNotFound, "PersistedQueryNotFound")
}

fn not_supported() -> Refusal {
    refusal(ErrorCode::PersistedQueryNotSupported, "PersistedQueryNotSupported")
}

/// The request was well-formed: the older media type answers 200.
fn refusal(code: ErrorCode, message: &str) -> Refusal {
    Refusal { graphql: true, ..Refusal::new(StatusCode::BAD_REQUEST, code, message) }
}
