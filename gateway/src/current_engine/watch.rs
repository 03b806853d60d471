//! Watches the file of the supergraph, and puts what it holds into use.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use federation::Engine;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::CurrentEngine;
use crate::guards::documents::TrustedDocuments;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Makes an engine of a supergraph's text, or says why that cannot be.
pub type Build = Arc<dyn Fn(&str) -> Result<Engine, String> + Send + Sync>;

/// A supergraph that may be replaced by writing its file.
pub struct SupergraphFile {
    path: PathBuf,
    /// What was last read and tried, good or not.
    text: String,
    /// How the file was when it was last looked at, and when it was last read.
    seen: Option<Stamp>,
    tried: Option<Stamp>,
    build: Build,
}

/// When a file was changed, and how long it is.
type Stamp = (SystemTime, u64);

/// An error and what is behind it, on one line.
pub fn reason(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        told = format!("{told}: {error}");
        source = error.source();
    }
    told
}

/// Reads a supergraph's file.
pub fn read(path: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

impl SupergraphFile {
    /// `text` is what the engine in use was made of.
    pub fn new(path: PathBuf, text: String, build: Build) -> Self {
        Self { path, text, seen: None, tried: None, build }
    }

    /// Looks at the file each second, and when told to by SIGHUP, until `stop`. The trusted documents are
    /// planned before a new engine answers.
    pub fn keep_current(
        self,
        engine: &Arc<CurrentEngine>,
        documents: &Arc<TrustedDocuments>,
        stop: &CancellationToken,
    ) {
        tokio::spawn(watch(self, Arc::clone(engine), Arc::clone(documents), stop.clone()));
    }

    /// Looks whether there is a new supergraph, and puts it into use. One that cannot be served changes
    /// nothing, and is told once. A file that changed since the last look may be half written, and half a
    /// supergraph may be one, too: it waits for the next. `anyway`: whoever says so has written it.
    pub async fn look(&mut self, current: &CurrentEngine, documents: &TrustedDocuments, anyway: bool) {
        let seen = std::fs::metadata(&self.path).ok();
        let seen = seen.and_then(|file| Some((file.modified().ok()?, file.len())));
        let settled = std::mem::replace(&mut self.seen, seen) == seen;
        if seen.is_none() || (!anyway && (!settled || seen == self.tried)) {
            return;
        }
        self.tried = seen;
        let text = match read(&self.path) {
            Ok(text) if text != self.text => text,
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(%error, file = %self.path.display(), "the supergraph cannot be read");
                return;
            }
        };
        self.text.clone_from(&text);
        let build = Arc::clone(&self.build);
        // It takes tens of milliseconds, on a thread where nobody waits.
        let built = tokio::task::spawn_blocking(move || build(&text)).await;
        let outcome = match built.unwrap_or_else(|_| Err("it makes the engine panic".to_owned())) {
            Ok(engine) => {
                let documents = documents.documents().iter().map(|text| text.as_ref().to_owned()).collect();
                current.replace(engine, documents).await;
                "used"
            }
            Err(reason) => {
                let file = self.path.display();
                tracing::error!(%reason, %file, "the new supergraph is refused; the old one stays in use");
                "refused"
            }
        };
        metrics::counter!("supergraph_replacements_total", "outcome" => outcome).increment(1);
    }
}

async fn watch(
    mut file: SupergraphFile,
    current: Arc<CurrentEngine>,
    documents: Arc<TrustedDocuments>,
    stop: CancellationToken,
) {
    let mut hangup =
        signal(SignalKind::hangup()).inspect_err(|error| tracing::warn!(%error, "SIGHUP is not heard")).ok();
    loop {
        let told = tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => false,
            () = heard(&mut hangup) => true,
        };
        file.look(&current, &documents, told).await;
    }
}

async fn heard(signal: &mut Option<Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending::<()>().await;
}
