//! The key that personal data is sealed with: from outside, or made by the sandbox.

use std::path::Path;

use chassis::Secret;
use sealing::Keys;

use super::Error;
use crate::config::Config;

const FILE: &str = "sealing.key";

/// The configured sealing keys, the current one first; the sandbox makes one and keeps it beside its data.
pub fn keys(config: &Config) -> Result<Keys, Error> {
    let named = config.sealing_keys.iter().chain(&config.sealing_key).map(Secret::reveal);
    let named: Vec<&str> = named.collect();
    let index = config.blind_index_key.as_ref().map(Secret::reveal);
    if !named.is_empty() {
        return Ok(Keys::ring(&named, index)?);
    }
    let file = config.data.join(FILE);
    if !file.exists() {
        write_private(&file, &Keys::generate())?;
    }
    let key = Secret::from(std::fs::read_to_string(file)?.as_str());
    Ok(Keys::ring(&[key.reveal()], index)?)
}

/// Writes a file that only its owner can read.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(file)?.write_all(text.as_bytes())
}
