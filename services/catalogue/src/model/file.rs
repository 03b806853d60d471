//! Reading a set of catalogue files: each into its type, refusing what is not understood.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Agency, Findings, LifeEvent, PublicService, rules};

/// Room for a form and for an offering by each of the country's municipalities; a larger file is not a
/// catalogue file.
pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One file: its path below the catalogue's folder, `public_services/LAO-01.toml`, and its text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

/// A set of files, read and valid by themselves, each under its code (the file's name).
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    pub agencies: BTreeMap<String, Agency>,
    pub services: BTreeMap<String, PublicService>,
    pub life_events: BTreeMap<String, LifeEvent>,
}

impl Catalogue {
    /// Reads and validates `files`; all that is wrong is told at once.
    pub fn read(files: &[SourceFile]) -> Result<Self, Findings> {
        let mut catalogue = Self::default();
        let mut findings = Findings::default();
        for file in files {
            catalogue.read_one(file, &mut findings);
        }
        rules::check(&catalogue, &mut findings);
        findings.into_result()?;
        Ok(catalogue)
    }

    /// The offerings with a sample fee, which production refuses, as `LAO-01 by nonthaburi`.
    pub fn sample_fees(&self) -> Vec<String> {
        let offerings = |(code, service): (&String, &PublicService)| {
            let sample = service.offerings.iter().filter(|offering| offering.fee.is_sample());
            sample.map(|offering| format!("{code} by {}", offering.agency)).collect::<Vec<_>>()
        };
        self.services.iter().flat_map(offerings).collect()
    }

    fn read_one(&mut self, file: &SourceFile, findings: &mut Findings) {
        let Some((folder, code)) = file
            .path
            .strip_suffix(".toml")
            .and_then(|path| path.split_once('/'))
            .filter(|(_, code)| !code.contains('/'))
        else {
            return findings.add(
                &file.path,
                "",
                "is not at agencies/, public_services/ or life_events/<code>.toml",
            );
        };
        if file.text.len() > FILE_BYTES_MAX {
            return findings.add(&file.path, "", format!("is larger than {FILE_BYTES_MAX} bytes"));
        }
        let code = code.to_owned();
        match folder {
            "agencies" => keep(&mut self.agencies, code, file, findings),
            "public_services" => keep(&mut self.services, code, file, findings),
            "life_events" => keep(&mut self.life_events, code, file, findings),
            _ => findings.add(&file.path, "", format!("{folder}/ is not a folder of the catalogue")),
        }
    }
}

fn keep<T: DeserializeOwned + Serialize>(
    into: &mut BTreeMap<String, T>,
    code: String,
    file: &SourceFile,
    findings: &mut Findings,
) {
    let read =
        toml::from_str::<T>(&file.text).and_then(|read| Ok((read, toml::from_str::<Value>(&file.text)?)));
    match read {
        Err(error) => findings.add(&file.path, "", error.to_string().trim_end()),
        Ok((read, written)) => {
            let understood = serde_json::to_value(&read).unwrap_or_default();
            for key in keys_not_understood(&written, &understood, "") {
                findings.add(&file.path, key, "is not a key of this file");
            }
            into.insert(code, read);
        }
    }
}

/// The keys that were written and read by nobody. Serde's `deny_unknown_fields` would also refuse stored
/// content that a newer version wrote, and two versions run on one database while one replaces the other.
fn keys_not_understood(written: &Value, understood: &Value, path: &str) -> Vec<String> {
    match (written, understood) {
        (Value::Object(written), Value::Object(understood)) => {
            let below = |(key, value): (&String, &Value)| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match understood.get(key) {
                    Some(understood) => keys_not_understood(value, understood, &path),
                    // An empty list says no more than one that is left out.
                    None if value.as_array().is_some_and(Vec::is_empty) => Vec::new(),
                    None => vec![path],
                }
            };
            written.iter().flat_map(below).collect()
        }
        (Value::Array(written), Value::Array(understood)) => {
            let pairs = written.iter().zip(understood).enumerate();
            let below = |(index, (written, understood))| {
                keys_not_understood(written, understood, &format!("{path}[{index}]"))
            };
            pairs.flat_map(below).collect()
        }
        _ => Vec::new(),
    }
}
