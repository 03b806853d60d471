//! Finding public services by words, in Thai and English: an index in memory, rebuilt after a publication.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use auth::Ial;
use graphql::LocalizedText;
use icu_segmenter::WordSegmenter;

use crate::model::{Audience, Channel, PublicService};

/// Longer than anything a person types into a search box.
pub const SEARCH_CHARS_MAX: usize = 200;
const TERMS_MAX: usize = 20;
/// A shorter beginning of a word fits too many words.
const PREFIX_CHARS_MIN: usize = 2;

const TITLE: u32 = 60;
const KEYWORD: u32 = 40;
const AGENCY: u32 = 15;
const SUMMARY: u32 = 10;
/// The whole search, word for word: as a keyword or title, or inside one.
const WHOLE: u32 = 400;
const INSIDE: u32 = 150;

/// Words that say nothing about which service is meant.
const STOP_WORDS: [&str; 34] = [
    "a",
    "an",
    "and",
    "for",
    "how",
    "i",
    "in",
    "my",
    "of",
    "on",
    "or",
    "the",
    "to",
    "want",
    "what",
    "where",
    "with",
    "กับ",
    "การ",
    "ขอ",
    "ของ",
    "ความ",
    "จะ",
    "ฉัน",
    "ต้อง",
    "ต้องการ",
    "ที่",
    "ทำ",
    "ผม",
    "ยังไง",
    "หรือ",
    "อยาก",
    "และ",
    "ใน",
];

/// A service as it is given to the index.
pub struct Document {
    pub code: String,
    pub service: PublicService,
    pub agency_name: LocalizedText,
    pub fileable: bool,
    /// The agency and the area of each offering; no area for the whole country.
    pub offered_by: Vec<(String, Option<String>)>,
}

/// What the index keeps of a service.
struct Entry {
    code: String,
    agency: String,
    audience: Vec<Audience>,
    channels: Vec<Channel>,
    ial: Ial,
    fileable: bool,
    offered_by: Vec<(String, Option<String>)>,
    /// Titles and keywords in small letters, for searches that are one of them word for word.
    phrases: Vec<String>,
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

/// All services as of one publication.
#[derive(Default)]
pub struct Index {
    pub publication: i64,
    entries: Vec<Entry>,
    /// Where each word stands: entry and weight. Ordered, so that a beginning finds its words.
    postings: BTreeMap<String, Vec<(usize, u32)>>,
    /// Which entries have this title or keyword, word for word.
    phrases: HashMap<String, Vec<usize>>,
}

impl Entry {
    fn new(document: Document) -> Self {
        let Document { code, service, fileable, offered_by, .. } = document;
        let keywords = service.keywords.th.iter().chain(&service.keywords.en).map(String::as_str);
        let phrases = both(&service.title).chain(keywords).map(str::to_lowercase).collect();
        Self {
            code,
            agency: service.agency,
            audience: service.audience,
            channels: service.channels,
            ial: service.identity.ial,
            fileable,
            offered_by,
            phrases,
        }
    }

    fn passes(&self, filter: &Filter) -> bool {
        filter.audience.is_none_or(|audience| self.audience.contains(&audience))
            && filter.agency.as_ref().is_none_or(|agency| {
                self.agency == *agency || self.offered_by.iter().any(|(offering, _)| offering == agency)
            })
            && filter.channel.is_none_or(|channel| self.channels.contains(&channel))
            && filter.ial_max.is_none_or(|ial| self.ial <= ial)
            && filter.fileable.is_none_or(|fileable| self.fileable == fileable)
            && filter.area.as_ref().is_none_or(|area| {
                self.offered_by.iter().any(|(_, own)| own.as_ref().is_none_or(|own| area.starts_with(own)))
            })
    }
}

impl Index {
    /// Builds the index of a publication.
    pub fn build(publication: i64, documents: Vec<Document>) -> Self {
        let mut index = Self { publication, ..Self::default() };
        for (position, document) in documents.into_iter().enumerate() {
            for (word, weight) in weighted_words(&document) {
                index.postings.entry(word).or_default().push((position, weight));
            }
            let entry = Entry::new(document);
            for phrase in &entry.phrases {
                index.phrases.entry(phrase.clone()).or_default().push(position);
            }
            index.entries.push(entry);
        }
        index
    }

    /// The services that fit, best first; without a search, all that pass the filter in order of code.
    pub fn find(&self, search: Option<&str>, filter: &Filter) -> Vec<Hit> {
        let passing = |(position, score): (usize, u32)| {
            let entry = &self.entries[position];
            entry.passes(filter).then(|| Hit { score: Reverse(score), code: entry.code.clone() })
        };
        let mut hits: Vec<Hit> = match search.map(str::trim).filter(|search| !search.is_empty()) {
            None => (0..self.entries.len()).map(|position| (position, 0)).filter_map(passing).collect(),
            Some(search) => self.scores(search).into_iter().filter_map(passing).collect(),
        };
        hits.sort();
        hits
    }

    /// The score of each service that has at least half of the words.
    fn scores(&self, search: &str) -> Vec<(usize, u32)> {
        let search = search.to_lowercase();
        let terms: Vec<String> = words(&search).into_iter().take(TERMS_MAX).collect();
        let mut found: HashMap<usize, (usize, u32)> = HashMap::new();
        for term in &terms {
            for (position, score) in self.term_scores(term) {
                let (matched, total) = found.entry(position).or_default();
                *matched += 1;
                *total += score;
            }
        }
        found.retain(|_, (matched, _)| *matched * 2 >= terms.len());
        // One or two letters stand inside nearly everything.
        if search.chars().count() > PREFIX_CHARS_MIN {
            for (position, (_, total)) in &mut found {
                let inside = self.entries[*position].phrases.iter().any(|phrase| phrase.contains(&search));
                *total += if inside { INSIDE } else { 0 };
            }
        }
        for position in self.phrases.get(&search).into_iter().flatten() {
            found.entry(*position).or_default().1 += WHOLE;
        }
        found.into_iter().map(|(position, (_, score))| (position, score)).collect()
    }

    /// The best that one word, or a word it begins, does for each service; rare words do more.
    fn term_scores(&self, term: &str) -> HashMap<usize, u32> {
        let mut scores: HashMap<usize, u32> = HashMap::new();
        let beginnings = term.chars().count() >= PREFIX_CHARS_MIN;
        let fitting = self.postings.range(term.to_owned()..).take_while(|(word, _)| word.starts_with(term));
        for (word, postings) in fitting.take_while(|(word, _)| beginnings || word.as_str() == term) {
            let rarity = (self.entries.len() / postings.len().max(1)).ilog2() + 1;
            for (position, weight) in postings {
                let score = if word == term { weight * rarity } else { weight * rarity / 2 };
                let best = scores.entry(*position).or_default();
                *best = score.max(*best);
            }
        }
        scores
    }
}

/// Each word of a service with the weight of the best place it stands in.
fn weighted_words(document: &Document) -> HashMap<String, u32> {
    let service = &document.service;
    let keywords = service.keywords.th.iter().chain(&service.keywords.en).map(String::as_str);
    let weighted = both(&service.title)
        .chain([document.code.as_str()])
        .map(|text| (text, TITLE))
        .chain(keywords.map(|text| (text, KEYWORD)))
        .chain(both(&document.agency_name).map(|text| (text, AGENCY)))
        .chain(both(&service.summary).map(|text| (text, SUMMARY)));
    let mut weights = HashMap::new();
    for (text, weight) in weighted {
        for word in words(text) {
            let best = weights.entry(word).or_insert(weight);
            *best = weight.max(*best);
        }
    }
    weights
}

fn both(text: &LocalizedText) -> impl Iterator<Item = &str> {
    [Some(text.th.as_str()), text.en.as_deref()].into_iter().flatten()
}

/// The words of a text in small letters, without those that say nothing. Thai has no blanks between words:
/// a dictionary finds them.
fn words(text: &str) -> BTreeSet<String> {
    let text = text.to_lowercase();
    let segmenter = WordSegmenter::new_dictionary(Default::default());
    let mut from = 0;
    let mut words = BTreeSet::new();
    for (to, kind) in segmenter.segment_str(&text).iter_with_word_type() {
        let word = &text[from..to];
        from = to;
        if kind.is_word_like() && !STOP_WORDS.contains(&word) {
            words.insert(word.to_owned());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn document(code: &str, title: &str, keywords: &[&str]) -> Document {
        let service = serde_json::json!({
            "title": { "th": title }, "summary": { "th": "" },
            "keywords": { "th": keywords, "en": [] },
            "agency": "tests", "audience": ["citizen"], "channels": ["app"], "delivery_mode": "online",
            "identity": { "ial": "2.1", "aal": "2.1", "status": "sample" }, "steps": [], "contacts": [],
        });
        Document {
            code: code.to_owned(),
            service: serde_json::from_value(service).unwrap(),
            agency_name: LocalizedText::new("กรมทดสอบ", "Tests"),
            fileable: false,
            offered_by: Vec::new(),
        }
    }

    fn found(index: &Index, search: &str) -> Vec<String> {
        index.find(Some(search), &Filter::default()).into_iter().map(|hit| hit.code).collect()
    }

    #[test]
    fn thai_is_cut_into_its_words() {
        let words: Vec<String> = words("ต่ออายุใบขับขี่รถยนต์ 5 ปี").into_iter().collect();
        assert_eq!(words, ["5", "ขับขี่", "ต่อ", "ปี", "รถยนต์", "อายุ", "ใบ"]);
    }

    #[test]
    fn a_title_counts_more_than_a_keyword_and_ties_go_by_code() {
        let index = Index::build(
            1,
            vec![
                document("C-01", "ขายอาหาร", &[]),
                document("B-01", "อื่น", &["ขายอาหารทะเล"]),
                document("D-01", "อื่น", &["ขายอาหารทะเล"]),
                document("A-01", "ไม่เกี่ยว", &[]),
            ],
        );
        assert_eq!(found(&index, "ขายอาหาร"), ["C-01", "B-01", "D-01"]);
        assert_eq!(found(&index, "ทะเล"), ["B-01", "D-01"]);
    }

    proptest! {
        #[test]
        fn any_text_can_be_searched_and_hits_are_in_order(search in "\\PC{0,200}") {
            let index = Index::build(1, vec![document("C-01", "ขายอาหาร", &["food"]), document("A-01", "food", &[])]);
            let hits = index.find(Some(&search), &Filter::default());
            prop_assert!(hits.is_sorted());
            for hit in &hits {
                let read = Hit::at(&hit.position());
                prop_assert_eq!(read.as_ref(), Some(hit));
            }
        }
    }
}
