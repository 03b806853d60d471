//! What is worked out of a service's texts, once for each revision: cutting Thai into words is by far the
//! longest part of building an index.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use auth::Ial;
use graphql::LocalizedText;

use super::phrases::Phrase;
use super::text::words;
use super::{Index, Listed};
use crate::model::{Audience, Channel, PublicService};
use crate::store::Listing;

pub const TITLE: u32 = 60;
const KEYWORD: u32 = 40;
const AGENCY: u32 = 15;
const SUMMARY: u32 = 10;

/// What a revision of a service is found by.
pub struct Prepared {
    pub revision: i64,
    pub agency_name: LocalizedText,
    /// Each word with the worth of the best place it stands in.
    pub words: Vec<(Arc<str>, u32)>,
    /// Code, titles and keywords.
    pub phrases: Vec<Phrase>,
    /// What filters look at; without texts and without the form.
    pub filtered: Filtered,
}

/// What of a service the filters look at.
pub struct Filtered {
    pub agency: String,
    pub audience: Vec<Audience>,
    pub channels: Vec<Channel>,
    pub ial: Ial,
}

/// All services prepared so far, each at its latest revision.
#[derive(Default)]
pub struct Preparation {
    services: HashMap<String, Arc<Prepared>>,
    /// Each word once, however many services use it.
    words: HashSet<Arc<str>>,
}

impl Preparation {
    /// Whether this revision was prepared, under this name of its agency.
    pub fn holds(&self, code: &str, revision: i64, agency_names: &HashMap<String, LocalizedText>) -> bool {
        let held = self.services.get(code).filter(|held| held.revision == revision);
        held.is_some_and(|held| agency_names.get(&held.filtered.agency) == Some(&held.agency_name))
    }

    /// Prepares a service and holds the result.
    pub fn add(
        &mut self,
        code: String,
        revision: i64,
        service: PublicService,
        agency_names: &HashMap<String, LocalizedText>,
    ) {
        let agency_name = agency_names.get(&service.agency).cloned().unwrap_or_default();
        let worths = worths(&code, &service, &agency_name);
        let words = worths.into_iter().map(|(word, worth)| (self.word(word), worth)).collect();
        let phrases = both(&service.title).chain(keywords(&service)).chain([code.as_str()]);
        let phrases: BTreeSet<Phrase> = phrases.map(Phrase::of).collect();
        let prepared = Prepared {
            revision,
            agency_name,
            words,
            phrases: phrases.into_iter().collect(),
            filtered: Filtered {
                agency: service.agency,
                audience: service.audience,
                channels: service.channels,
                ial: service.identity.ial,
            },
        };
        self.services.insert(code, Arc::new(prepared));
    }

    /// The index of what is listed and was prepared.
    pub fn index(&self, listing: Listing) -> Index {
        let listed = listing.services.into_iter().filter_map(|service| {
            let prepared = Arc::clone(self.services.get(&service.code)?);
            Some(Listed { service, prepared })
        });
        Index::build(listing.publication, listed.collect())
    }

    fn word(&mut self, word: String) -> Arc<str> {
        if let Some(known) = self.words.get(word.as_str()) {
            return Arc::clone(known);
        }
        let word: Arc<str> = word.into();
        self.words.insert(Arc::clone(&word));
        word
    }
}

/// Each word of a service with the worth of the best place it stands in.
fn worths(code: &str, service: &PublicService, agency_name: &LocalizedText) -> HashMap<String, u32> {
    let texts = both(&service.title)
        .chain([code])
        .map(|text| (text, TITLE))
        .chain(keywords(service).map(|text| (text, KEYWORD)))
        .chain(both(agency_name).map(|text| (text, AGENCY)))
        .chain(both(&service.summary).map(|text| (text, SUMMARY)));
    let mut worths = HashMap::new();
    for (text, worth) in texts {
        for word in words(text) {
            let best = worths.entry(word).or_insert(worth);
            *best = worth.max(*best);
        }
    }
    worths
}

fn keywords(service: &PublicService) -> impl Iterator<Item = &str> {
    service.keywords.th.iter().chain(&service.keywords.en).map(String::as_str)
}

fn both(text: &LocalizedText) -> impl Iterator<Item = &str> {
    [Some(text.th.as_str()), text.en.as_deref()].into_iter().flatten()
}
