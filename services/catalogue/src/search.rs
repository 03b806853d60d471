//! Finding public services by words, in Thai and English: an index in memory, made anew after a
//! publication from what is prepared of each service.
//!
//! A service is found by its words (`vocabulary`, with `spelling` for those that are mistyped) and by how
//! much of the search stands in its title or a keyword (`phrases`). Only the best of what was found are
//! put in order.

mod phrases;
mod preparation;
mod spelling;
mod text;
mod vocabulary;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use auth::Ial;

use crate::model::{Audience, Channel};
use crate::store::ListedService;
use phrases::Phrases;
use preparation::Prepared;
use vocabulary::Vocabulary;

pub use preparation::Preparation;

/// Longer than anything a person types into a search box.
pub const SEARCH_CHARS_MAX: usize = 200;
/// Words of a search that are looked up.
const TERMS_MAX: usize = 20;
/// A likeness that finds a service none of whose words were typed rightly.
const LIKENESS_ALONE_MIN: u32 = 150;
/// What a phrase that is the whole search is worth, in rare words of a title.
const WHOLE_IN_TITLE_WORDS: u32 = 2;

/// A service as it is given to the index.
pub struct Listed {
    pub service: ListedService,
    pub prepared: Arc<Prepared>,
}

/// Which services are asked for; all of it must hold.
#[derive(Default)]
pub struct Filter {
    pub audience: Option<Audience>,
    pub agency: Option<String>,
    pub channel: Option<Channel>,
    pub ial_max: Option<Ial>,
    pub fileable: Option<bool>,
    pub area: Option<String>,
}

/// A service found, best first: by score, then by code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    pub score: Reverse<u32>,
    pub code: String,
}

impl Hit {
    /// Its place in the order, as a cursor holds it.
    pub fn position(&self) -> String {
        format!("{}|{}", self.score.0, self.code)
    }

    /// Reads a place back.
    pub fn at(position: &str) -> Option<Self> {
        let (score, code) = position.split_once('|')?;
        Some(Self { score: Reverse(score.parse().ok()?), code: code.to_owned() })
    }
}

/// What the index keeps of a service beside its words.
struct Entry {
    code: String,
    fileable: bool,
    /// In order, each once.
    offering_agencies: Box<[u32]>,
    areas: Box<[u32]>,
    everywhere: bool,
    prepared: Arc<Prepared>,
}

/// All services as of one publication.
#[derive(Default)]
pub struct Index {
    pub publication: i64,
    /// In order of code.
    entries: Vec<Entry>,
    vocabulary: Vocabulary,
    phrases: Phrases,
    agencies: Numbers,
    areas: Numbers,
}

impl Index {
    /// Builds the index of a publication.
    pub fn build(publication: i64, mut services: Vec<Listed>) -> Self {
        // In order of bytes, whatever the database's own order is.
        services.sort_unstable_by(|one, other| one.service.code.cmp(&other.service.code));
        let mut index = Self { publication, ..Self::default() };
        let mut words: HashMap<Arc<str>, Vec<(u32, u32)>> = HashMap::new();
        for (number, listed) in (0_u32..).zip(services) {
            for (word, worth) in &listed.prepared.words {
                words.entry(Arc::clone(word)).or_default().push((number, *worth));
            }
            let entry = index.entry(listed);
            index.entries.push(entry);
        }
        index.phrases = Phrases::of(index.entries.iter().map(|entry| entry.prepared.phrases.as_slice()));
        index.vocabulary = Vocabulary::of(words);
        index
    }

    /// The services that fit, best first, at most `limit` of those that come after `after`; without a
    /// search, all that pass the filter in order of code.
    pub fn find(&self, search: Option<&str>, filter: &Filter, after: Option<&Hit>, limit: usize) -> Vec<Hit> {
        let wanted = Wanted::new(self, filter);
        let hit = |(score, entry): (Reverse<u32>, u32)| Hit {
            score,
            code: self.entries[entry as usize].code.clone(),
        };
        let Some(search) = search.map(str::trim).filter(|search| !search.is_empty()) else {
            let from = after.map_or(0, |after| match after.score {
                Reverse(0) => self.entries.partition_point(|entry| entry.code <= after.code),
                _ => 0,
            });
            let passing = self.entries[from..].iter().zip(from..).filter(|(entry, _)| wanted.passes(entry));
            return passing
                .take(limit)
                .filter_map(|(_, at)| Some(hit((Reverse(0), u32::try_from(at).ok()?))))
                .collect();
        };
        let comes_after = |(score, entry): &(Reverse<u32>, u32)| {
            after.is_none_or(|after| {
                (score, &self.entries[*entry as usize].code) > (&after.score, &after.code)
            })
        };
        let mut found = self.scores(search);
        found.retain(|one| comes_after(one) && wanted.passes(&self.entries[one.1 as usize]));
        if limit == 0 {
            return Vec::new();
        }
        if found.len() > limit {
            found.select_nth_unstable(limit - 1);
            found.truncate(limit);
        }
        found.sort_unstable();
        found.into_iter().map(hit).collect()
    }

    /// The score of each service that has at least half of the words, or is like the search as a whole.
    fn scores(&self, search: &str) -> Vec<(Reverse<u32>, u32)> {
        let count = self.entries.len();
        let terms: Vec<String> = text::words(search).into_iter().take(TERMS_MAX).collect();
        let mut tallies: Vec<(u32, usize)> = vec![(0, 0); count];
        // Of each service, the best that one word of the search does for it.
        let mut best: Vec<u32> = vec![0; count];
        let mut touched: Vec<u32> = Vec::new();
        for term in &terms {
            for found in self.vocabulary.find(term) {
                let rarity = self.rarity(found.places.len());
                for (entry, worth) in found.places {
                    let best = &mut best[*entry as usize];
                    if *best == 0 {
                        touched.push(*entry);
                    }
                    *best = (*best).max(worth * rarity * found.quarters / 4);
                }
            }
            for entry in touched.drain(..) {
                let (score, matched) = &mut tallies[entry as usize];
                *score += std::mem::take(&mut best[entry as usize]);
                *matched += 1;
            }
        }
        let likeness = self.phrases.like(search, count);
        let whole = WHOLE_IN_TITLE_WORDS * preparation::TITLE * self.rarity(1);
        let scores = tallies.into_iter().zip(likeness).zip(0..);
        let found = scores.filter_map(|(((score, matched), likeness), entry)| {
            let enough = matched > 0 && matched * 2 >= terms.len() || likeness >= LIKENESS_ALONE_MIN;
            enough.then(|| (Reverse(score + whole * likeness / phrases::WHOLE), entry))
        });
        found.collect()
    }

    /// What it is worth to have a word that so many services have.
    fn rarity(&self, services: usize) -> u32 {
        (self.entries.len() / services.max(1)).max(1).ilog2() + 1
    }

    fn entry(&mut self, listed: Listed) -> Entry {
        let Listed { service: ListedService { code, fileable, offered_by, .. }, prepared } = listed;
        let everywhere = offered_by.iter().any(|(_, area)| area.is_none());
        let mut offering_agencies: Vec<u32> =
            offered_by.iter().map(|(agency, _)| self.agencies.number_or_new(agency)).collect();
        let areas = offered_by.iter().filter_map(|(_, area)| area.as_deref());
        let mut areas: Vec<u32> = areas.map(|area| self.areas.number_or_new(area)).collect();
        for numbers in [&mut offering_agencies, &mut areas] {
            numbers.sort_unstable();
            numbers.dedup();
        }
        Entry {
            code,
            fileable,
            offering_agencies: offering_agencies.into(),
            areas: areas.into(),
            everywhere,
            prepared,
        }
    }
}

/// Numbers for texts that many services share.
#[derive(Default)]
struct Numbers(HashMap<String, u32>);

impl Numbers {
    fn number_or_new(&mut self, text: &str) -> u32 {
        if let Some(number) = self.0.get(text) {
            return *number;
        }
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(text.to_owned(), number);
        number
    }
}

/// A filter, read once for all services.
struct Wanted<'filter> {
    filter: &'filter Filter,
    agency: Option<u32>,
    /// The area asked for and those that hold it.
    areas: Vec<u32>,
}

impl<'filter> Wanted<'filter> {
    fn new(index: &Index, filter: &'filter Filter) -> Self {
        let agency = filter.agency.as_ref().and_then(|agency| index.agencies.0.get(agency).copied());
        let area = filter.area.as_deref().unwrap_or_default();
        let holding = (1..=area.len()).filter_map(|digits| index.areas.0.get(area.get(..digits)?).copied());
        Self { filter, agency, areas: holding.collect() }
    }

    fn passes(&self, entry: &Entry) -> bool {
        let filter = self.filter;
        let prepared = &entry.prepared.filtered;
        filter.audience.is_none_or(|audience| prepared.audience.contains(&audience))
            && filter.channel.is_none_or(|channel| prepared.channels.contains(&channel))
            && filter.ial_max.is_none_or(|ial| prepared.ial <= ial)
            && filter.fileable.is_none_or(|fileable| entry.fileable == fileable)
            && filter.agency.as_ref().is_none_or(|agency| {
                prepared.agency == *agency
                    || self
                        .agency
                        .is_some_and(|number| entry.offering_agencies.binary_search(&number).is_ok())
            })
            && (filter.area.is_none()
                || entry.everywhere
                || self.areas.iter().any(|area| entry.areas.binary_search(area).is_ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Listing;
    use graphql::LocalizedText;
    use proptest::prelude::*;

    fn index(services: &[(&str, &str, &[&str])]) -> Index {
        let agency_names = HashMap::from([("tests".to_owned(), LocalizedText::new("กรมทดสอบ", "Tests"))]);
        let mut preparation = Preparation::default();
        for (code, title, keywords) in services {
            let service = serde_json::json!({
                "title": { "th": title }, "summary": { "th": "" },
                "keywords": { "th": keywords, "en": [] },
                "agency": "tests", "audience": ["citizen"], "channels": ["app"], "delivery_mode": "online",
                "identity": { "ial": "2.1", "aal": "2.1", "status": "sample" }, "steps": [], "contacts": [],
            });
            let service = serde_json::from_value(service).unwrap();
            preparation.add((*code).to_owned(), 1, service, &agency_names);
        }
        let listed = |(code, _, _): &(&str, _, _)| ListedService {
            code: (*code).to_owned(),
            revision: 1,
            fileable: false,
            offered_by: Vec::new(),
        };
        let services = services.iter().map(listed).collect();
        preparation.index(Listing { publication: 1, services, agency_names })
    }

    fn found(index: &Index, search: &str) -> Vec<String> {
        index.find(Some(search), &Filter::default(), None, 100).into_iter().map(|hit| hit.code).collect()
    }

    #[test]
    fn a_title_counts_more_than_a_keyword_and_ties_go_by_code() {
        let index = index(&[
            ("C-01", "ขายอาหาร", &[]),
            ("B-01", "อื่น", &["ขายอาหารทะเล"]),
            ("D-01", "อื่น", &["ขายอาหารทะเล"]),
            ("A-01", "ไม่เกี่ยว", &[]),
        ]);
        assert_eq!(found(&index, "ขายอาหาร"), ["C-01", "B-01", "D-01"]);
        assert_eq!(found(&index, "ทะเล"), ["B-01", "D-01"]);
    }

    #[test]
    fn a_slip_that_makes_thai_fall_into_other_words_is_forgiven() {
        let index = index(&[
            ("A-01", "ต่ออายุใบขับขี่รถยนต์", &["ใบขับขี่"]),
            ("B-01", "จดทะเบียนพาณิชย์", &[]),
            ("C-01", "เบี้ยยังชีพผู้สูงอายุ", &[]),
        ]);
        for (typed, code) in
            [("ใบขับขี", "A-01"), ("ไบขับขี้", "A-01"), ("ทะเบียณพานิช", "B-01"), ("เบียยังชีพผู้สูงอายุ", "C-01")]
        {
            assert_eq!(found(&index, typed).first().map(String::as_str), Some(code), "{typed}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_searched_and_pages_are_the_whole_cut_up(search in "\\PC{0,40}|[a-d ]{0,12}", size in 1_usize..4) {
            let words = ["ขายอาหาร", "food", "a b", "dad", "cab", "bad cab"];
            let codes: Vec<String> = (0..words.len()).map(|n| format!("C-{n:02}")).collect();
            let services: Vec<(&str, &str, &[&str])> = codes.iter().zip(words).map(|(code, word)| (code.as_str(), word, [].as_slice())).collect();
            let index = index(&services);
            let whole = index.find(Some(&search), &Filter::default(), None, 100);
            prop_assert!(whole.is_sorted());
            let mut pages: Vec<Hit> = Vec::new();
            loop {
                let after = pages.last().map(|hit| Hit::at(&hit.position()).unwrap());
                let page = index.find(Some(&search), &Filter::default(), after.as_ref(), size);
                if page.is_empty() {
                    break;
                }
                pages.extend(page);
            }
            prop_assert_eq!(whole, pages);
        }
    }
}
