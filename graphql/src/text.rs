//! Text that a citizen reads, in the languages we have it in.

use async_graphql::{Object, Result};
use serde::{Deserialize, Serialize};

use crate::cache_control;

/// Text in Thai and, where there is one, in English. More languages come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalizedText {
    pub th: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en: Option<String>,
}

impl LocalizedText {
    pub fn new(th: impl Into<String>, en: impl Into<String>) -> Self {
        Self { th: th.into(), en: Some(en.into()) }
    }
}

/// Text in Thai and, where there is one, in English. More languages come.
#[Object(shareable, directive = cache_control::apply(None, None, Some(true)))]
impl LocalizedText {
    /// In Thai (ภาษาไทย).
    async fn th(&self) -> &str {
        &self.th
    }

    /// In English.
    async fn en(&self) -> Option<&str> {
        self.en.as_deref()
    }

    /// In the language asked for (BCP 47, such as `en` or `th-TH`); Thai when there is no other, or none is named.
    async fn text(&self, language: Option<String>) -> Result<&str> {
        let language = language.unwrap_or_default();
        let primary = language.split('-').next().unwrap_or_default();
        Ok(if primary.eq_ignore_ascii_case("en") { self.en.as_deref().unwrap_or(&self.th) } else { &self.th })
    }
}
