//! Titles and keywords as wholes, found by how much of a search stands in them.
//!
//! A search and a phrase are compared by the runs of three letters they share. So a slip costs a few runs
//! and no more, also in Thai, where it makes a dictionary cut the text at other places. Of a short phrase a
//! slip leaves too few runs: it is also looked up as one word.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::spelling::Spelling;
use super::text::{folded, words};

/// Places that one search looks at, before the list that goes beyond it: the rarest runs come first, and
/// they are what tells phrases apart.
const PLACES_READ_MAX: usize = 20_000;
/// How much of a search must stand in a phrase, of [`WHOLE`].
const LIKENESS_MIN: u32 = 400;
/// Three letters in a row stand in many words that mean something else.
const RUNS_MIN: u32 = 2;
/// The likeness of a search and a phrase that are the same.
pub const WHOLE: u32 = 1_000;

/// Longer phrases keep runs enough whatever the slip.
const SHORT_CHARS_MAX: usize = 12;

/// Three letters, as one number.
type Run = u64;

/// A title, keyword or code.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Phrase {
    runs: Box<[Run]>,
    /// Its folded letters, when they are few.
    short: Option<Box<str>>,
}

impl Phrase {
    pub fn of(text: &str) -> Self {
        Self { runs: runs(text).into_iter().collect(), short: short(text) }
    }
}

/// All phrases of all entries.
#[derive(Default)]
pub struct Phrases {
    /// Which phrases have this run.
    places: HashMap<Run, Vec<u32>>,
    /// The entry of each phrase.
    entries: Vec<u32>,
    /// What all runs of each phrase weigh together.
    weights: Vec<u32>,
    /// The entries of each short phrase.
    short: Vec<Vec<u32>>,
    spelling: Spelling,
}

impl Phrases {
    /// Keeps the phrases of all entries; an entry's number is its place.
    pub fn of<'a>(entries: impl Iterator<Item = &'a [Phrase]>) -> Self {
        let mut all = Self::default();
        let mut short: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (entry, phrases) in (0_u32..).zip(entries) {
            for phrase in phrases {
                let number = u32::try_from(all.entries.len()).unwrap_or(u32::MAX);
                for run in &phrase.runs {
                    all.places.entry(*run).or_default().push(number);
                }
                all.entries.push(entry);
                if let Some(text) = &phrase.short {
                    short.entry(text).or_default().push(entry);
                }
            }
        }
        let mut weights = vec![0; all.entries.len()];
        for places in all.places.values() {
            for place in places {
                weights[*place as usize] += all.weight(places.len());
            }
        }
        let spelling = Spelling::of(short.keys().copied());
        Self { weights, spelling, short: short.into_values().collect(), ..all }
    }

    /// How alike the search is to the phrase of each entry that is most like it: entries with their
    /// likeness, which is nothing for most.
    pub fn like(&self, search: &str, entries: usize) -> Vec<u32> {
        let mut known: Vec<&[u32]> = Vec::new();
        let mut total = 0;
        for run in runs(search) {
            match self.places.get(&run) {
                Some(places) => known.push(places),
                // A slip makes such runs: they must not weigh as much as what is rare and right.
                None => total += self.weight(1) / 2,
            }
        }
        known.sort_by_key(|places| places.len());
        // Of each phrase: how many runs it shares, and what they weigh.
        let mut shared: Vec<u32> = vec![0; self.entries.len()];
        let mut weights: Vec<u32> = vec![0; self.entries.len()];
        let mut found: Vec<u32> = Vec::new();
        let mut read = 0;
        for places in known {
            let weight = self.weight(places.len());
            total += weight;
            for place in places {
                let shared = &mut shared[*place as usize];
                if *shared == 0 {
                    found.push(*place);
                }
                *shared += 1;
                weights[*place as usize] += weight;
            }
            read += places.len();
            if read > PLACES_READ_MAX {
                break;
            }
        }
        let mut like: Vec<u32> = vec![0; entries];
        for meant in short(search).map(|search| self.spelling.meant(&search)).into_iter().flatten() {
            for entry in &self.short[meant.word] {
                like[*entry as usize] = WHOLE * 3 / (3 + u32::try_from(meant.slips).unwrap_or(3));
            }
        }
        for phrase in found {
            let weight = weights[phrase as usize];
            let of_search = WHOLE * weight / total.max(1);
            if of_search >= LIKENESS_MIN && shared[phrase as usize] >= RUNS_MIN {
                let of_phrase = WHOLE * weight / self.weights[phrase as usize].max(1);
                let likeness = of_search * of_search / WHOLE * (WHOLE + of_phrase) / (2 * WHOLE);
                let best = &mut like[self.entries[phrase as usize] as usize];
                *best = likeness.max(*best);
            }
        }
        like
    }

    /// What a run weighs that stands in so many phrases.
    fn weight(&self, phrases: usize) -> u32 {
        (self.entries.len() / phrases.max(1)).max(1).ilog2() + 1
    }
}

/// The runs of a text, without the words that say nothing. A run does not go over a blank; between Thai
/// words there is none.
fn runs(text: &str) -> BTreeSet<Run> {
    let is_thai = |word: &str| word.starts_with(|letter: char| ('\u{e01}'..='\u{e4e}').contains(&letter));
    let mut unbroken: Vec<String> = Vec::new();
    for word in words(text) {
        match unbroken.last_mut().filter(|before| is_thai(before) && is_thai(&word)) {
            Some(before) => before.push_str(&word),
            None => unbroken.push(word),
        }
    }
    let number = |run: &[char]| run.iter().fold(0, |all, letter| (all << 21) | u64::from(u32::from(*letter)));
    let numbers = |text: &String| folded(text).windows(3).map(number).collect::<Vec<_>>();
    unbroken.iter().flat_map(numbers).collect()
}

fn short(text: &str) -> Option<Box<str>> {
    let letters = folded(text);
    (letters.len() <= SHORT_CHARS_MAX).then(|| letters.into_iter().collect())
}
