//! Bytes read as decisions: nearby inputs decide nearly the same, and an empty rest decides for the ordinary.

pub struct Choices {
    bytes: Vec<u8>,
    at: usize,
}

impl Choices {
    pub fn new(bytes: &[u8]) -> Self {
        Choices { bytes: bytes.to_vec(), at: 0 }
    }

    pub fn byte(&mut self) -> u8 {
        let byte = self.bytes.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        byte
    }

    /// A number below `end`, which is at most 256; nought when there is nothing left to decide with.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len().min(256))]
    }

    pub fn word<'a>(&mut self, of: &[&'a str]) -> &'a str {
        self.one::<&str>(of)
    }
}
