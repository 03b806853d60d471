//! Evidence files (หลักฐาน): which kinds are taken, told by content and not by name.

use async_graphql::Enum;

/// The largest file taken, whatever an offering says.
pub const FILE_BYTES_MAX: u64 = 20 * 1024 * 1024;
/// The longest file name taken, in characters.
pub const FILE_NAME_CHARS_MAX: usize = 200;

/// A kind of file that can be evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    Pdf,
    Png,
    Jpeg,
}

/// How far a file has come.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "EvidenceStatus")]
pub enum EvidenceStatus {
    /// An address was given; nothing has arrived yet.
    AwaitingUpload,
    /// The file is kept, encrypted.
    Stored,
}

impl FileType {
    /// The kind a media type names.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        match media_type {
            "application/pdf" => Some(Self::Pdf),
            "image/png" => Some(Self::Png),
            "image/jpeg" => Some(Self::Jpeg),
            _ => None,
        }
    }

    /// The kind the first and last bytes show; `None` for anything else.
    pub fn of(content: &[u8]) -> Option<Self> {
        // A PDF ends with %%EOF; writers may add a few bytes behind it.
        let tail = &content[content.len().saturating_sub(1024)..];
        if content.starts_with(b"%PDF-") && tail.windows(5).any(|window| window == b"%%EOF") {
            Some(Self::Pdf)
        } else if content.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") {
            Some(Self::Png)
        } else if content.starts_with(b"\xff\xd8\xff") && content.len() > 4 {
            Some(Self::Jpeg)
        } else {
            None
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }
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
    fn a_file_is_what_its_bytes_say() {
        assert_eq!(FileType::of(b"%PDF-1.7\n1 0 obj\n%%EOF\n"), Some(FileType::Pdf));
        assert_eq!(FileType::of(b"%PDF-1.7 cut short"), None);
        assert_eq!(FileType::of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"), Some(FileType::Png));
        assert_eq!(FileType::of(b"\xff\xd8\xff\xe0\0\x10JFIF"), Some(FileType::Jpeg));
        assert_eq!(FileType::of(b"MZ\x90\0"), None);
        assert_eq!(FileType::of(b""), None);
    }

    #[test]
    fn a_file_name_is_never_a_path() {
        assert_eq!(clean_file_name("../../etc/passwd").as_deref(), Some("passwd"));
        assert_eq!(clean_file_name("C:\\แผนที่.png").as_deref(), Some("แผนที่.png"));
        assert_eq!(clean_file_name("a\r\nb.png").as_deref(), Some("ab.png"));
        assert_eq!(clean_file_name("dir/"), None);
    }
}
