//! Which kind of file some bytes are: by their whole structure, so that one file is not two.
//!
//! A file that begins as one kind and ends as another (a "polyglot") is none: something stands behind
//! the picture or the document that no reader of it shows.

/// Pixels of a picture: more only serves to exhaust who opens it.
pub const PIXELS_MAX: u64 = 100_000_000;

/// How far from its end a PDF's last `%%EOF` may stand, in bytes; ISO 32000 readers look as far.
const PDF_TAIL_BYTES: usize = 1024;
/// A ZIP archive's end record, without its comment, which may have 65,535 bytes.
const ZIP_END_BYTES: usize = 22;

/// A kind of file that can be evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    Pdf,
    Png,
    Jpeg,
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

    /// The kind the bytes are, from the first to the last; `None` for anything else.
    pub fn of(content: &[u8]) -> Option<Self> {
        let found = if is_pdf(content) {
            Self::Pdf
        } else if is_png(content) == Some(true) {
            Self::Png
        } else if is_jpeg(content) == Some(true) {
            Self::Jpeg
        } else {
            return None;
        };
        (!ends_as_zip(content)).then_some(found)
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

/// Begins with its version, and nothing but blank space stands behind the last `%%EOF`.
fn is_pdf(content: &[u8]) -> bool {
    let tail = &content[content.len().saturating_sub(PDF_TAIL_BYTES)..];
    let end = tail.windows(5).rposition(|window| window == b"%%EOF");
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    (content.starts_with(b"%PDF-1.") || content.starts_with(b"%PDF-2."))
        && end.is_some_and(|end| tail[end + 5..].iter().all(blank))
}

/// Chunk after chunk from the header to `IEND`, which is the end.
fn is_png(content: &[u8]) -> Option<bool> {
    let mut rest = content.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let (mut first, mut pictured) = (true, false);
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let data = after.get(..length)?;
        rest = after.get(length.checked_add(4)?..)?; // behind the checksum
        match kind {
            b"IHDR" if first => {
                let (width, sizes) = data.split_first_chunk::<4>()?;
                let (height, _) = sizes.split_first_chunk::<4>()?;
                let side = |bytes| u64::from(u32::from_be_bytes(bytes));
                within_pixels(side(*width), side(*height))?;
            }
            _ if first => return None,
            b"IDAT" => pictured = true,
            b"IEND" => return Some(pictured && rest.is_empty()),
            kind if !kind.iter().all(u8::is_ascii_alphabetic) => return None,
            _ => {}
        }
        first = false;
    }
}

/// Segment after segment from the start to the end marker, behind which nothing stands.
fn is_jpeg(content: &[u8]) -> Option<bool> {
    let mut rest = content.strip_prefix(b"\xff\xd8")?;
    let (mut framed, mut scanned) = (false, false);
    loop {
        let (marker, after) = rest.split_first_chunk::<2>()?;
        rest = after;
        match marker {
            [0xff, 0xff] => rest = &content[content.len() - rest.len() - 1..], // a fill byte
            [0xff, 0xd9] => return Some(framed && scanned && rest.iter().all(|byte| *byte == 0)),
            [0xff, kind @ (0xc0..=0xcf | 0xda..=0xfe)] => {
                let (length, _) = rest.split_first_chunk::<2>()?;
                let length = usize::from(u16::from_be_bytes(*length));
                let data = rest.get(2..length)?;
                rest = rest.get(length..)?;
                // A frame's header; 0xc4, 0xc8 and 0xcc say other things.
                if matches!(kind, 0xc0..=0xcf) && !matches!(kind, 0xc4 | 0xc8 | 0xcc) {
                    let sizes = data.get(1..)?.first_chunk::<4>()?;
                    let side = |high, low| u64::from(u16::from_be_bytes([high, low]));
                    within_pixels(side(sizes[0], sizes[1]), side(sizes[2], sizes[3]))?;
                    framed = true;
                }
                if *kind == 0xda {
                    scanned = true;
                    rest = behind_scan(rest)?;
                }
            }
            _ => return None,
        }
    }
}

/// What follows the entropy-coded bytes of a scan: the next marker that is neither stuffing nor restart.
fn behind_scan(scan: &[u8]) -> Option<&[u8]> {
    let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
    let at = scan.windows(2).position(is_marker)?;
    scan.get(at..)
}

fn within_pixels(width: u64, height: u64) -> Option<()> {
    let pixels = width.checked_mul(height)?;
    (1..=PIXELS_MAX).contains(&pixels).then_some(())
}

/// Whether a ZIP archive (also an office document, a JAR, an APK) ends where the file does: its readers
/// look from the end, whatever the file begins with.
fn ends_as_zip(content: &[u8]) -> bool {
    let tail = &content[content.len().saturating_sub(ZIP_END_BYTES + usize::from(u16::MAX))..];
    tail.windows(4).enumerate().filter(|(_, window)| *window == b"PK\x05\x06").any(|(at, _)| {
        let comment = tail.get(at + ZIP_END_BYTES - 2..at + ZIP_END_BYTES);
        let comment = comment.and_then(|bytes| bytes.first_chunk::<2>());
        // Of one disk; else these four bytes stand there by chance.
        tail[at + 4..].starts_with(&[0; 4])
            && comment.is_some_and(|length| {
                at + ZIP_END_BYTES + usize::from(u16::from_le_bytes(*length)) <= tail.len()
            })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length[..], kind, data, &[0; 4]].concat()
    }

    fn png(width: u32, height: u32) -> Vec<u8> {
        let sizes = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
        let chunks = [chunk(b"IHDR", &sizes), chunk(b"IDAT", b"x"), chunk(b"IEND", b"")].concat();
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunks].concat()
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut frame = vec![0xff, 0xc0, 0, 11, 8];
        frame.extend([height.to_be_bytes(), width.to_be_bytes()].concat());
        frame.extend([1, 1, 0x11, 0]);
        let app = [0xff, 0xe0, 0, 7, b'J', b'F', b'I', b'F', 0];
        let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56];
        [&[0xff, 0xd8][..], &app, &frame, &[0xff], &scan, &[0xff, 0xd9]].concat()
    }

    const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n";
    const ZIP_END: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    #[test]
    fn a_file_is_what_its_bytes_say() {
        assert_eq!(FileType::of(PDF), Some(FileType::Pdf));
        assert_eq!(FileType::of(&png(2, 3)), Some(FileType::Png));
        assert_eq!(FileType::of(&jpeg(4, 5)), Some(FileType::Jpeg));
        for nothing in
            [&b""[..], b"MZ\x90\0", b"PK\x03\x04", b"<html>%PDF-1.7 %%EOF", b"%PDF-1.7 cut", b"GIF89a"]
        {
            assert_eq!(FileType::of(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_file_that_is_two_things_is_neither() {
        for whole in [PDF.to_vec(), png(2, 3), jpeg(4, 5)] {
            for behind in [&b"<script>alert(1)</script>"[..], ZIP_END, b"MZ", &png(1, 1), PDF] {
                let two = [&whole, behind].concat();
                let kind = FileType::of(&two);
                // A PDF within a PDF is a later revision of one document.
                let revised = whole == PDF && behind == PDF;
                assert!(kind.is_none() || revised, "{kind:?} with {behind:?} behind it");
            }
        }
        // An archive whose comment is the end of a PDF.
        let comment = b"\n%%EOF\n";
        let mut end = ZIP_END.to_vec();
        end[20] = u8::try_from(comment.len()).unwrap();
        let two = [b"%PDF-1.4\n", &end[..], comment].concat();
        assert_eq!(FileType::of(&two), None);
    }

    #[test]
    fn a_picture_of_endless_size_is_refused() {
        assert_eq!(FileType::of(&png(100_000, 100_000)), None);
        assert_eq!(FileType::of(&jpeg(60_000, 60_000)), None);
        assert_eq!(FileType::of(&png(0, 1)), None);
    }

    proptest! {
        #[test]
        fn cut_or_scratched_files_are_read_without_panic(
            which in 0_usize..3,
            at in 0_usize..80,
            byte in any::<u8>(),
            cut in 0_usize..80,
        ) {
            let mut content = [PDF.to_vec(), png(2, 3), jpeg(4, 5)][which].clone();
            let at = at % content.len();
            content[at] = byte;
            content.truncate(content.len().saturating_sub(cut));
            let _ = FileType::of(&content);
        }

        #[test]
        fn anything_at_all_is_read_without_panic(content in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = FileType::of(&[&b"\xff\xd8\xff"[..], &content].concat());
            let _ = FileType::of(&[&b"\x89PNG\r\n\x1a\n"[..], &content].concat());
        }
    }
}
