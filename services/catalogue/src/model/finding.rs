//! What is wrong with a catalogue file: which file, which key, and why.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub file: String,
    /// The key as a path, `offerings[0].fee.due`; empty for the file as a whole.
    pub key: String,
    pub message: String,
}

/// Everything that is wrong, so that an author mends a file in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// Notes what is wrong with `key` of `file`.
    pub fn add(&mut self, file: &str, key: impl Into<String>, message: impl Into<String>) {
        self.0.push(Finding { file: file.to_owned(), key: key.into(), message: message.into() });
    }

    /// Fails when anything was noted.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(formatter, "{}: {}", self.file, self.message),
            key => write!(formatter, "{}: {key}: {}", self.file, self.message),
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            let line_end = if index == 0 { "" } else { "\n" };
            write!(formatter, "{line_end}{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}
