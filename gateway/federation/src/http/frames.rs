//! Cuts a stream of bytes into events: server-sent events, or the parts of a multipart answer.

use bytes::Bytes;

pub(super) struct Frames {
    kind: Kind,
    waiting: Vec<u8>,
    /// How much of it was given away as events.
    given: usize,
    /// How far it was searched in vain: a long event arrives in thousands of pieces.
    searched: usize,
}

enum Kind {
    Sse,
    Multipart(Nesting),
}

pub(super) enum Frame {
    /// The JSON text of one event.
    Event(Bytes),
    Complete,
}

impl Frames {
    pub fn sse() -> Self {
        Frames { kind: Kind::Sse, waiting: Vec::new(), given: 0, searched: 0 }
    }

    pub fn multipart() -> Self {
        let kind = Kind::Multipart(Nesting::default());
        Frames { kind, waiting: Vec::new(), given: 0, searched: 0 }
    }

    pub fn push(&mut self, chunk: &[u8]) {
        // Once for each chunk, not for each of the thousands of events it may hold.
        self.waiting.drain(..self.given);
        self.searched -= self.given;
        self.given = 0;
        self.waiting.extend_from_slice(chunk);
    }

    pub fn waiting_bytes(&self) -> usize {
        self.waiting.len() - self.given
    }

    /// Whether the stream, if it ends here, ends within an event.
    pub fn cut_off(&mut self) -> bool {
        if let Kind::Multipart(nesting) = &self.kind {
            return nesting.depth > 0;
        }
        self.push(b"\n\n");
        matches!(self.next(), Some(Frame::Event(_)))
    }

    pub fn next(&mut self) -> Option<Frame> {
        match self.kind {
            Kind::Sse => self.next_sse(),
            Kind::Multipart(_) => self.next_part(),
        }
    }

    fn next_sse(&mut self) -> Option<Frame> {
        loop {
            let Some(end) = block_end(&self.waiting, self.searched) else {
                // The longest mark of an end may have come but for its last byte.
                self.searched = self.waiting.len().saturating_sub(3).max(self.given);
                return None;
            };
            let block = String::from_utf8_lossy(&self.waiting[self.given..end]);
            let field = |name: &str, line: &str| {
                let value = line.strip_prefix(name)?.strip_prefix(':')?;
                Some(value.strip_prefix(' ').unwrap_or(value).to_owned())
            };
            let kind = block.lines().find_map(|line| field("event", line));
            let data: Vec<_> = block.lines().filter_map(|line| field("data", line)).collect();
            self.given = end;
            self.searched = end;
            match kind.as_deref() {
                Some("complete") => return Some(Frame::Complete),
                // A comment keeps the connection alive and says nothing.
                _ if data.is_empty() => {}
                _ => return Some(Frame::Event(Bytes::from(data.join("\n")))),
            }
        }
    }

    /// Servers send a part's closing boundary only with the next part, so a part is taken to end where its
    /// JSON does.
    fn next_part(&mut self) -> Option<Frame> {
        let Kind::Multipart(nesting) = &mut self.kind else { return None };
        let unread = &self.waiting[self.searched..];
        let Some(end) = unread.iter().position(|byte| nesting.closes(*byte)) else {
            self.searched = self.waiting.len();
            // Headers and boundaries are of no use.
            if nesting.depth == 0 {
                self.given = self.searched;
            }
            return None;
        };
        let part = &self.waiting[self.given..=self.searched + end];
        let start = part.iter().position(|byte| *byte == b'{')?;
        let event = Bytes::copy_from_slice(&part[start..]);
        self.searched += end + 1;
        self.given = self.searched;
        Some(Frame::Event(event))
    }
}

/// The end of the first block that a blank line closes, searched from a place on.
fn block_end(bytes: &[u8], from: usize) -> Option<usize> {
    let ends = bytes.iter().enumerate().skip(from).filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let closed = |end: usize| match &bytes[end..] {
        [b'\n', ..] => Some(end + 1),
        [b'\r', b'\n', ..] => Some(end + 2),
        _ => None,
    };
    ends.into_iter().find_map(closed)
}

/// How deep in JSON objects a reader is that sees one byte at a time.
#[derive(Default)]
struct Nesting {
    depth: usize,
    quoted: bool,
    escaped: bool,
}

impl Nesting {
    /// Whether this byte closes the outermost object. Outside of objects, text means nothing.
    fn closes(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.quoted => self.escaped = true,
            b'"' if self.depth > 0 => self.quoted = !self.quoted,
            b'{' if !self.quoted => self.depth += 1,
            b'}' if !self.quoted && self.depth > 0 => {
                self.depth -= 1;
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(mut frames: Frames, text: &str) -> Vec<String> {
        let mut events = Vec::new();
        for byte in text.as_bytes() {
            frames.push(&[*byte]);
            while let Some(frame) = frames.next() {
                match frame {
                    Frame::Event(event) => events.push(String::from_utf8(event.to_vec()).unwrap()),
                    Frame::Complete => events.push("complete".to_owned()),
                }
            }
        }
        events
    }

    #[test]
    fn server_sent_events_arrive_whole_however_they_are_cut() {
        let text = ": hello\n\nevent: next\ndata: {\"a\":\ndata: 1}\n\nevent: next\r\ndata: {}\r\n\r\nevent: complete\n\n";
        assert_eq!(events(Frames::sse(), text), ["{\"a\":\n1}", "{}", "complete"]);
    }

    #[test]
    fn a_part_arrives_before_its_closing_boundary() {
        let text = "\r\n--g\r\nContent-Type: application/json\r\n\r\n{\"a\":\"}\\\"{\"}\r\n--g\r\nX: y\r\n\r\n{\"b\":{}}";
        assert_eq!(events(Frames::multipart(), text), ["{\"a\":\"}\\\"{\"}", "{\"b\":{}}"]);
    }
}
