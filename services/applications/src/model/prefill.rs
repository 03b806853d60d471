//! What the state already knows: form fields marked `x-source` are filled from the profile, with provenance.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use graphql::{LocalizedText, PartyId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// Where an answer came from; such an answer is not the citizen's to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// JSON pointer of the answer.
    pub pointer: String,
    /// The `x-source` word of the form, such as `profile.name_th`.
    pub source: String,
    pub fetched_at: DateTime<Utc>,
}

/// What is known of the caller and the party applied for, read through the graph as the caller.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    pub name_th: Option<String>,
    pub name_en: Option<String>,
    pub birth_date: Option<String>,
    pub address: Option<String>,
    /// What officers find a person's applications by.
    pub number_index: Option<Vec<u8>>,
    pub party: PartyProfile,
}

/// The party (natural person or company) an application is for.
#[derive(Clone, Debug, Default)]
pub struct PartyProfile {
    pub is_juristic: bool,
    pub name_th: Option<String>,
    pub name_en: Option<String>,
    pub registration_number: Option<String>,
}

impl Profile {
    /// Reads the answer of the profile query; `None` when it does not know the party.
    pub fn from_graph(data: &Json, party_id: PartyId) -> Option<Self> {
        let citizen = data.pointer("/viewer/citizen")?;
        let parties = data.pointer("/viewer/parties")?.as_array()?;
        let party = parties.iter().find(|party| party["id"] == party_id.to_string())?;
        let text = |value: &Json| value.as_str().map(str::to_owned);
        Some(Self {
            name_th: text(&citizen["nameTh"]),
            name_en: text(&citizen["nameEn"]),
            birth_date: text(&citizen["birthDate"]),
            address: text(&citizen["address"]),
            number_index: citizen["nationalIdIndex"]
                .as_str()
                .and_then(|index| URL_SAFE_NO_PAD.decode(index).ok()),
            party: PartyProfile {
                is_juristic: party["kind"] == "JURISTIC",
                name_th: text(&party["displayName"]["th"]),
                name_en: text(&party["displayName"]["en"]),
                registration_number: text(&party["registrationNumber"]),
            },
        })
    }

    /// The name officers see.
    pub fn applicant_name(&self) -> LocalizedText {
        LocalizedText { th: self.party.name_th.clone().unwrap_or_default(), en: self.party.name_en.clone() }
    }

    /// The first answers of a draft, and where each came from.
    pub fn answers(&self, form: &Json, fetched_at: DateTime<Utc>) -> (Json, Vec<Source>) {
        let (mut answers, mut sources) = (Map::new(), Vec::new());
        let fields = form.get("properties").and_then(Json::as_object).into_iter().flatten();
        for (name, field) in fields {
            let Some(word) = field.get("x-source").and_then(Json::as_str) else { continue };
            // A field the state has no value for is the citizen's to fill.
            let Some(value) = self.value(word) else { continue };
            answers.insert(name.clone(), Json::String(value.to_owned()));
            sources.push(Source { pointer: format!("/{name}"), source: word.to_owned(), fetched_at });
        }
        (Json::Object(answers), sources)
    }

    fn value(&self, source: &str) -> Option<&str> {
        match source {
            "profile.name_th" => self.name_th.as_deref(),
            "profile.name_en" => self.name_en.as_deref(),
            "profile.birth_date" => self.birth_date.as_deref(),
            "profile.address" => self.address.as_deref(),
            "party.name_th" => self.party.name_th.as_deref(),
            "party.registration_number" => self.party.registration_number.as_deref(),
            _ => None,
        }
    }
}
