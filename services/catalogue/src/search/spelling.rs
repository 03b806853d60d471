//! Words of the vocabulary that a mistyped word may have meant.
//!
//! Every word is kept under each text that leaves out one or two of its first letters. Two words that are
//! few slips apart share such a text, so that the vocabulary needs not be gone through.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use strsim::generic_damerau_levenshtein;

use super::text::folded;

/// Only so many letters of a word are left out in turn: what is kept grows with the square.
const PREFIX_CHARS_MAX: usize = 7;
/// Words looked at for one mistyped word: texts of few letters are shared by many.
const CANDIDATES_MAX: usize = 400;
/// Words that one mistyped word may stand for.
const MEANT_MAX: usize = 8;

/// Which words stand under which shortened texts.
#[derive(Default)]
pub struct Spelling {
    /// Digests of shortened texts with the word's number, in order.
    shortened: Vec<(u64, u32)>,
    letters: Vec<Box<[char]>>,
}

/// A word that may have been meant, and how many slips away it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meant {
    pub word: usize,
    pub slips: usize,
}

impl Spelling {
    /// Keeps these words; a word's number is its place.
    pub fn of<'a>(words: impl Iterator<Item = &'a str>) -> Self {
        let mut spelling = Self::default();
        for (number, word) in (0_u32..).zip(words) {
            let letters = folded(word);
            let texts = shortened(&letters, slips_max(letters.len()));
            spelling.shortened.extend(texts.into_iter().map(|text| (text, number)));
            spelling.letters.push(letters.into());
        }
        spelling.shortened.sort_unstable();
        spelling
    }

    /// The nearest words to a mistyped one: all with the fewest slips, and none when none is near.
    pub fn meant(&self, word: &str) -> Vec<Meant> {
        let letters = folded(word);
        let slips_max = slips_max(letters.len());
        let mut candidates = BTreeSet::new();
        for text in shortened(&letters, slips_max) {
            let from = self.shortened.partition_point(|(known, _)| *known < text);
            let under = self.shortened[from..].iter().take_while(|(known, _)| *known == text);
            candidates.extend(under.map(|(_, number)| *number as usize).take(CANDIDATES_MAX));
        }
        let slips = |word: usize| {
            // Letters in number first: it is cheaper to count them than to compare them.
            let apart = self.letters[word].len().abs_diff(letters.len());
            (apart <= slips_max).then(|| generic_damerau_levenshtein(&letters, &self.letters[word]))
        };
        let near = candidates.into_iter().take(CANDIDATES_MAX);
        let near = near.filter_map(|word| Some(Meant { word, slips: slips(word)? }));
        let mut near: Vec<Meant> = near.filter(|meant| meant.slips <= slips_max).collect();
        near.sort_by_key(|meant| (meant.slips, meant.word));
        let fewest = near.first().map_or(0, |meant| meant.slips);
        near.into_iter().take_while(|meant| meant.slips == fewest).take(MEANT_MAX).collect()
    }
}

/// Slips that are forgiven: a short word with one more is another word.
fn slips_max(letters: usize) -> usize {
    match letters {
        0..4 => 0,
        4..8 => 1,
        _ => 2,
    }
}

/// Digests of a word's beginning with up to `left_out` of its letters left out.
fn shortened(letters: &[char], left_out: usize) -> BTreeSet<u64> {
    let mut texts = BTreeSet::from([letters[..letters.len().min(PREFIX_CHARS_MAX)].to_vec()]);
    let mut shortest = texts.clone();
    for _ in 0..left_out {
        shortest = shortest.iter().flat_map(|text| each_letter_left_out(text)).collect();
        texts.extend(shortest.iter().cloned());
    }
    texts.into_iter().filter(|text| !text.is_empty()).map(|text| digest(&text)).collect()
}

fn each_letter_left_out(text: &[char]) -> impl Iterator<Item = Vec<char>> {
    (0..text.len()).map(|at| text.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, c)| *c).collect())
}

fn digest(text: &[char]) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WORDS: [&str; 8] =
        ["passport", "passenger", "tax", "licence", "พาสปอร์ต", "วัคซีน", "ทะเบียน", "health"];

    fn meant(word: &str) -> Vec<&'static str> {
        Spelling::of(WORDS.into_iter()).meant(word).into_iter().map(|meant| WORDS[meant.word]).collect()
    }

    #[test]
    fn a_slip_or_two_are_forgiven_and_a_short_word_is_taken_as_it_is() {
        for (typed, word) in [
            ("pasport", "passport"),
            ("apssport", "passport"),
            ("passporrt", "passport"),
            ("lisence", "licence"),
            ("helth", "health"),
            ("วัคซิน", "วัคซีน"),
            ("วักซีน", "วัคซีน"),
            ("พาสปอต", "พาสปอร์ต"),
        ] {
            assert_eq!(meant(typed), [word], "{typed}");
        }
        assert_eq!(meant("tex"), [""; 0]);
        assert_eq!(meant("lecense"), [""; 0], "two slips in seven letters");
        assert_eq!(meant(""), [""; 0]);
    }

    proptest! {
        #[test]
        fn one_letter_left_out_of_any_word_is_forgiven(word in "[a-z]{5,12}", at in 0_usize..5) {
            let words = [word.as_str()];
            let mut typed = word.clone();
            typed.remove(at);
            let meant = Spelling::of(words.into_iter()).meant(&typed);
            prop_assert_eq!(meant.len(), 1);
        }
    }
}
