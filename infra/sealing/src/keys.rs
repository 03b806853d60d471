//! The keys outside every database: those that wrap subject keys, and one that makes blind indexes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
/// What rows say that were wrapped before keys had ids.
pub(crate) const ID_BEFORE_IDS: i64 = 1;

/// Key-encryption keys, the current one first, and the blind-index key, kept apart as one must not stand
/// for the other.
#[derive(Clone)]
pub struct Keys {
    pub(crate) current: Kek,
    /// Open what was wrapped with them; wrap nothing.
    pub(crate) old: Vec<Kek>,
    pub(crate) index: Zeroizing<[u8; KEY_BYTES]>,
}

/// A key-encryption key and what it is called in a database.
#[derive(Clone)]
pub(crate) struct Kek {
    pub(crate) id: i64,
    pub(crate) key: Zeroizing<[u8; KEY_BYTES]>,
    /// The blind-index key while this is the only master key.
    pub(crate) index: Zeroizing<[u8; KEY_BYTES]>,
}

/// Keys that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the sealing key must be 32 random bytes in base64")]
    Master,
    #[error("there is no sealing key")]
    None,
    #[error("a sealing key is named twice")]
    Twice,
    #[error("the blind index key must be 32 bytes in base64")]
    Index,
    #[error(
        "with several sealing keys blind_index_key must be named: `pratu keys index` prints it, run with the old \
         sealing key alone"
    )]
    IndexMissing,
}

impl Keys {
    /// Derives both keys from one 32-byte master key in base64.
    pub fn from_base64(master: &str) -> Result<Self, KeyError> {
        Self::ring(&[master], None)
    }

    /// Several master keys, the current one first. The blind-index key does not follow them: it is named,
    /// or, where there is one master key alone, derived from it.
    pub fn ring(masters: &[&str], index: Option<&str>) -> Result<Self, KeyError> {
        let masters = masters.iter().map(|master| decoded(master).ok_or(KeyError::Master));
        let masters: Vec<_> = masters.collect::<Result<_, _>>()?;
        let mut keys = masters.iter().map(Kek::of);
        let current = keys.next().ok_or(KeyError::None)?;
        let index = match index {
            Some(index) => decoded(index).ok_or(KeyError::Index)?,
            None if masters.len() == 1 => current.index.clone(),
            None => return Err(KeyError::IndexMissing),
        };
        let mut old: Vec<Kek> = Vec::new();
        for key in keys {
            if key.id == current.id || old.iter().any(|other| other.id == key.id) {
                return Err(KeyError::Twice);
            }
            old.push(key);
        }
        Ok(Self { current, old, index })
    }

    /// A fresh random master key in base64.
    pub fn generate() -> String {
        STANDARD.encode(rand::random::<[u8; KEY_BYTES]>())
    }

    /// The blind-index key in base64: kept from outside once there is more than one master key.
    pub fn index_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(*self.index))
    }

    /// What the keys are called, the current one first. A name shows nothing of its key.
    pub fn names(&self) -> Vec<String> {
        self.all().map(|kek| name_of(kek.id)).collect()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Kek> {
        std::iter::once(&self.current).chain(&self.old)
    }

    pub(crate) fn with_id(&self, id: i64) -> Option<&Kek> {
        self.all().find(|kek| kek.id == id)
    }

    /// Whether the blind-index key is the one that any of the master keys had while it was alone.
    pub(crate) fn index_was_derived(&self) -> bool {
        self.all().any(|kek| kek.index == self.index)
    }

    /// What a database remembers of the blind-index key, to refuse another one.
    pub(crate) fn index_fingerprint(&self) -> Vec<u8> {
        derive(&self.index, b"pratu blind index fingerprint 1").to_vec()
    }
}

impl Kek {
    fn of(master: &Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let named = derive(master, b"pratu key id 1");
        let first = named.first_chunk().expect("a derived key is longer than an id");
        // Positive, and never that of the time before ids.
        let id = (i64::from_be_bytes(*first) & i64::MAX) | 2;
        let index = derive(master, b"pratu blind index 1");
        Self { id, key: derive(master, b"pratu key encryption 1"), index }
    }
}

/// What a key is called: the first digits of its id.
pub(crate) fn name_of(id: i64) -> String {
    if id == ID_BEFORE_IDS {
        "of before keys had names".to_owned()
    } else {
        format!("{id:016x}")[..8].to_owned()
    }
}

fn decoded(key: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let bytes = Zeroizing::new(STANDARD.decode(key.trim()).ok()?);
    Some(Zeroizing::new(<[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok()?))
}

fn derive(master: &Zeroizing<[u8; KEY_BYTES]>, purpose: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(master.as_slice()).expect("HMAC takes a key of any length");
    mac.update(purpose);
    Zeroizing::new(mac.finalize().into_bytes().into())
}
