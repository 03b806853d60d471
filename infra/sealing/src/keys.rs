//! The two keys outside every database: one wraps subject keys, one makes blind indexes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;

/// Key-encryption and blind-index key, kept apart as one must not stand for the other.
#[derive(Clone)]
pub struct Keys {
    pub(crate) kek: Zeroizing<[u8; KEY_BYTES]>,
    pub(crate) index: Zeroizing<[u8; KEY_BYTES]>,
}

/// A master key that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the sealing key must be 32 random bytes in base64")]
pub struct KeyError;

impl Keys {
    /// Derives both keys from one 32-byte master key in base64.
    pub fn from_base64(master: &str) -> Result<Self, KeyError> {
        let master = Zeroizing::new(STANDARD.decode(master.trim()).map_err(|_| KeyError)?);
        if master.len() != KEY_BYTES {
            return Err(KeyError);
        }
        Ok(Self {
            kek: derive(&master, b"pratu key encryption 1"),
            index: derive(&master, b"pratu blind index 1"),
        })
    }

    /// A fresh random master key in base64.
    pub fn generate() -> String {
        STANDARD.encode(rand::random::<[u8; KEY_BYTES]>())
    }
}

fn derive(master: &[u8], purpose: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(master).expect("HMAC takes a key of any length");
    mac.update(purpose);
    Zeroizing::new(mac.finalize().into_bytes().into())
}
