//! What a provider's claims are worth: our policy table from claims to assurance levels.

use auth::{Aal, Ial, Level};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The policy that is built in.
const BUILT_IN: &str = include_str!("../../assurance.toml");

/// What an unknown provider is worth: a name that somebody gave.
const LEAST: Level = Level { ial: Ial::Ial1_1, aal: Aal::Aal1 };

/// The whole table; see `assurance.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assurance {
    rule: Vec<Rule>,
}

/// How one provider is understood from one day on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    provider: String,
    effective_on: NaiveDate,
    ial_claim: String,
    ial_otherwise: Ial,
    ial_max: Ial,
    aal_max: Aal,
    aal_otherwise: Aal,
    aal_from_acr: bool,
    aal_by_methods: Vec<Methods>,
    verified_claim: Option<String>,
    ial_unverified_max: Option<Ial>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Methods {
    all: Vec<String>,
    aal: Aal,
}

impl Assurance {
    /// The table of `assurance.toml`.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("assurance.toml is checked by a test")
    }

    /// Reads a table.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// What `claims` of `provider` are worth on a day; a provider without a rule is worth the least.
    pub fn level(&self, provider: &str, claims: &Map<String, Value>, on: NaiveDate) -> Level {
        let newest = self
            .rule
            .iter()
            .filter(|rule| rule.provider == provider && rule.effective_on <= on)
            .max_by_key(|rule| rule.effective_on);
        match newest {
            Some(rule) => Level { ial: rule.ial(claims), aal: rule.aal(claims) },
            None => LEAST,
        }
    }

    /// The most a provider can give on a day.
    pub fn level_max(&self, provider: &str, on: NaiveDate) -> Level {
        self.rule
            .iter()
            .filter(|rule| rule.provider == provider && rule.effective_on <= on)
            .max_by_key(|rule| rule.effective_on)
            .map_or(LEAST, |rule| Level { ial: rule.ial_max, aal: rule.aal_max })
    }
}

impl Rule {
    fn ial(&self, claims: &Map<String, Value>) -> Ial {
        let said = claims.get(&self.ial_claim).and_then(plain).and_then(|text| text.parse().ok());
        let believed = said.unwrap_or(self.ial_otherwise).min(self.ial_max);
        let verified =
            self.verified_claim.as_ref().is_none_or(|claim| claims.get(claim) == Some(&Value::Bool(true)));
        match self.ial_unverified_max {
            Some(max) if !verified => believed.min(max),
            _ => believed,
        }
    }

    fn aal(&self, claims: &Map<String, Value>) -> Aal {
        let said = claims
            .get("acr")
            .and_then(Value::as_str)
            .filter(|_| self.aal_from_acr)
            .and_then(requested)
            .map(|level| level.aal);
        let methods = methods_of(claims);
        let shown = self
            .aal_by_methods
            .iter()
            .filter(|rule| rule.all.iter().all(|method| methods.contains(method)))
            .map(|rule| rule.aal)
            .max();
        said.or(shown).unwrap_or(self.aal_otherwise).min(self.aal_max)
    }
}

/// The authentication methods (`amr`, RFC 8176) a token names: at most eight, each short.
pub fn methods_of(claims: &Map<String, Value>) -> Vec<String> {
    let named = claims.get("amr").and_then(Value::as_array);
    named
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|method| method.len() <= 16 && method.bytes().all(|b| b.is_ascii_alphanumeric()))
        .take(8)
        .map(str::to_owned)
        .collect()
}

/// The level that a space-separated `acr_values` asks for: every one it names must be met.
/// `None` when it names none that we know.
pub fn requested(acr_values: &str) -> Option<Level> {
    let named = acr_values.split(' ').filter_map(one_of_ours);
    named.reduce(|all, one| Level { ial: all.ial.max(one.ial), aal: all.aal.max(one.aal) })
}

fn one_of_ours(acr: &str) -> Option<Level> {
    let parts: Vec<&str> = acr.strip_prefix("urn:th:")?.split(':').collect();
    match parts[..] {
        ["ial", ial, "aal", aal] => Some(Level { ial: ial.parse().ok()?, aal: aal.parse().ok()? }),
        ["ial", ial] => Some(Level { ial: ial.parse().ok()?, ..LEAST }),
        ["aal", aal] => Some(Level { aal: aal.parse().ok()?, ..LEAST }),
        _ => None,
    }
}

/// Text or number, as one text: ThaID says `"2.3"`, DGA `2.1`.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string().trim_end_matches(".0").to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn level_of(provider: &str, claims: Value) -> String {
        let day = "2026-11-21".parse().unwrap();
        Assurance::built_in().level(provider, claims.as_object().unwrap(), day).acr()
    }

    #[test]
    fn text_and_number_mean_the_same_level() {
        let thaid = level_of("thaid", json!({ "ial": "2.3", "acr": "urn:th:ial:2.3:aal:2.2" }));
        assert_eq!(thaid, "urn:th:ial:2.3:aal:2.2");
        let dga = json!({ "ial_level": 2.1, "citizen_id_verified": true, "amr": ["pwd", "otp"] });
        assert_eq!(level_of("dga", dga), "urn:th:ial:2.1:aal:2.1");
    }

    #[test]
    fn a_number_that_was_not_checked_is_worth_less() {
        let dga = json!({ "ial_level": 2.3, "citizen_id_verified": false });
        assert_eq!(level_of("dga", dga), "urn:th:ial:1.3:aal:1");
        assert_eq!(level_of("dga", json!({ "ial_level": 2.3 })), "urn:th:ial:1.3:aal:1");
    }

    #[test]
    fn a_provider_is_not_believed_above_its_accreditation_nor_an_unknown_one_at_all() {
        let boast = json!({ "ial": "3", "acr": "urn:th:ial:3:aal:3" });
        assert_eq!(level_of("thaid", boast.clone()), "urn:th:ial:2.3:aal:2.2");
        assert_eq!(level_of("somebody", boast), "urn:th:ial:1.1:aal:1");
    }

    #[test]
    fn all_requested_contexts_must_be_met_and_unknown_ones_ask_nothing() {
        let asked = requested("urn:th:ial:2.3 urn:th:aal:2.2 urn:mace:silver").unwrap();
        assert_eq!(asked.acr(), "urn:th:ial:2.3:aal:2.2");
        assert_eq!(requested("urn:mace:silver urn:th:ial:9.9"), None);
    }
}
