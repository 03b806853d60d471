//! One kept value, and what it is good for at a given moment.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::key::Tag;
use crate::value::Value;

/// How entries are written in Redis; others are not read.
const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 1 + 6 * 8 + 2;
/// Tags of one entry. More would cost more to check than the entry saves.
pub const TAGS_MAX: usize = 256;
/// How far lifetimes are spread to both sides, so that what was made together does not end together.
const JITTER: f64 = 0.1;

/// How long a value is good, said by whoever made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Served as it is.
    pub ttl: Duration,
    /// After that, served while a newer one is made.
    pub stale_while_revalidate: Duration,
    /// After `ttl`, served when a newer one cannot be made.
    pub stale_if_error: Duration,
    /// What drops it before its time. At most 256; a value with more is not kept.
    pub tags: Vec<Tag>,
}

/// A kept value.
#[derive(Clone, Debug)]
pub struct Entry<V> {
    pub value: V,
    pub made_at_us: i64,
    pub ttl_us: i64,
    pub stale_us: i64,
    pub error_us: i64,
    /// How long it took to make.
    pub cost_us: i64,
    /// The epoch in which its making began: younger epochs of its tags end it.
    pub born: u64,
    pub tags: Arc<[Tag]>,
}

/// What an entry is good for, by its age alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    Fresh,
    /// To be served, and made anew meanwhile.
    Stale,
    /// To be served when making it anew fails.
    Spare,
    Nothing,
}

impl<V: Value> Entry<V> {
    pub fn new(value: V, policy: &Policy, made_at_us: i64, cost_us: i64, born: u64) -> Self {
        let spread = 1.0 - JITTER + 2.0 * JITTER * rand::random::<f64>();
        Self {
            value,
            made_at_us,
            ttl_us: (micros(policy.ttl) as f64 * spread) as i64,
            stale_us: micros(policy.stale_while_revalidate),
            error_us: micros(policy.stale_if_error),
            cost_us,
            born,
            tags: policy.tags.as_slice().into(),
        }
    }

    /// Clocks of two machines differ: nothing is younger than just made.
    pub fn age_us(&self, now_us: i64) -> i64 {
        now_us.saturating_sub(self.made_at_us).max(0)
    }

    pub fn worth(&self, now_us: i64) -> Worth {
        let over_us = self.age_us(now_us) - self.ttl_us;
        if over_us < 0 {
            Worth::Fresh
        } else if over_us < self.stale_us {
            Worth::Stale
        } else if over_us < self.error_us {
            Worth::Spare
        } else {
            Worth::Nothing
        }
    }

    /// How long it is good for anything.
    pub fn left(&self, now_us: i64) -> Duration {
        let life_us = self.ttl_us.saturating_add(self.stale_us.max(self.error_us));
        Duration::from_micros(u64::try_from(life_us - self.age_us(now_us)).unwrap_or(0))
    }

    /// Whether this reader is the one who makes it anew before it ends: the likelier, the nearer the end
    /// and the longer it takes (XFetch: Vattani, Chierichetti and Lowenstein, VLDB 2015).
    pub fn is_due_early(&self, now_us: i64) -> bool {
        let left_us = self.ttl_us - self.age_us(now_us);
        // Cheap for the many reads far from the end: the logarithm never came near 40 in 10^17 draws.
        if left_us > self.cost_us.saturating_mul(40) {
            return false;
        }
        let draw = rand::random::<f64>().max(f64::MIN_POSITIVE);
        self.cost_us as f64 * -draw.ln() >= left_us as f64
    }

    pub fn weight_bytes(&self) -> usize {
        self.value.weight_bytes() + size_of::<Self>() + self.tags.len() * size_of::<Tag>()
    }

    pub fn encode(&self) -> Bytes {
        let value = self.value.encode();
        let mut out = BytesMut::with_capacity(HEAD_BYTES + self.tags.len() * 16 + value.len());
        out.put_u8(FORMAT);
        for number in [self.made_at_us, self.ttl_us, self.stale_us, self.error_us, self.cost_us] {
            out.put_i64(number);
        }
        out.put_u64(self.born);
        out.put_u16(u16::try_from(self.tags.len()).expect("bounded by TAGS_MAX"));
        for tag in self.tags.iter() {
            out.put_slice(&tag.0);
        }
        out.put_slice(&value);
        out.freeze()
    }

    /// `None` is what this version of the program does not read.
    pub fn decode(mut bytes: Bytes) -> Option<Self> {
        if bytes.len() < HEAD_BYTES || bytes.get_u8() != FORMAT {
            return None;
        }
        let [made_at_us, ttl_us, stale_us, error_us, cost_us] = std::array::from_fn(|_| bytes.get_i64());
        let born = bytes.get_u64();
        let count = usize::from(bytes.get_u16());
        if [ttl_us, stale_us, error_us, cost_us].iter().any(|number| *number < 0) || bytes.len() < count * 16
        {
            return None;
        }
        let tags = bytes.split_to(count * 16);
        let tags =
            tags.chunks_exact(16).filter_map(|tag| tag.first_chunk::<16>()).map(|tag| Tag(*tag)).collect();
        let value = V::decode(bytes)?;
        Some(Self { value, made_at_us, ttl_us, stale_us, error_us, cost_us, born, tags })
    }
}

pub fn micros(span: Duration) -> i64 {
    // A century, so that sums do not overflow.
    const MAX_US: i64 = 100 * 365 * 86_400 * 1_000_000;
    i64::try_from(span.as_micros()).unwrap_or(MAX_US).min(MAX_US)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND_US: i64 = 1_000_000;

    fn entry(cost_us: i64) -> Entry<Bytes> {
        let policy = Policy {
            ttl: Duration::from_secs(10),
            stale_while_revalidate: Duration::from_secs(20),
            stale_if_error: Duration::from_secs(60),
            tags: vec![Tag::new("offering", "1"), Tag::ALL],
        };
        Entry { ttl_us: 10 * SECOND_US, ..Entry::new(Bytes::from_static(b"v"), &policy, 0, cost_us, 7) }
    }

    #[test]
    fn an_entry_passes_through_its_windows_in_order() {
        let entry = entry(0);
        let at = |seconds: i64| entry.worth(seconds * SECOND_US);
        assert_eq!([at(-5), at(0), at(9)], [Worth::Fresh; 3]);
        assert_eq!([at(10), at(29)], [Worth::Stale; 2]);
        assert_eq!([at(30), at(69)], [Worth::Spare; 2]);
        assert_eq!(at(70), Worth::Nothing);
        assert_eq!(entry.left(30 * SECOND_US), Duration::from_secs(40));
    }

    #[test]
    fn what_is_dear_is_made_anew_early_and_what_is_cheap_is_not() {
        let times = |cost_us, at_us| (0..1000).filter(|_| entry(cost_us).is_due_early(at_us)).count();
        assert_eq!(times(100, 9 * SECOND_US), 0);
        assert!(times(SECOND_US, 9 * SECOND_US) > 200, "one in e, nearly");
        assert!(times(SECOND_US, 5 * SECOND_US) < 50);
    }

    #[test]
    fn lifetimes_are_spread() {
        let policy = Policy { ttl: Duration::from_secs(100), ..Policy::default() };
        let lives: Vec<i64> = (0..200).map(|_| Entry::new(Bytes::new(), &policy, 0, 0, 0).ttl_us).collect();
        let (least, most) = (lives.iter().min().unwrap(), lives.iter().max().unwrap());
        assert!(*least >= 90 * SECOND_US && *most <= 110 * SECOND_US && most - least > 10 * SECOND_US);
    }

    proptest! {
        #[test]
        fn an_entry_comes_back_as_it_was(made in 0i64..1 << 50, ttl in 0i64..1 << 50, born: u64, value: Vec<u8>) {
            let before = Entry { value: Bytes::from(value), made_at_us: made, ttl_us: ttl, born, ..entry(3) };
            let after = Entry::<Bytes>::decode(before.encode()).unwrap();
            prop_assert_eq!(format!("{before:?}"), format!("{after:?}"));
        }

        #[test]
        fn any_bytes_are_an_entry_that_can_be_judged_or_none(bytes in proptest::collection::vec(any::<u8>(), 1..200)) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() {
                *first = FORMAT;
            }
            bytes.resize(bytes.len().max(HEAD_BYTES), 0x7f);
            if let Some(entry) = Entry::<Bytes>::decode(Bytes::from(bytes)) {
                for now_us in [0, 1 << 50] {
                    _ = (entry.worth(now_us), entry.left(now_us), entry.is_due_early(now_us));
                }
            }
        }
    }
}
