//! Reads JSON into values whose strings and numbers stay where they are.

use std::sync::Arc;

use bytes::Bytes;

use super::{Key, Object, Span, Value};

/// Why a text is not the JSON we accept; the position is in bytes.
#[derive(Debug, thiserror::Error)]
#[error("invalid JSON at byte {position}: {reason}")]
pub struct ReadError {
    pub position: usize,
    pub reason: &'static str,
}

/// Reads one JSON value. Nesting is counted, so a hostile answer cannot exhaust the stack.
pub fn read_json(text: Bytes, depth_max: usize) -> Result<Value, ReadError> {
    if text.len() >= u32::MAX as usize {
        return Err(ReadError { position: 0, reason: "too long" });
    }
    let text = String::from_utf8(text.into())
        .map_err(|error| ReadError { position: error.utf8_error().valid_up_to(), reason: "not UTF-8" })?;
    let buffer = Arc::new(text);
    let bytes = buffer.as_bytes();
    let mut reader = Reader { bytes, buffer: &buffer, at: 0, depth_left: depth_max, values_left: VALUES_MAX };
    reader.skip_space();
    let value = reader.value(None)?;
    reader.skip_space();
    match reader.at == reader.bytes.len() {
        true => Ok(value),
        false => Err(reader.error("more than one value")),
    }
}

/// Up to this many members an object is searched for repeated names.
const REPEAT_CHECK_MEMBERS_MAX: usize = 256;

/// Room made in each object: entities grow when they are merged.
const MEMBERS_MIN: usize = 4;

/// Values of one text. An object of one member takes some forty times the memory of its text.
const VALUES_MAX: usize = 2_000_000;

/// A number of fewer characters and without an exponent is finite as a 64-bit float.
const DIGITS_ALWAYS_FINITE: usize = 300;

struct Reader<'a> {
    bytes: &'a [u8],
    buffer: &'a Arc<String>,
    at: usize,
    depth_left: usize,
    values_left: usize,
}

impl Reader<'_> {
    /// `like` is what stood at the same place of the item before: items of a list have the same members, most
    /// often in the same order, and comparing a name with one that is known is quicker than reading it.
    fn value(&mut self, like: Option<&Value>) -> Result<Value, ReadError> {
        self.values_left = self.values_left.checked_sub(1).ok_or(self.error("too many values"))?;
        match self.peek() {
            Some(b'{') => self.nested(|reader| reader.object(like.and_then(Value::as_object))),
            Some(b'[') => self.nested(|reader| reader.list(like.and_then(Value::as_list))),
            Some(b'"') => {
                let start = self.at;
                self.string()?;
                Ok(Value::Raw(Span::new(self.buffer, start, self.at)))
            }
            Some(b'-' | b'0'..=b'9') => {
                let start = self.at;
                self.number()?;
                Ok(Value::Raw(Span::new(self.buffer, start, self.at)))
            }
            Some(b't') => self.word(b"true", Value::Bool(true)),
            Some(b'f') => self.word(b"false", Value::Bool(false)),
            Some(b'n') => self.word(b"null", Value::Null),
            Some(_) => Err(self.error("unexpected character")),
            None => Err(self.error("unexpected end")),
        }
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Value, ReadError>,
    ) -> Result<Value, ReadError> {
        if self.depth_left == 0 {
            return Err(self.error("nested too deeply"));
        }
        self.depth_left -= 1;
        self.at += 1;
        self.skip_space();
        let value = read(self)?;
        self.depth_left += 1;
        Ok(value)
    }

    fn object(&mut self, like: Option<&Object>) -> Result<Value, ReadError> {
        if self.accept(b'}') {
            return Ok(Value::object(Object::default()));
        }
        let mut object = Object::with_capacity(like.map_or(0, Object::len).max(MEMBERS_MIN));
        // As long as names are those of the item before, in its order, none is there twice.
        let mut alike = like;
        loop {
            let known = alike.and_then(|like| like.at(object.len())).filter(|(key, _)| self.accept_key(key));
            alike = alike.filter(|_| known.is_some());
            let key = match known {
                Some((key, _)) => key.clone(),
                None => self.key()?,
            };
            self.skip_space();
            self.expect(b':', "expected a colon")?;
            self.skip_space();
            let value = self.value(known.map(|(_, value)| value))?;
            // The last of equal names wins, as in every common reader. The scan is quadratic, so a huge object
            // (only a custom scalar can be one) keeps its repeats, which JSON allows.
            match alike.is_none() && object.len() < REPEAT_CHECK_MEMBERS_MAX {
                true => object.insert(key, value),
                false => object.push(key, value),
            }
            self.skip_space();
            if self.accept(b'}') {
                return Ok(Value::object(object));
            }
            self.expect(b',', "expected a comma or the end of an object")?;
            self.skip_space();
        }
    }

    fn list(&mut self, like: Option<&[Value]>) -> Result<Value, ReadError> {
        let mut items = Vec::new();
        if self.accept(b']') {
            return Ok(Value::list(items));
        }
        let like = like.and_then(<[Value]>::last);
        loop {
            let item = self.value(items.last().or(like))?;
            items.push(item);
            self.skip_space();
            if self.accept(b']') {
                return Ok(Value::list(items));
            }
            self.expect(b',', "expected a comma or the end of a list")?;
            self.skip_space();
        }
    }

    /// Passes a name when it is this one.
    fn accept_key(&mut self, key: &Key) -> bool {
        let name = key.as_str().as_bytes();
        let rest = self.bytes[self.at..].strip_prefix(b"\"");
        let there = rest.and_then(|rest| rest.strip_prefix(name)).is_some_and(|rest| rest.starts_with(b"\""));
        self.at += if there { name.len() + 2 } else { 0 };
        there
    }

    fn key(&mut self) -> Result<Key, ReadError> {
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a name"));
        }
        let start = self.at;
        let escaped = self.string()?;
        if !escaped {
            return Ok(Key::from(&self.buffer[start + 1..self.at - 1]));
        }
        // Names are compared as bytes, so an escaped one is brought to the one form our writer would give.
        let text: String = serde_json::from_slice(&self.bytes[start..self.at])
            .map_err(|_| ReadError { position: start, reason: "invalid escape" })?;
        let mut quoted = Vec::new();
        super::write_text(&mut quoted, &text);
        let inner = String::from_utf8_lossy(&quoted[1..quoted.len() - 1]);
        Ok(Key::from(inner.as_ref()))
    }

    /// Passes one string and says whether it holds an escape.
    fn string(&mut self) -> Result<bool, ReadError> {
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at += plain_bytes(&self.bytes[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.error("control character in a string")),
                None => return Err(self.error("unexpected end of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), ReadError> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let unit = self.code_unit(self.at)?;
                self.at += 6;
                match unit {
                    // A lone half of a pair is no character; passing it on would break strict clients.
                    0xd800..=0xdbff => match self.code_unit(self.at) {
                        Ok(0xdc00..=0xdfff) => self.at += 6,
                        _ => return Err(self.error("lone surrogate")),
                    },
                    0xdc00..=0xdfff => return Err(self.error("lone surrogate")),
                    _ => {}
                }
            }
            _ => return Err(self.error("invalid escape")),
        }
        Ok(())
    }

    fn code_unit(&self, at: usize) -> Result<u32, ReadError> {
        let text = self.bytes.get(at..at + 6).filter(|text| text.starts_with(b"\\u"));
        let digits = text.filter(|text| text[2..].iter().all(u8::is_ascii_hexdigit));
        digits
            .and_then(|text| std::str::from_utf8(&text[2..]).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or(self.error("invalid escape"))
    }

    fn number(&mut self) -> Result<(), ReadError> {
        let start = self.at;
        self.accept(b'-');
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(self.error("invalid number")),
        }
        if self.accept(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        } else if self.at - start < DIGITS_ALWAYS_FINITE {
            return Ok(());
        }
        // Most readers take such a number for infinite or refuse the whole answer for it.
        let text = std::str::from_utf8(&self.bytes[start..self.at]).unwrap_or_default();
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(()),
            _ => Err(self.error("number out of range")),
        }
    }

    fn digits(&mut self) -> Result<(), ReadError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.error("invalid number")) } else { Ok(()) }
    }

    fn word(&mut self, word: &'static [u8], value: Value) -> Result<Value, ReadError> {
        if self.bytes[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(value);
        }
        Err(self.error("unexpected character"))
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), ReadError> {
        if self.accept(byte) { Ok(()) } else { Err(self.error(reason)) }
    }

    fn error(&self, reason: &'static str) -> ReadError {
        ReadError { position: self.at, reason }
    }
}

/// How many bytes of a string come before one that means something.
fn plain_bytes(bytes: &[u8]) -> usize {
    let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
    // Without an early end the compiler looks at all bytes of a chunk at once.
    let (chunks, _) = bytes.as_chunks::<16>();
    let whole =
        chunks.iter().take_while(|chunk| chunk.iter().fold(true, |all, byte| all & plain(byte))).count() * 16;
    whole + bytes[whole..].iter().take_while(|byte| plain(byte)).count()
}
