//! Every word of the catalogue with the services it stands in, found whole, by its beginning or by a
//! misspelling.

use std::collections::HashMap;
use std::sync::Arc;

use super::spelling::Spelling;

/// A shorter beginning of a word fits too many words.
const BEGINNING_CHARS_MIN: usize = 2;
/// Words that one beginning stands for.
const BEGUN_MAX: usize = 200;

/// Words in order, each with its places.
#[derive(Default)]
pub struct Vocabulary {
    words: Vec<Arc<str>>,
    /// Where each word stands: entry, and what the place is worth.
    places: Vec<Vec<(u32, u32)>>,
    spelling: Spelling,
}

/// A word of the vocabulary that a word of a search stands for.
#[derive(Clone, Copy)]
pub struct Found<'index> {
    pub places: &'index [(u32, u32)],
    /// How surely it is meant, in quarters.
    pub quarters: u32,
}

impl Vocabulary {
    /// Keeps the words of all entries.
    pub fn of(places: HashMap<Arc<str>, Vec<(u32, u32)>>) -> Self {
        let mut words: Vec<_> = places.into_iter().collect();
        words.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let (words, places): (Vec<_>, Vec<_>) = words.into_iter().unzip();
        let spelling = Spelling::of(words.iter().map(|word| &**word));
        Self { words, places, spelling }
    }

    /// What a word of a search stands for: itself, words that it begins, else words that it misspells.
    pub fn find(&self, word: &str) -> Vec<Found<'_>> {
        let found = |number: usize, quarters| Found { places: &self.places[number], quarters };
        let first = self.words.partition_point(|known| &**known < word);
        let begun = self.words[first..].iter().take_while(|known| known.starts_with(word));
        let beginning = word.chars().count() >= BEGINNING_CHARS_MIN;
        let begun = begun.take(BEGUN_MAX).enumerate().filter(|(_, known)| beginning || &***known == word);
        let begun = begun.map(|(after, known)| found(first + after, if &**known == word { 4 } else { 2 }));
        let begun: Vec<_> = begun.collect();
        if !begun.is_empty() {
            return begun;
        }
        let meant = self.spelling.meant(word).into_iter();
        meant.map(|meant| found(meant.word, if meant.slips == 0 { 3 } else { 2 })).collect()
    }
}
