//! The key that personal data is sealed with: from outside, or made by the sandbox.

use std::path::Path;

use chassis::Secret;
use sealing::{KeyError, Keys};

use super::Error;
use crate::config::Config;

const FILE: &str = "sealing.key";

/// The configured sealing keys, the current one first; the sandbox makes one and keeps it beside its data.
pub fn keys(config: &Config) -> Result<Keys, Error> {
    let file = config.data.join(FILE);
    if named(config).is_empty() && !file.exists() {
        write_private(&file, &Keys::generate())?;
    }
    kept(config)
}

/// The same where there are any: a command that looks in the wrong place must not make one.
pub fn kept(config: &Config) -> Result<Keys, Error> {
    let (named, index) = (named(config), config.blind_index_key.as_ref().map(Secret::reveal));
    if !named.is_empty() {
        return Ok(Keys::ring(&named, index)?);
    }
    let file = config.data.join(FILE);
    if !file.exists() {
        return Err(KeyError::None.into());
    }
    let key = Secret::from(std::fs::read_to_string(file)?.as_str());
    Ok(Keys::ring(&[key.reveal()], index)?)
}

/// What is wrong with the keys that are named.
pub fn shortcomings(config: &Config) -> Vec<String> {
    if named(config).is_empty() || !config.seals() {
        return Vec::new();
    }
    kept(config).err().map(|error| error.to_string()).into_iter().collect()
}

fn named(config: &Config) -> Vec<&str> {
    config.sealing_keys.iter().chain(&config.sealing_key).map(Secret::reveal).collect()
}

/// Writes a file that only its owner can read.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(file)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_makes_no_key_where_there_is_none() {
        let data = std::env::temp_dir().join(format!("pratu-no-key-{}", std::process::id()));
        let config = Config { data: data.clone(), ..Config::default() };
        assert!(kept(&config).is_err());
        assert!(!data.exists());
    }

    #[test]
    fn keys_that_cannot_be_used_are_told_before_anything_starts() {
        let (one, other) = (Keys::generate(), Keys::generate());
        let config =
            Config { sealing_keys: vec![one.as_str().into(), other.as_str().into()], ..Config::default() };
        assert!(shortcomings(&config)[0].contains("blind_index_key"), "{:?}", shortcomings(&config));
        let config = Config { blind_index_key: Some(other.as_str().into()), ..config };
        assert_eq!(shortcomings(&config), Vec::<String>::new());
        let config = Config { sealing_key: Some("short".into()), ..Config::default() };
        assert_eq!(shortcomings(&config).len(), 1);
    }
}
