//! What a provider says of a person, read with bounds.

use serde_json::{Map, Value};

const CLAIM_CHARS_MAX: usize = 300;
const ADDRESS_CHARS_MAX: usize = 1_000;
/// Claims that tell of a login, not of a person.
const OF_THE_LOGIN: [&str; 9] = ["iss", "aud", "azp", "exp", "iat", "nonce", "auth_time", "acr", "amr"];

/// Claims of a verified ID token, with those of `userinfo` where it is asked. Their `Debug` shows
/// nothing.
pub struct Claims(pub Map<String, Value>);

impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Claims(…)")
    }
}

impl Claims {
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = self.0.get(name)?.as_str()?.trim();
        (!text.is_empty() && text.chars().count() <= CLAIM_CHARS_MAX).then(|| text.to_owned())
    }

    /// Some of the claims, in order, with a space between.
    pub(super) fn texts(&self, names: [&str; 2]) -> Option<String> {
        let found: Vec<String> = names.iter().filter_map(|name| self.text(name)).collect();
        (!found.is_empty()).then(|| found.join(" "))
    }

    /// The Thai way to write a name: the title stands before it without a space.
    pub(super) fn titled(&self, name: Option<String>) -> Option<String> {
        name.map(|name| self.text("title").unwrap_or_default() + &name)
    }

    pub(super) fn address(&self) -> Option<String> {
        let formatted = self.0.get("address")?.get("formatted")?.as_str()?.trim();
        (!formatted.is_empty() && formatted.chars().count() <= ADDRESS_CHARS_MAX)
            .then(|| formatted.to_owned())
    }

    /// Adds what is not there yet: a signed claim is never replaced by one that is not, and what is
    /// about the login itself is believed signed only.
    pub(super) fn complete(&mut self, others: Map<String, Value>) {
        for (name, value) in others {
            if !OF_THE_LOGIN.contains(&name.as_str()) {
                self.0.entry(name).or_insert(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_userinfo_says_replaces_nothing_that_was_signed() {
        let object = |value: Value| value.as_object().unwrap().clone();
        let mut claims = Claims(object(json!({ "sub": "a", "ial_level": 1.1 })));
        claims.complete(object(json!({ "ial_level": 2.3, "citizen_id": "x", "amr": ["hwk"] })));
        assert_eq!(Value::Object(claims.0), json!({ "sub": "a", "ial_level": 1.1, "citizen_id": "x" }));
    }

    #[test]
    fn a_claim_of_the_wrong_kind_or_without_end_is_none() {
        let claims = json!({ "pid": 5, "name": "x".repeat(301), "title": "  ", "address": "somewhere" });
        let claims = Claims(claims.as_object().unwrap().clone());
        assert!(["pid", "name", "title"].iter().all(|name| claims.text(name).is_none()));
        assert!(claims.address().is_none());
    }
}
