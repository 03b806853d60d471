//! Field encryption with a key per subject, blind indexes, and erasure by shredding the key.
//!
//! Each subject (a citizen, a company) has a random 256-bit key in each service's database, wrapped
//! by a key-encryption key that is not in any database and can be changed while serving (`rotation`).
//! A sealed field is AES-256-GCM-SIV (RFC 8452) with the table, column and row as associated data, so
//! that a ciphertext cannot be moved elsewhere. What must be found by its value has an HMAC-SHA-256
//! blind index beside it.

mod keys;
mod rotation;
mod sealer;

use database::Migrations;

pub use keys::{KeyError, Keys};
pub use rotation::KeyUse;
pub use sealer::{Error, Place, Sealer, SubjectKey};

/// The table a service needs.
pub static MIGRATIONS: Migrations = database::migrations!("sealing", "0001_sealing", "0002_rotation");
