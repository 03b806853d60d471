//! Chance that can be repeated: everything random comes from one seed.

/// SplitMix64: small, and its numbers are the same on every machine and in every version.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Some of these, at least `low` (or all, if there are fewer), in their order.
    pub fn some<T: Clone>(&mut self, of: &[T], low: usize) -> Vec<T> {
        let count = self.between(low.min(of.len()), of.len());
        let mut left = count;
        let mut some = Vec::with_capacity(count);
        for (index, item) in of.iter().enumerate() {
            if self.below(of.len() - index) < left {
                left -= 1;
                some.push(item.clone());
            }
        }
        some
    }

    /// Another seed, for a part of the world that must not change when the rest does.
    pub fn split(&mut self) -> Dice {
        Dice(self.next())
    }
}
