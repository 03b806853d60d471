//! A name that is looked for in one object after another.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Key, Object, Value};

/// Objects at one place of an answer are most often alike, so it is looked for first where it was found last.
#[derive(Debug)]
pub(crate) struct Sought {
    key: Key,
    near: AtomicUsize,
}

impl Sought {
    pub fn key(&self) -> &Key {
        &self.key
    }

    pub fn find<'o>(&self, object: &'o Object) -> Option<&'o Value> {
        object.at(self.position(object)?).map(|(_, value)| value)
    }

    pub fn position(&self, object: &Object) -> Option<usize> {
        let near = self.near.load(Ordering::Relaxed);
        if object.at(near).is_some_and(|(key, _)| *key == self.key) {
            return Some(near);
        }
        let position = object.position(&self.key)?;
        self.near.store(position, Ordering::Relaxed);
        Some(position)
    }
}

impl From<&str> for Sought {
    fn from(name: &str) -> Self {
        Sought { key: name.into(), near: AtomicUsize::new(0) }
    }
}
