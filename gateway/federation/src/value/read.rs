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
    if let Err(error) = std::str::from_utf8(&text) {
        return Err(ReadError { position: error.valid_up_to(), reason: "not UTF-8" });
    }
    let buffer = Arc::new(text);
    let mut reader = Reader { bytes: &buffer, buffer: &buffer, at: 0, depth_left: depth_max };
    reader.skip_space();
    let value = reader.value()?;
    reader.skip_space();
    match reader.at == reader.bytes.len() {
        true => Ok(value),
        false => Err(reader.error("more than one value")),
    }
}

/// Up to this many members an object is searched for repeated names.
const REPEAT_CHECK_MEMBERS_MAX: usize = 256;

struct Reader<'a> {
    bytes: &'a [u8],
    buffer: &'a Arc<Bytes>,
    at: usize,
    depth_left: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Value, ReadError> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::list),
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

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, ReadError>) -> Result<Value, ReadError> {
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

    fn object(&mut self) -> Result<Value, ReadError> {
        let mut object = Object::default();
        if self.accept(b'}') {
            return Ok(Value::object(object));
        }
        loop {
            let key = self.key()?;
            self.skip_space();
            self.expect(b':', "expected a colon")?;
            self.skip_space();
            let value = self.value()?;
            // The last of equal names wins, as in every common reader. The scan is quadratic, so a huge object
            // (only a custom scalar can be one) keeps its repeats, which JSON allows.
            match object.len() < REPEAT_CHECK_MEMBERS_MAX {
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

    fn list(&mut self) -> Result<Value, ReadError> {
        let mut items = Vec::new();
        if self.accept(b']') {
            return Ok(Value::list(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_space();
            if self.accept(b']') {
                return Ok(Value::list(items));
            }
            self.expect(b',', "expected a comma or the end of a list")?;
            self.skip_space();
        }
    }

    fn key(&mut self) -> Result<Key, ReadError> {
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a name"));
        }
        let start = self.at;
        let escaped = self.string()?;
        if !escaped {
            return Ok(Key::Span(Span::new(self.buffer, start + 1, self.at - 1)));
        }
        // Names are compared as bytes, so an escaped one is brought to the one form our writer would give.
        let text: String = serde_json::from_slice(&self.bytes[start..self.at])
            .map_err(|_| ReadError { position: start, reason: "invalid escape" })?;
        let mut quoted = Vec::new();
        super::write_text(&mut quoted, &text);
        let inner = String::from_utf8_lossy(&quoted[1..quoted.len() - 1]);
        Ok(Key::Shared(inner.as_ref().into()))
    }

    /// Passes one string and says whether it holds an escape.
    fn string(&mut self) -> Result<bool, ReadError> {
        self.at += 1;
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(0..=0x1f) => return Err(self.error("control character in a string")),
                Some(_) => self.at += 1,
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
        }
        Ok(())
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
