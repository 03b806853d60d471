//! What a provider's claims are worth: our policy table from claims to assurance levels.

use std::collections::BTreeSet;

use auth::{Aal, Ial, Level};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::client::Audience;

/// The policy that is built in.
const BUILT_IN: &str = include_str!("../../assurance.toml");

/// What an unknown provider is worth: a name that somebody gave.
const LEAST: Level = Level { ial: Ial::Ial1_1, aal: Aal::Aal1 };

/// The whole table; see `assurance.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assurance {
    rule: Vec<Rule>,
    #[serde(default)]
    minimum: Vec<Minimum>,
}

/// Why a level policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("it cannot be opened")]
    File(#[from] std::io::Error),
    #[error("it cannot be read")]
    Toml(#[from] toml::de::Error),
    #[error("two rules of {0} begin on one day")]
    Twice(String),
    #[error("a rule of {0} gives by default more than its own maximum")]
    Above(String),
    #[error("a rule of {0} believes a login without any method")]
    NoMethod(String),
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
    auth_time_missing: AuthTimeMissing,
    aal_by_methods: Vec<Methods>,
    verified_claim: Option<String>,
    ial_unverified_max: Option<Ial>,
}

/// What to think of a login of which a provider does not say when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AuthTimeMissing {
    Refuse,
    SinceAsked,
}

/// What the users of a kind of client must reach from one day on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Minimum {
    audience: Audience,
    effective_on: NaiveDate,
    ial: Ial,
    aal: Aal,
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

    /// Reads a table, and checks that its rules do not contradict themselves.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text)?;
        let mut days = BTreeSet::new();
        for rule in &policy.rule {
            let provider = || rule.provider.clone();
            if !days.insert((&rule.provider, rule.effective_on)) {
                return Err(PolicyError::Twice(provider()));
            }
            let methods = || rule.aal_by_methods.iter();
            let above = methods().any(|methods| methods.aal > rule.aal_max);
            if above || rule.ial_otherwise > rule.ial_max || rule.aal_otherwise > rule.aal_max {
                return Err(PolicyError::Above(provider()));
            }
            if methods().any(|methods| methods.all.is_empty()) {
                return Err(PolicyError::NoMethod(provider()));
            }
        }
        Ok(policy)
    }

    /// What `claims` of `provider` are worth on a day; a provider without a rule is worth the least.
    pub fn level(&self, provider: &str, claims: &Map<String, Value>, on: NaiveDate) -> Level {
        self.rule(provider, on).map_or(LEAST, |rule| Level { ial: rule.ial(claims), aal: rule.aal(claims) })
    }

    /// The most a provider can give on a day.
    pub fn level_max(&self, provider: &str, on: NaiveDate) -> Level {
        self.rule(provider, on).map_or(LEAST, |rule| Level { ial: rule.ial_max, aal: rule.aal_max })
    }

    /// What a login must reach: what the client asked for, and what its users must have anyway.
    pub fn needed(&self, acr_values: Option<&str>, audience: Audience, on: NaiveDate) -> Option<Level> {
        let newest = self
            .minimum
            .iter()
            .filter(|minimum| minimum.audience == audience && minimum.effective_on <= on)
            .max_by_key(|minimum| minimum.effective_on);
        let minimum = newest.map(|minimum| Level { ial: minimum.ial, aal: minimum.aal });
        acr_values.and_then(requested).into_iter().chain(minimum).reduce(both)
    }

    /// When a person logged in at a provider: what it said, or what we think of its silence about
    /// somebody whom we sent there at `asked_at`. `None`: nobody knows.
    pub fn logged_in_at(
        &self,
        provider: &str,
        said: Option<DateTime<Utc>>,
        asked_at: DateTime<Utc>,
        on: NaiveDate,
    ) -> Option<DateTime<Utc>> {
        let policy = self.rule(provider, on).map_or(AuthTimeMissing::Refuse, |rule| rule.auth_time_missing);
        said.or((policy == AuthTimeMissing::SinceAsked).then_some(asked_at))
    }

    /// Whether there is a rule about a provider, on whatever day.
    pub fn knows(&self, provider: &str) -> bool {
        self.rule.iter().any(|rule| rule.provider == provider)
    }

    fn rule(&self, provider: &str, on: NaiveDate) -> Option<&Rule> {
        self.rule
            .iter()
            .filter(|rule| rule.provider == provider && rule.effective_on <= on)
            .max_by_key(|rule| rule.effective_on)
    }
}

impl Rule {
    fn ial(&self, claims: &Map<String, Value>) -> Ial {
        let said = claims.get(&self.ial_claim).and_then(plain).and_then(|text| text.parse().ok());
        let believed = said.unwrap_or(self.ial_otherwise).min(self.ial_max);
        let is_true = |value: &Value| value == &Value::Bool(true) || value == "true";
        let verified =
            self.verified_claim.as_ref().is_none_or(|claim| claims.get(claim).is_some_and(is_true));
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
    acr_values.split(' ').filter_map(one_of_ours).reduce(both)
}

fn both(one: Level, other: Level) -> Level {
    Level { ial: one.ial.max(other.ial), aal: one.aal.max(other.aal) }
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

    #[test]
    fn officers_need_their_level_whatever_is_asked_and_citizens_what_is_asked() {
        let day = "2026-11-21".parse().unwrap();
        let needed = |asked, audience| {
            Assurance::built_in().needed(asked, audience, day).map(Level::acr).unwrap_or_default()
        };
        assert_eq!(needed(None, Audience::Officer), "urn:th:ial:2.3:aal:2.2");
        assert_eq!(needed(Some("urn:th:ial:3"), Audience::Officer), "urn:th:ial:3:aal:2.2");
        assert_eq!(needed(Some("urn:th:ial:2.1"), Audience::Citizen), "urn:th:ial:2.1:aal:1");
        assert_eq!(needed(None, Audience::Citizen), "");
    }

    #[test]
    fn silence_about_the_time_of_a_login_is_what_the_policy_makes_of_it() {
        let (day, asked_at) = ("2026-11-21".parse().unwrap(), DateTime::UNIX_EPOCH);
        let at = |provider, said| Assurance::built_in().logged_in_at(provider, said, asked_at, day);
        assert_eq!(at("thaid", None), Some(asked_at));
        assert_eq!(at("dga", None), None);
        assert_eq!(at("somebody", None), None);
        assert_eq!(at("dga", Some(asked_at)), Some(asked_at));
    }

    #[test]
    fn a_policy_that_contradicts_itself_is_not_used() {
        let changed = |from: &str, to: &str| {
            assert!(BUILT_IN.contains(from), "{from}");
            Assurance::parse(&BUILT_IN.replace(from, to))
        };
        assert!(matches!(changed("\"dga\"", "\"thaid\""), Err(PolicyError::Twice(_))));
        assert!(matches!(changed("ial_max = \"2.3\"", "ial_max = \"1.0\""), Err(PolicyError::Toml(_))));
        assert!(matches!(changed("aal_max = \"2.2\"", "aal_max = \"2.1\""), Err(PolicyError::Above(_))));
        let methods = changed("[\"hwk\", \"pin\"]", "[]");
        assert!(matches!(methods, Err(PolicyError::NoMethod(_))));
        assert!(matches!(changed("ial_otherwise", "ial_othrwise"), Err(PolicyError::Toml(_))));
    }

    #[test]
    fn a_newer_rule_counts_from_its_day_on() {
        let newer = BUILT_IN.to_owned()
            + "\n[[rule]]\nprovider = \"dga\"\neffective_on = \"2027-01-01\"\nial_claim = \"ial\"\n\
               ial_otherwise = \"1.1\"\nial_max = \"2.1\"\naal_max = \"2.1\"\naal_otherwise = \"1\"\n\
               aal_from_acr = false\nauth_time_missing = \"refuse\"\naal_by_methods = []\n";
        let policy = Assurance::parse(&newer).unwrap();
        let most = |day: &str| policy.level_max("dga", day.parse().unwrap()).acr();
        assert_eq!(most("2026-12-31"), "urn:th:ial:2.3:aal:2.2");
        assert_eq!(most("2027-01-01"), "urn:th:ial:2.1:aal:2.1");
    }
}
