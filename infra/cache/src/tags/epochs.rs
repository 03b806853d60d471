//! The epochs of tags that this process has heard of.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::key::Tag;

/// Tags remembered one by one, about 50 bytes each; beyond, all are forgotten and everything is dropped.
const TAGS_MAX: usize = 100_000;

#[derive(Default)]
pub struct Epochs {
    tags: RwLock<HashMap<Tag, u64>>,
    /// The youngest epoch of all: what was born in it holds, whatever its tags.
    high: AtomicU64,
    /// Nothing born before this holds.
    floor: AtomicU64,
}

impl Epochs {
    pub fn high(&self) -> u64 {
        self.high.load(Ordering::Acquire)
    }

    /// An epoch younger than all heard of, and not behind the clock.
    pub fn next(&self, now_us: u64) -> u64 {
        now_us.max(self.high() + 1)
    }

    /// These tags are at least this young.
    pub fn observe(&self, tags: &[Tag], epoch: u64) {
        let mut known = self.tags.write().unwrap_or_else(PoisonError::into_inner);
        for tag in tags {
            if *tag == Tag::ALL {
                self.floor.fetch_max(epoch, Ordering::AcqRel);
            } else {
                let old = known.entry(*tag).or_insert(0);
                *old = epoch.max(*old);
            }
        }
        // Within the lock: who sees the new height sees the tags.
        let high = self.high.fetch_max(epoch, Ordering::AcqRel).max(epoch);
        if known.len() > TAGS_MAX {
            known.clear();
            self.floor.fetch_max(high, Ordering::AcqRel);
        }
    }

    /// Whether what bears these tags and was born then holds.
    pub fn hold(&self, tags: &[Tag], born: u64) -> bool {
        if born >= self.high() {
            return true;
        }
        if born < self.floor.load(Ordering::Acquire) {
            return false;
        }
        let known = self.tags.read().unwrap_or_else(PoisonError::into_inner);
        // Again: the tags may have been forgotten in between.
        born >= self.floor.load(Ordering::Acquire)
            && tags.iter().all(|tag| known.get(tag).is_none_or(|epoch| *epoch <= born))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(number: u8) -> Tag {
        Tag::new("number", &number.to_string())
    }

    #[derive(Clone, Debug)]
    enum Step {
        Make(Vec<u8>),
        Invalidate(u8),
        InvalidateAll,
        /// A message that comes late or twice.
        HearAgain,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => proptest::collection::vec(0u8..5, 0..4).prop_map(Step::Make),
            4 => (0u8..5).prop_map(Step::Invalidate),
            1 => Just(Step::InvalidateAll),
            1 => Just(Step::HearAgain),
        ]
    }

    proptest! {
        /// Against a list of everything that happened, in order.
        #[test]
        fn an_entry_holds_until_the_first_later_invalidation_of_one_of_its_tags(
            steps in proptest::collection::vec(step(), 1..60),
            now_us in 0u64..100,
        ) {
            let epochs = Epochs::default();
            let mut entries: Vec<(Vec<Tag>, u64, bool)> = Vec::new();
            let mut said = Vec::new();
            for step in steps {
                match step {
                    Step::Make(tags) => {
                        entries.push((tags.into_iter().map(tag).collect(), epochs.high(), true));
                    }
                    Step::Invalidate(number) => {
                        let (tag, epoch) = (tag(number), epochs.next(now_us));
                        epochs.observe(&[tag], epoch);
                        said.push((tag, epoch));
                        for entry in entries.iter_mut().filter(|entry| entry.0.contains(&tag)) {
                            entry.2 = false;
                        }
                    }
                    Step::InvalidateAll => {
                        epochs.observe(&[Tag::ALL], epochs.next(now_us));
                        entries.iter_mut().for_each(|entry| entry.2 = false);
                    }
                    Step::HearAgain => said.iter().for_each(|(tag, epoch)| epochs.observe(&[*tag], *epoch)),
                }
                for (tags, born, holds) in &entries {
                    prop_assert_eq!(epochs.hold(tags, *born), *holds);
                }
            }
        }
    }

    #[test]
    fn what_is_too_much_to_remember_drops_everything() {
        let epochs = Epochs::default();
        let born = epochs.high();
        for number in 0..=TAGS_MAX {
            epochs.observe(&[Tag::new("n", &number.to_string())], epochs.next(0));
        }
        assert!(epochs.tags.read().unwrap().len() <= TAGS_MAX);
        assert!(!epochs.hold(&[tag(1)], born), "nobody knows any more");
        assert!(epochs.hold(&[tag(1)], epochs.high()));
    }
}
