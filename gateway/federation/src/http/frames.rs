//! Cuts a stream of bytes into events: server-sent events, or the parts of a multipart answer.

use bytes::Bytes;

pub(super) struct Frames {
    kind: Kind,
    waiting: Vec<u8>,
}

enum Kind {
    Sse,
    Multipart,
}

pub(super) enum Frame {
    /// The JSON text of one event.
    Event(Bytes),
    Complete,
}

impl Frames {
    pub fn sse() -> Self {
        Frames { kind: Kind::Sse, waiting: Vec::new() }
    }

    pub fn multipart() -> Self {
        Frames { kind: Kind::Multipart, waiting: Vec::new() }
    }

    pub fn push(&mut self, chunk: &[u8]) {
        self.waiting.extend_from_slice(chunk);
    }

    pub fn waiting_bytes(&self) -> usize {
        self.waiting.len()
    }

    pub fn next(&mut self) -> Option<Frame> {
        match self.kind {
            Kind::Sse => self.next_sse(),
            Kind::Multipart => self.next_part(),
        }
    }

    fn next_sse(&mut self) -> Option<Frame> {
        loop {
            let end = block_end(&self.waiting)?;
            let block: Vec<u8> = self.waiting.drain(..end).collect();
            let block = String::from_utf8_lossy(&block);
            let field = |name: &str, line: &str| {
                let value = line.strip_prefix(name)?.strip_prefix(':')?;
                Some(value.strip_prefix(' ').unwrap_or(value).to_owned())
            };
            let kind = block.lines().find_map(|line| field("event", line));
            let data: Vec<_> = block.lines().filter_map(|line| field("data", line)).collect();
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
        let start = self.waiting.iter().position(|byte| *byte == b'{')?;
        let end = start + object_end(&self.waiting[start..])?;
        let event = Bytes::copy_from_slice(&self.waiting[start..end]);
        self.waiting.drain(..end);
        Some(Frame::Event(event))
    }
}

/// The end of the first block that a blank line closes.
fn block_end(bytes: &[u8]) -> Option<usize> {
    let closing =
        |mark: &[u8]| bytes.windows(mark.len()).position(|window| window == mark).map(|at| at + mark.len());
    closing(b"\n\n").into_iter().chain(closing(b"\r\n\r\n")).min()
}

fn object_end(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
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
