//! The tree an answer is made of: strings and numbers stay as they were in the text they arrived in.

mod convert;
mod read;
mod sought;
mod write;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use smol_str::SmolStr;

pub use convert::from_json;
pub(crate) use convert::{from_resolver, to_resolver};
pub use read::{ReadError, read_json};
pub(crate) use sought::Sought;
pub(crate) use write::write_text;
pub use write::{to_json_bytes, write_json};

/// One value. Cloning is cheap everywhere: containers are shared and copied one level at a time when merged
/// into, so one entity can stand in many places.
#[derive(Clone, Debug, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Number(serde_json::Number),
    /// Text made in this process, not yet escaped.
    Text(Arc<str>),
    /// A string or a number exactly as it stood in JSON, quotes and escapes included.
    Raw(Span),
    List(Arc<Vec<Value>>),
    Object(Arc<Object>),
}

/// One string or number of a valid JSON text.
#[derive(Clone, Debug)]
pub struct Span(Piece);

/// Most are short, and copying one is cheaper than counting who refers to its buffer.
#[derive(Clone, Debug)]
enum Piece {
    Short(SmolStr),
    Long { buffer: Arc<String>, start: u32, end: u32 },
}

/// The name of a member. It is kept as JSON text without its quotes; a GraphQL name never needs escapes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(SmolStr);

/// Members in the order they arrived. Answers have few members, so a scan beats a hash table.
#[derive(Clone, Debug, Default)]
pub struct Object {
    members: Vec<(Key, Value)>,
}

/// Up to this many members are merged by scanning.
const SCAN_MEMBERS_MAX: usize = 256;

/// The member that tells an object's type.
static TYPENAME: Key = Key(SmolStr::new_inline("__typename"));

/// The longest piece that is copied: what fits a `SmolStr` without a buffer of its own.
const SHORT_BYTES_MAX: usize = 23;

impl Span {
    /// Only the reader makes spans, so that each is known to be one valid JSON token.
    fn new(buffer: &Arc<String>, start: usize, end: usize) -> Self {
        Span(match end - start <= SHORT_BYTES_MAX {
            true => Piece::Short(SmolStr::new(&buffer[start..end])),
            // The reader refuses buffers of 4 GiB and more.
            false => Piece::Long { buffer: buffer.clone(), start: start as u32, end: end as u32 },
        })
    }

    pub fn as_str(&self) -> &str {
        match &self.0 {
            Piece::Short(text) => text,
            Piece::Long { buffer, start, end } => &buffer[*start as usize..*end as usize],
        }
    }

    fn is_text(&self) -> bool {
        self.as_str().starts_with('"')
    }
}

impl Key {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(name: &str) -> Self {
        Key(name.into())
    }
}

impl Object {
    pub fn with_capacity(members: usize) -> Self {
        Object { members: Vec::with_capacity(members) }
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.members.iter_mut().find(|(key, _)| key.as_str() == name).map(|(_, value)| value)
    }

    pub fn position(&self, key: &Key) -> Option<usize> {
        self.members.iter().position(|(known, _)| known == key)
    }

    pub fn at(&self, position: usize) -> Option<(&Key, &Value)> {
        self.members.get(position).map(|(key, value)| (key, value))
    }

    pub fn at_mut(&mut self, position: usize) -> Option<&mut Value> {
        self.members.get_mut(position).map(|(_, value)| value)
    }

    /// Adds a member without looking whether it is there: for makers that know.
    pub fn push(&mut self, key: Key, value: Value) {
        self.members.push((key, value));
    }

    pub fn insert(&mut self, key: Key, value: Value) {
        match self.members.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => self.members.push((key, value)),
        }
    }

    pub fn remove(&mut self, name: &str) -> Option<Value> {
        // Not swap_remove: positions before this one must stay, and order is what readers expect.
        let position = self.members.iter().position(|(key, _)| key.as_str() == name)?;
        Some(self.members.remove(position).1)
    }

    /// Keeps the members whose names are wanted.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&[u8]) -> bool) {
        self.members.retain(|(key, _)| wanted(key.as_str().as_bytes()));
    }

    fn merge(&mut self, theirs: &Object) {
        if theirs.len() > SCAN_MEMBERS_MAX {
            return self.merge_many(theirs);
        }
        self.members.reserve(theirs.len());
        for (key, value) in theirs.iter() {
            match self.members.iter_mut().find(|(known, _)| known == key) {
                Some((_, known)) => known.merge(value),
                None => self.members.push((key.clone(), value.clone())),
            }
        }
    }

    /// Hardly a selection is as large, so this is a subgraph's nonsense; a scan for each member would take hours.
    fn merge_many(&mut self, theirs: &Object) {
        let positions = self.members.iter().enumerate();
        let mut known: HashMap<Key, usize> =
            positions.rev().map(|(position, (key, _))| (key.clone(), position)).collect();
        for (key, value) in theirs.iter() {
            match known.entry(key.clone()) {
                Entry::Occupied(position) => self.members[*position.get()].1.merge(value),
                Entry::Vacant(position) => {
                    position.insert(self.members.len());
                    self.members.push((key.clone(), value.clone()));
                }
            }
        }
    }

    /// Whether its first members are all of the other's. Lists and objects must be one, not only alike: looking
    /// into them could take long.
    pub(crate) fn begins_as(&self, other: &Object) -> bool {
        let alike = |((mine, value), (theirs, other)): (&(Key, Value), &(Key, Value))| {
            mine == theirs && value.is_same(other)
        };
        self.len() >= other.len() && self.members.iter().zip(&other.members).all(alike)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.members.iter().map(|(key, value)| (key, value))
    }

    pub fn typename(&self) -> Option<&str> {
        self.at(self.position(&TYPENAME)?).and_then(|(_, value)| value.as_plain_str())
    }
}

impl Value {
    pub fn text(text: &str) -> Self {
        Value::Text(text.into())
    }

    pub fn list(items: Vec<Value>) -> Self {
        Value::List(Arc::new(items))
    }

    pub fn object(object: Object) -> Self {
        Value::Object(Arc::new(object))
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The object to write into; made this value's own first if it is shared.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Value::Object(object) => Some(Arc::make_mut(object)),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn is_string(&self) -> bool {
        match self {
            Value::Text(_) => true,
            Value::Raw(span) => span.is_text(),
            _ => false,
        }
    }

    pub fn is_number(&self) -> bool {
        match self {
            Value::Number(_) => true,
            Value::Raw(span) => !span.is_text(),
            _ => false,
        }
    }

    /// The text of a string that holds no escapes: type names, enum values and the like never do.
    pub fn as_plain_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Raw(span) if span.is_text() => {
                let text = span.as_str();
                let inner = &text[1..text.len() - 1];
                if inner.bytes().any(|byte| byte == b'\\') { None } else { Some(inner) }
            }
            _ => None,
        }
    }

    /// A number that fits an `Int`, however it is written: JSON has no integers of its own.
    pub fn as_i32(&self) -> Option<i32> {
        let exact = |float: f64| (float.fract() == 0.0 && float.abs() < 4e9).then_some(float as i64);
        let whole = match self {
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(exact)),
            Value::Raw(span) => {
                let text = span.as_str();
                text.parse().ok().or_else(|| text.parse().ok().and_then(exact))
            }
            _ => None,
        };
        whole.and_then(|whole| i32::try_from(whole).ok())
    }

    /// Whether it is a number written without fraction or exponent, of any length.
    pub fn is_whole(&self) -> bool {
        match self {
            Value::Number(number) => number.is_i64() || number.is_u64(),
            Value::Raw(span) => span.as_str().bytes().all(|byte| matches!(byte, b'-' | b'0'..=b'9')),
            _ => false,
        }
    }

    fn is_same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(mine), Value::Bool(theirs)) => mine == theirs,
            (Value::Number(mine), Value::Number(theirs)) => mine == theirs,
            (Value::Text(mine), Value::Text(theirs)) => mine == theirs,
            (Value::Raw(mine), Value::Raw(theirs)) => mine.as_str() == theirs.as_str(),
            (Value::List(mine), Value::List(theirs)) => Arc::ptr_eq(mine, theirs),
            (Value::Object(mine), Value::Object(theirs)) => Arc::ptr_eq(mine, theirs),
            _ => false,
        }
    }

    /// Lays another answer over this one. Objects and lists of equal length merge member by member; a null
    /// never covers a value, because one subgraph failing must not undo what another gave.
    pub fn merge(&mut self, other: &Value) {
        match (self, other) {
            (_, Value::Null) => {}
            (Value::Object(mine), Value::Object(theirs)) if Arc::ptr_eq(mine, theirs) => {}
            (Value::Object(mine), Value::Object(theirs)) => Arc::make_mut(mine).merge(theirs),
            (Value::List(mine), Value::List(theirs)) if mine.len() == theirs.len() => {
                let mine = Arc::make_mut(mine);
                for (known, value) in mine.iter_mut().zip(theirs.iter()) {
                    known.merge(value);
                }
            }
            // What stands keeps standing when shapes differ: another subgraph's nonsense must not break it.
            (
                mine @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Raw(_)),
                theirs,
            ) => {
                *mine = theirs.clone();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
