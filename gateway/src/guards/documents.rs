//! Trusted documents: read from manifests, found by id or by their text, and read again when these change.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{GuardError, manifest};

/// Bytes of one manifest.
const MANIFEST_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How GraphQL over HTTP marks an id that is a hash of the text.
const HASH_PREFIX: &str = "sha256:";

/// The documents of our own clients, as they are when the program is built.
pub const OWN: &[&str] = include!(concat!(env!("OUT_DIR"), "/operations.rs"));

/// All documents that clients may ask for by an id.
pub struct TrustedDocuments {
    places: Vec<PathBuf>,
    own: Vec<Arc<str>>,
    known: RwLock<Arc<Known>>,
    /// None before the first reading.
    seen: Mutex<Option<Stamps>>,
}

#[derive(Debug, Default)]
struct Known {
    /// Under the ids of manifests and under the hash of the text.
    by_id: HashMap<String, Arc<str>>,
    texts: HashSet<Arc<str>>,
}

/// What tells that a file has changed.
type Stamps = Vec<(PathBuf, Option<SystemTime>, u64)>;

impl TrustedDocuments {
    /// Reads the manifests, which must all be good now.
    pub fn open(places: Vec<PathBuf>, own: &[&'static str]) -> Result<Arc<Self>, GuardError> {
        let own = own.iter().map(|text| Arc::from(*text)).collect();
        let (known, seen) = (RwLock::default(), Mutex::default());
        let documents = Self { places, own, known, seen };
        documents.reload()?;
        Ok(Arc::new(documents))
    }

    /// The text of a document, by an id of a manifest or by its hash, with or without `sha256:`.
    pub fn text(&self, id: &str) -> Option<Arc<str>> {
        let known = self.known();
        let by_hash = || known.by_id.get(id.strip_prefix(HASH_PREFIX)?);
        known.by_id.get(id).or_else(by_hash).cloned()
    }

    /// Whether this is the text of one of them, to the letter.
    pub fn trusts(&self, text: &str) -> bool {
        self.known().texts.contains(text)
    }

    /// The texts of all of them: what will be asked, so what plans can be made for in advance.
    pub fn documents(&self) -> Vec<Arc<str>> {
        self.known().texts.iter().cloned().collect()
    }

    /// Reads the files again when one of them has changed; says whether. When one cannot be used, all stays.
    pub fn reload(&self) -> Result<bool, GuardError> {
        let files = self.files()?;
        let stamps: Stamps = files.iter().map(|file| stamp(file)).collect();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.as_ref() == Some(&stamps) {
            return Ok(false);
        }
        let mut known = Known::default();
        for text in &self.own {
            known.add(None, Arc::clone(text)).map_err(|reason| refused(Path::new("our own"), reason))?;
        }
        for file in &files {
            read(file, &mut known).map_err(|reason| refused(file, reason))?;
        }
        metrics::gauge!("graphql_trusted_documents").set(known.texts.len() as f64);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
        *seen = Some(stamps);
        Ok(true)
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn files(&self) -> Result<Vec<PathBuf>, GuardError> {
        let mut files = Vec::new();
        for place in &self.places {
            if !place.is_dir() {
                files.push(place.clone());
                continue;
            }
            let listed = std::fs::read_dir(place).map_err(|error| refused(place, error.to_string()))?;
            for file in listed {
                let file = file.map_err(|error| refused(place, error.to_string()))?.path();
                if file.extension().is_some_and(|extension| extension == "json") {
                    files.push(file);
                }
            }
        }
        files.sort();
        Ok(files)
    }
}

impl Known {
    fn add(&mut self, id: Option<String>, text: Arc<str>) -> Result<(), String> {
        let text = match self.texts.get(&text) {
            Some(known) => Arc::clone(known),
            None => {
                self.texts.insert(Arc::clone(&text));
                text
            }
        };
        for id in [Some(hash(&text)), id].into_iter().flatten() {
            let taken = self.by_id.insert(id, Arc::clone(&text)).filter(|other| *other != text);
            if taken.is_some() {
                return Err("one id stands for two documents".to_owned());
            }
        }
        Ok(())
    }
}

/// Looks at the files now and then, until `stop` or until nobody has the documents any longer.
pub fn keep_current(documents: &Arc<TrustedDocuments>, poll: Duration, stop: CancellationToken) {
    if documents.places.is_empty() {
        return;
    }
    let documents = Arc::downgrade(documents);
    tokio::spawn(async move {
        while stop.run_until_cancelled(tokio::time::sleep(poll)).await.is_some() {
            let Some(documents) = documents.upgrade() else { return };
            match tokio::task::spawn_blocking(move || documents.reload()).await {
                Ok(Ok(true)) => tracing::info!("the trusted documents were read anew"),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the trusted documents stay as they are"),
                Err(_) => tracing::error!("reading trusted documents panicked"),
            }
        }
    });
}

/// The hash of a document's text, in hexadecimal.
pub fn hash(text: &str) -> String {
    use std::fmt::Write as _;

    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::with_capacity(2 * digest.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn read(file: &Path, known: &mut Known) -> Result<(), String> {
    let bytes = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if bytes > MANIFEST_BYTES_MAX {
        return Err(format!("it is larger than {MANIFEST_BYTES_MAX} bytes"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    for manifest::Entry { id, text } in manifest::read(&text)? {
        known.add(Some(id.clone()), text.into()).map_err(|reason| format!("{id:?}: {reason}"))?;
    }
    Ok(())
}

fn stamp(file: &Path) -> (PathBuf, Option<SystemTime>, u64) {
    let metadata = std::fs::metadata(file).ok();
    let changed = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
    (file.to_owned(), changed, metadata.map_or(0, |metadata| metadata.len()))
}

fn refused(file: &Path, reason: String) -> GuardError {
    GuardError::Manifest { file: file.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        std::fs::write(folder.join(name), text).unwrap();
    }

    #[test]
    fn a_document_is_found_by_its_id_and_by_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "relay.json", r#"{"abc": "query B { b }"}"#);
        write(folder.path(), "notes.txt", "no manifest");
        let documents = TrustedDocuments::open(vec![folder.path().to_owned()], &["query A { a }"]).unwrap();
        assert_eq!(documents.text("abc").as_deref(), Some("query B { b }"));
        let hash = hash("query A { a }");
        assert_eq!(documents.text(&hash).as_deref(), Some("query A { a }"));
        assert_eq!(documents.text(&format!("sha256:{hash}")).as_deref(), Some("query A { a }"));
        assert_eq!(documents.text("sha256:abc").as_deref(), Some("query B { b }"));
        assert!(documents.text("abd").is_none());
        assert!(documents.trusts("query A { a }") && !documents.trusts("query A { a } "));
        assert_eq!(documents.documents().len(), 2);
    }

    #[test]
    fn what_changes_is_read_again_and_what_breaks_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a.json", r#"{"1": "{ a }"}"#);
        let documents = TrustedDocuments::open(vec![folder.path().to_owned()], &["{ own }"]).unwrap();
        assert!(!documents.reload().unwrap(), "nothing has changed");
        write(folder.path(), "b.json", r#"{"2": "{ b }"}"#);
        assert!(documents.reload().unwrap());
        assert!(documents.trusts("{ a }") && documents.trusts("{ b }") && documents.trusts("{ own }"));
        write(folder.path(), "b.json", r#"{"1": "{ another }"}"#);
        assert!(documents.reload().unwrap_err().to_string().contains("two documents"));
        assert!(documents.trusts("{ b }"));
        std::fs::remove_file(folder.path().join("b.json")).unwrap();
        assert!(documents.reload().unwrap());
        assert!(!documents.trusts("{ b }"));
        assert!(TrustedDocuments::open(vec![folder.path().join("none.json")], &[]).is_err());
    }

    #[test]
    fn the_documents_of_our_own_clients_are_in_the_program() {
        assert!(OWN.len() >= 30 && OWN.iter().any(|text| text.contains("mutation StartPayment")));
    }
}
