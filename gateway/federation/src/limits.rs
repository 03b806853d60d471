//! How large a document may be, counted over its tokens before any parser recurses.

use crate::error::{GraphQLError, Location, PARSE_FAILED, VALIDATION_FAILED};

#[derive(Clone, Debug)]
pub struct Limits {
    pub tokens_max: usize,
    /// Of brackets of any kind in the text, and of fields once fragments are spread.
    pub depth_max: usize,
    pub aliases_max: usize,
    pub directives_max: usize,
    pub root_fields_max: usize,
    /// Once fragments are spread: a few fragments that spread each other can stand for millions of fields.
    pub fields_max: usize,
    /// The same, each counted for every type it may be asked of: the planner writes some of them out so, level by
    /// level.
    pub fields_by_type_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            tokens_max: 4000,
            depth_max: 20,
            aliases_max: 100,
            directives_max: 100,
            root_fields_max: 20,
            fields_max: 5000,
            fields_by_type_max: 200_000,
        }
    }
}

impl Limits {
    /// Judges the text of a document. What is not a token is left for the parser to report.
    pub fn check_text(&self, text: &str) -> Result<(), Vec<GraphQLError>> {
        let mut counts = Counts::default();
        let mut tokens = Tokens { bytes: text.as_bytes(), at: 0 };
        while let Some((token, start)) = tokens.next() {
            counts.add(token);
            if !is_finite(token, &text.as_bytes()[start..tokens.at]) {
                let mut error =
                    GraphQLError::new(PARSE_FAILED, "The document has a number that is too large.");
                error.locations.push(location(text, start));
                return Err(vec![error]);
            }
            let excess = [
                ("tokens", counts.tokens, self.tokens_max),
                ("levels of nesting", counts.depth, self.depth_max),
                ("aliases", counts.aliases, self.aliases_max),
                ("directives", counts.directives, self.directives_max),
            ];
            if let Some((what, _, max)) = excess.into_iter().find(|(_, count, max)| count > max) {
                let mut error = too_large(PARSE_FAILED, what, max);
                error.locations.push(location(text, start));
                return Err(vec![error]);
            }
        }
        Ok(())
    }
}

pub(crate) fn too_large(code: &'static str, what: &str, max: usize) -> GraphQLError {
    debug_assert!(code == PARSE_FAILED || code == VALIDATION_FAILED);
    GraphQLError::new(code, format!("The document has more than {max} {what}."))
}

#[derive(Default)]
struct Counts {
    tokens: usize,
    depth: usize,
    aliases: usize,
    directives: usize,
    /// Depth of `(` alone: a colon outside them can only belong to an alias.
    arguments: usize,
}

impl Counts {
    fn add(&mut self, token: u8) {
        self.tokens += 1;
        match token {
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            b'(' => {
                self.depth += 1;
                self.arguments += 1;
            }
            b')' => {
                self.depth = self.depth.saturating_sub(1);
                self.arguments = self.arguments.saturating_sub(1);
            }
            b':' if self.arguments == 0 => self.aliases += 1,
            b'@' => self.directives += 1,
            _ => {}
        }
    }
}

/// Yields the first byte of each token and where it stands.
struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Tokens<'_> {
    fn next(&mut self) -> Option<(u8, usize)> {
        self.skip_ignored();
        let first = *self.bytes.get(self.at)?;
        let start = self.at;
        self.at += 1;
        match first {
            b'"' if self.bytes[start..].starts_with(b"\"\"\"") => self.block_string(),
            b'"' => self.string(),
            // Spreads may stand side by side without a space: `...A...B` is four tokens.
            b'.' if self.bytes[start..].starts_with(b"...") => self.at = start + 3,
            b'-' | b'0'..=b'9' => self.pass(|byte| is_name(byte) || matches!(byte, b'-' | b'.' | b'+')),
            _ if is_name(first) => self.pass(is_name),
            _ => {}
        }
        Some((first, start))
    }

    fn pass(&mut self, belongs: fn(u8) -> bool) {
        while self.bytes.get(self.at).copied().is_some_and(belongs) {
            self.at += 1;
        }
    }

    fn skip_ignored(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => self.at += 1,
                b'#' => {
                    while self.bytes.get(self.at).is_some_and(|byte| !matches!(byte, b'\n' | b'\r')) {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    fn string(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            // A text may end in the middle of an escape.
            self.at = (self.at + if *byte == b'\\' { 2 } else { 1 }).min(self.bytes.len());
            if matches!(byte, b'"' | b'\n') {
                return;
            }
        }
    }

    fn block_string(&mut self) {
        self.at += 2;
        while self.at < self.bytes.len() {
            let rest = &self.bytes[self.at..];
            if rest.starts_with(b"\\\"\"\"") {
                self.at += 4;
            } else if rest.starts_with(b"\"\"\"") {
                self.at += 3;
                return;
            } else {
                self.at += 1;
            }
        }
    }
}

/// A number no `Float` can hold would be infinite once it is read, and infinity cannot be written as GraphQL.
fn is_finite(first: u8, token: &[u8]) -> bool {
    if !matches!(first, b'-' | b'0'..=b'9') {
        return true;
    }
    let number = std::str::from_utf8(token).ok().and_then(|text| text.parse::<f64>().ok());
    number.is_none_or(f64::is_finite)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn location(text: &str, at: usize) -> Location {
    let before = &text.as_bytes()[..at];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    Location { line: before.iter().filter(|byte| **byte == b'\n').count() + 1, column: at - line_start + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Option<String> {
        Limits::default().check_text(text).err().map(|mut errors| errors.remove(0).message)
    }

    #[test]
    fn a_text_that_ends_within_an_escape_is_left_to_the_parser() {
        assert_eq!(refusal("\"\\"), None);
        assert_eq!(refusal("{a(b:\"x\\"), None);
    }

    #[test]
    fn ten_thousand_of_anything_is_refused() {
        assert!(refusal(&"{a".repeat(10_000)).unwrap().contains("nesting"));
        assert!(refusal(&format!("{{ f(x: {} }}", "[".repeat(10_000))).unwrap().contains("nesting"));
        let aliases: String = (0..1000).map(|n| format!("a{n}: a ")).collect();
        assert!(refusal(&format!("{{ {aliases} }}")).unwrap().contains("aliases"));
        assert!(refusal(&format!("{{ a {} }}", "@a ".repeat(1000))).unwrap().contains("directives"));
        assert!(refusal(&format!("{{ {} }}", "a ".repeat(10_000))).unwrap().contains("tokens"));
        assert!(refusal(&format!("{{ {} }}", "...A...B".repeat(2_000))).unwrap().contains("tokens"));
    }

    #[test]
    fn a_number_no_float_can_hold_is_refused() {
        for number in ["1e999", "-2.5E400", &"9".repeat(400)] {
            assert!(refusal(&format!("{{ f(x: [{number}]) }}")).unwrap().contains("too large"));
        }
        for number in ["1e308", "-0", "1e-999", "12345678901234567890", "1e", "-"] {
            assert_eq!(refusal(&format!("{{ f(x: {number}) }}")), None);
        }
    }

    #[test]
    fn colons_of_arguments_and_brackets_in_strings_count_for_nothing() {
        let arguments: String = (0..200).map(|n| format!("a{n}: 1 ")).collect();
        assert_eq!(refusal(&format!("{{ f({arguments}) }}")), None);
        let brackets = "{".repeat(1000);
        assert_eq!(refusal(&format!("{{ f(a: \"{brackets}\\\"{brackets}\") }} # {brackets}")), None);
        assert_eq!(refusal(&format!("{{ f(a: \"\"\"{brackets} \\\"\"\" {brackets}\"\"\") }}")), None);
    }
}
