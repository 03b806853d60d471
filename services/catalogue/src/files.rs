//! Folders of catalogue files: reading one to publish it, writing one out of what is published.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use crate::Error;
use crate::model::{FILE_BYTES_MAX, Findings, Offering, PublicService, SourceFile};
use crate::store::{ServiceRecord, Store};

const FOLDERS: [&str; 3] = ["agencies", "public_services", "life_events"];
const FILES_MAX: usize = 20_000;
/// Rows read at a time.
const PAGE_ROWS: i64 = 200;

/// What was written out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    pub agencies: usize,
    pub services: usize,
    pub life_events: usize,
    /// Files that were there before and are not of what is published; they were left as they are.
    pub left: Vec<String>,
}

/// The catalogue files below `directory`.
pub fn below(directory: &Path) -> Result<Vec<SourceFile>, Error> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Directory { path, source }
    };
    let mut files = Vec::new();
    let mut findings = Findings::default();
    for folder in FOLDERS {
        let below = directory.join(folder);
        if !below.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&below).map_err(at(&below))? {
            let path = entry.map_err(at(&below))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if !name.ends_with(".toml") {
                continue;
            }
            if files.len() == FILES_MAX {
                findings.add(folder, "", format!("more than {FILES_MAX} files"));
                return Err(findings.into());
            }
            // Told by its size alone: what is too large is not read.
            let bytes = std::fs::metadata(&path).map_err(at(&path))?.len();
            if bytes > FILE_BYTES_MAX as u64 {
                findings.add(
                    &format!("{folder}/{name}"),
                    "",
                    format!("is larger than {FILE_BYTES_MAX} bytes"),
                );
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(at(&path))?;
            files.push(SourceFile { path: format!("{folder}/{name}"), text });
        }
    }
    if files.is_empty() && findings.0.is_empty() {
        findings.add(&directory.display().to_string(), "", "holds no catalogue files");
    }
    findings.into_result()?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// Writes all that is published in `store` into `directory`.
pub async fn export(store: &Store, directory: &Path, overwrite: bool) -> Result<Exported, Error> {
    let publication = store.publication().await?;
    let mut target = Target::open(directory, overwrite)?;
    let mut exported = Exported::default();
    let mut after = None;
    loop {
        let page = store.agencies(after.as_deref(), PAGE_ROWS).await?;
        after = page.last().map(|agency| agency.code.clone());
        for agency in &page {
            target.write("agencies", &agency.code, &agency.content)?;
            exported.agencies += 1;
        }
        if page.is_empty() {
            break;
        }
    }
    for listed in store.listing().await?.services {
        for record in store.services(&[listed.code]).await? {
            let service = whole(store, record).await?;
            target.write("public_services", &service.0, &service.1)?;
            exported.services += 1;
        }
    }
    let mut after = None;
    loop {
        let page = store.life_events(after.as_deref(), PAGE_ROWS).await?;
        after = page.last().map(|event| event.code.clone());
        for event in &page {
            target.write("life_events", &event.code, &event.content)?;
            exported.life_events += 1;
        }
        if page.is_empty() {
            break;
        }
    }
    if store.publication().await? != publication {
        return Err(Error::PublishedMeanwhile);
    }
    exported.left = target.before.into_iter().collect();
    Ok(exported)
}

/// A service with all its offerings: its code, and what its file says.
async fn whole(store: &Store, record: ServiceRecord) -> Result<(String, PublicService), Error> {
    let ServiceRecord { code, content: mut service, .. } = record;
    loop {
        let after = service.offerings.last().map(|offering: &Offering| offering.agency.clone());
        let page = store.offerings_of(std::slice::from_ref(&code), None, after.as_deref(), PAGE_ROWS).await?;
        if page.is_empty() {
            return Ok((code, service));
        }
        service.offerings.extend(page.iter().map(|record| record.content.offering()));
    }
}

/// A folder that is written to, and the catalogue files in it that were not replaced yet.
struct Target<'a> {
    directory: &'a Path,
    before: BTreeSet<String>,
}

impl<'a> Target<'a> {
    fn open(directory: &'a Path, overwrite: bool) -> Result<Self, Error> {
        let failed = |source| Error::Directory { path: directory.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(failed)?;
        if std::fs::read_dir(directory).map_err(failed)?.next().is_some() && !overwrite {
            return Err(Error::NotEmpty(directory.to_owned()));
        }
        let mut before = BTreeSet::new();
        for folder in FOLDERS {
            let below = directory.join(folder);
            std::fs::create_dir_all(&below).map_err(failed)?;
            for entry in std::fs::read_dir(&below).map_err(failed)? {
                let name = entry.map_err(failed)?.file_name();
                let name = name.to_string_lossy();
                if name.ends_with(".toml") {
                    before.insert(format!("{folder}/{name}"));
                }
            }
        }
        Ok(Self { directory, before })
    }

    fn write(&mut self, folder: &str, code: &str, content: &impl Serialize) -> Result<(), Error> {
        let file = format!("{folder}/{code}.toml");
        let text = toml::to_string_pretty(content)
            .map_err(|source| Error::NotWritable { file: file.clone(), source })?;
        let path = self.directory.join(&file);
        std::fs::write(&path, text).map_err(|source| Error::Directory { path, source })?;
        self.before.remove(&file);
        Ok(())
    }
}
