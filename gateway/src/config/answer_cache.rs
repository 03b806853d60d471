//! What of the answers to public operations a gateway keeps.

use serde::{Deserialize, Serialize};

/// Settings of the answers that are kept, section `[answer_cache]`. How long each is kept says the schema.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerCache {
    /// Whether answers are kept at all.
    pub enabled: bool,
    /// Bytes of whole answers in the memory of one process.
    pub bytes_max: u64,
    /// Bytes of entities of subgraphs in the memory of one process.
    pub entities_bytes_max: u64,
    /// How long after its time an answer is still served, while a newer one is made. A change that is told
    /// ends it at once all the same.
    pub stale_while_revalidate_s: u64,
    /// How long after its time an answer is served because no newer one can be had.
    pub stale_if_error_s: u64,
}

impl Default for AnswerCache {
    fn default() -> Self {
        Self {
            enabled: true,
            bytes_max: 64 * 1024 * 1024,
            entities_bytes_max: 32 * 1024 * 1024,
            stale_while_revalidate_s: 60,
            stale_if_error_s: 3_600,
        }
    }
}
