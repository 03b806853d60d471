//! Evidence files (หลักฐาน): how large, under which names, how far they have come.

use async_graphql::Enum;

/// The largest file taken, whatever an offering says.
pub const FILE_BYTES_MAX: u64 = 20 * 1024 * 1024;
/// The longest file name taken, in characters.
pub const FILE_NAME_CHARS_MAX: usize = 200;

/// How far a file has come.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "EvidenceStatus")]
pub enum EvidenceStatus {
    /// An address was given; nothing has arrived yet.
    AwaitingUpload,
    /// The file is kept, encrypted.
    Stored,
}

/// A file name as it is kept: no path, no control characters, not empty.
pub fn clean_file_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|letter| !letter.is_control()).collect();
    let clean = clean.trim().to_owned();
    (!clean.is_empty() && clean.chars().count() <= FILE_NAME_CHARS_MAX).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_never_a_path() {
        assert_eq!(clean_file_name("../../etc/passwd").as_deref(), Some("passwd"));
        assert_eq!(clean_file_name("C:\\แผนที่.png").as_deref(), Some("แผนที่.png"));
        assert_eq!(clean_file_name("a\r\nb.png").as_deref(), Some("ab.png"));
        assert_eq!(clean_file_name("dir/"), None);
    }
}
