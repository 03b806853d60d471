//! One answer as it is kept: its bytes as they are sent, compressed once.

use std::io::Write as _;

use axum::body::Bytes;
use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::{Buf, BufMut, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// Shorter answers fit into one packet or two as they are.
const COMPRESSED_BYTES_MIN: usize = 1024;
/// Bytes of the digest in an entity tag.
const TAG_BYTES: usize = 16;

/// An answer without errors.
#[derive(Clone, Debug)]
pub struct Answer {
    pub plain: Bytes,
    /// None for a short one, and for one that is not kept.
    pub gzip: Option<Bytes>,
    /// Weak: the same for each encoding and media type of one answer. None for one that is not kept.
    pub entity_tag: Option<HeaderValue>,
}

impl Answer {
    /// One that many will be sent.
    pub fn kept(plain: Bytes) -> Self {
        let gzip = (plain.len() > COMPRESSED_BYTES_MIN).then(|| compressed(&plain)).flatten();
        let entity_tag = Some(entity_tag(&plain));
        Self { plain, gzip, entity_tag }
    }

    /// One that is sent to those who wait for it now.
    pub fn passing(plain: Bytes) -> Self {
        Self { plain, gzip: None, entity_tag: None }
    }
}

impl cache::Value for Answer {
    fn encode(&self) -> Bytes {
        let gzip = self.gzip.clone().unwrap_or_default();
        let mut out = BytesMut::with_capacity(4 + gzip.len() + self.plain.len());
        // The cache refuses values of more than a few megabytes.
        out.put_u32(u32::try_from(gzip.len()).unwrap_or_default());
        out.put_slice(&gzip);
        out.put_slice(&self.plain);
        out.freeze()
    }

    fn decode(mut bytes: Bytes) -> Option<Self> {
        let gzip_bytes = usize::try_from(bytes.try_get_u32().ok()?).ok()?;
        if gzip_bytes > bytes.len() {
            return None;
        }
        let gzip = Some(bytes.split_to(gzip_bytes)).filter(|gzip| !gzip.is_empty());
        let entity_tag = Some(entity_tag(&bytes));
        Some(Self { plain: bytes, gzip, entity_tag })
    }

    fn weight_bytes(&self) -> usize {
        self.plain.len() + self.gzip.as_ref().map_or(0, Bytes::len) + TAG_BYTES * 2
    }
}

fn compressed(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).ok()?;
    let gzip = encoder.finish().ok()?;
    (gzip.len() < plain.len()).then(|| Bytes::from(gzip))
}

fn entity_tag(plain: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(plain);
    let text = format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..TAG_BYTES]));
    HeaderValue::try_from(text).expect("base64 is made of visible characters")
}

#[cfg(test)]
mod tests {
    use cache::Value as _;

    use super::*;

    #[test]
    fn an_answer_comes_back_from_redis_as_it_was() {
        for plain in [Bytes::from_static(b"{}"), Bytes::from(vec![b'a'; 10_000])] {
            let before = Answer::kept(plain);
            let after = Answer::decode(before.encode()).unwrap();
            assert_eq!((&before.plain, &before.gzip), (&after.plain, &after.gzip));
            assert_eq!(before.entity_tag, after.entity_tag);
        }
        assert!(Answer::kept(Bytes::from(vec![b'a'; 10_000])).gzip.is_some());
    }

    #[test]
    fn bytes_that_are_no_answer_are_none() {
        assert!(Answer::decode(Bytes::from_static(b"\x00\x00")).is_none());
        assert!(Answer::decode(Bytes::from_static(b"\xff\xff\xff\xff{}")).is_none());
    }
}
