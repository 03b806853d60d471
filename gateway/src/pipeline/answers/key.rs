//! What two requests must have in common to have one answer. Never a token, and nobody's name.

use cache::Key;
use federation::{Identity, Prepared};

/// The form in which answers are kept; those of another are not found.
const FORM: &[u8] = b"1";

/// All that an answer depends on.
pub struct Parts {
    identity: Identity,
    variables: Vec<u8>,
}

pub fn key(prepared: &Prepared) -> Key {
    Parts::of(prepared).key()
}

impl Parts {
    fn of(prepared: &Prepared) -> Self {
        // They are coerced, and a map of JSON values always has a JSON text.
        let variables = serde_json::to_vec(prepared.variables()).unwrap_or_default();
        Self { identity: prepared.identity().clone(), variables }
    }

    fn key(&self) -> Key {
        let Identity { schema, operation, outcome } = &self.identity;
        Key::new("answer", &[FORM, schema, operation, outcome, &self.variables])
    }
}

#[cfg(test)]
type MakeKey = fn(&Prepared) -> Key;

#[cfg(test)]
impl Parts {
    /// Keys from which one part is left out: the proof is that each of them serves somebody a wrong answer.
    pub fn lacking() -> [(&'static str, MakeKey); 4] {
        [
            ("schema", |prepared| {
                let mut parts = Self::of(prepared);
                parts.identity.schema = [0; 32];
                parts.key()
            }),
            ("operation", |prepared| {
                let mut parts = Self::of(prepared);
                parts.identity.operation = [0; 32];
                parts.key()
            }),
            ("outcome", |prepared| {
                let mut parts = Self::of(prepared);
                parts.identity.outcome = [0; 32];
                parts.key()
            }),
            ("variables", |prepared| {
                let mut parts = Self::of(prepared);
                parts.variables.clear();
                parts.key()
            }),
        ]
    }
}
