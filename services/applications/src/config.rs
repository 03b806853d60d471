//! What an operator says about applications: where evidence is kept.

use chassis::Secret;
use serde::{Deserialize, Serialize};

/// Configuration of the applications service.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// An S3-compatible store for evidence files; when left out, the folder `evidence` under `data`. Files
    /// are encrypted before they leave this process, whichever it is.
    pub evidence_bucket: Option<Bucket>,
}

/// A bucket of an S3-compatible store.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Where the store is, such as `https://s3.example.go.th`; buckets are addressed by path.
    pub endpoint: String,
    /// The bucket's name. It must be there.
    pub name: String,
    /// The region requests are signed for.
    #[serde(default = "region")]
    pub region: String,
    /// The key's id.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: Secret,
    /// How long one request to the store may take, in milliseconds.
    #[serde(default = "request_timeout_ms")]
    pub request_timeout_ms: u64,
}

fn region() -> String {
    "us-east-1".to_owned()
}

fn request_timeout_ms() -> u64 {
    60_000
}

impl Config {
    /// What is missing for production, one line each.
    pub fn missing_for_production(&self) -> Vec<String> {
        let plain = self.evidence_bucket.as_ref().filter(|bucket| !bucket.endpoint.starts_with("https://"));
        plain
            .map(|_| "applications.evidence_bucket.endpoint must be reached over https".to_owned())
            .into_iter()
            .collect()
    }
}
