//! What the door lets in: documents, costs, quotas, how much at once, and pages of which origins.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Settings of the public door, section `[door]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DoorRules {
    /// Origins whose pages may ask us and open WebSockets: `["https://portal.example.go.th"]`. Our own is one
    /// always; in the sandbox so is every page of this machine.
    pub origins: Vec<String>,
    pub documents: Documents,
    pub cost: Cost,
    pub quotas: Quotas,
    pub overload: Overload,
}

/// Which documents are answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Documents {
    /// `off`, `allow`, `log` or `require`; when left out production requires trusted documents, and the
    /// sandbox allows all.
    pub mode: Option<DocumentMode>,
    /// Manifests of trusted documents, as the tools of Apollo iOS, Apollo Kotlin and Relay write them: files, or
    /// folders whose `*.json` are read.
    pub manifests: Vec<PathBuf>,
    /// How often these files are looked at; what changed is in force without a restart.
    pub poll_ms: u64,
    /// Whether clients may register documents by their hash (Apollo's automatic persisted queries), where
    /// trusted ones are not required.
    pub automatic: bool,
    /// Bytes of registered documents that one process remembers.
    pub automatic_bytes_max: u64,
}

/// What becomes of documents that are in no manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentMode {
    /// There are no trusted documents: each request brings its text.
    Off,
    /// Known ones may be asked for by their id, others are answered too.
    Allow,
    /// The same, and each that is not known is logged: what `require` would refuse.
    Log,
    /// Others are refused.
    Require,
}

/// What one operation may cost, by the weights and list sizes of the schema; 0 is no limit.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cost {
    /// For those who have not logged in.
    pub anonymous_max: u64,
    pub citizen_max: u64,
    pub officer_max: u64,
    /// For tokens of other authorization servers.
    pub partner_max: u64,
}

/// How much one caller may ask for in a minute, counted in cost: a small question counts one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quotas {
    /// When left out production counts, and the sandbox does not.
    pub on: Option<bool>,
    /// For everybody at one address who has not logged in. Behind a proxy that `proxies.trusted` does not
    /// name that is everybody.
    pub address_per_minute: u32,
    /// For one person, on all devices together.
    pub subject_per_minute: u32,
    /// For all callers of one client together, such as an app or a partner; 0 is no limit.
    pub client_per_minute: u32,
    /// Documents that one caller may bring in a minute of which this process knows nothing yet. Trusted ones do
    /// not count.
    pub new_documents_per_minute: u32,
    /// Root fields that are worth guessing or flooding; each time one stands in a document counts, whatever
    /// its alias.
    pub sensitive: Vec<String>,
    /// How many of them one caller may ask for in a minute.
    pub sensitive_per_minute: u32,
}

/// How much is worked on at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Overload {
    /// Operations that are executed at once; what waits for nothing but a cache does not count. When it is short,
    /// questions about the schema are refused first, then strangers, then reading, then changes; never `vital`
    /// ones before all is taken. One person has an eighth of it at most, one address of strangers half.
    pub executions_max: usize,
    /// Mutations that go before everything else, of those who have logged in.
    pub vital: Vec<String>,
    /// After how many seconds who was refused is asked to come back, and up to as many again.
    pub retry_after_s: u64,
    /// Connections that are open at once; more are told so and closed.
    pub connections_max: usize,
    /// How long a turn of this process may be delayed before it takes on less; 0 leaves it as it is.
    pub delay_max_ms: u64,
}

impl Documents {
    pub fn mode_in(&self, sandbox: bool) -> DocumentMode {
        self.mode.unwrap_or(if sandbox { DocumentMode::Allow } else { DocumentMode::Require })
    }
}

impl Default for Documents {
    fn default() -> Self {
        Self {
            mode: None,
            manifests: Vec::new(),
            poll_ms: 10_000,
            automatic: true,
            automatic_bytes_max: 16 * 1024 * 1024,
        }
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self { anonymous_max: 10_000, citizen_max: 10_000, officer_max: 20_000, partner_max: 10_000 }
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            on: None,
            address_per_minute: 60_000,
            subject_per_minute: 30_000,
            client_per_minute: 0,
            new_documents_per_minute: 600,
            sensitive: ["startPayment", "checkPayment", "confirmErasure"].map(str::to_owned).to_vec(),
            sensitive_per_minute: 30,
        }
    }
}

impl Default for Overload {
    fn default() -> Self {
        Self {
            executions_max: 512,
            vital: ["startPayment", "checkPayment"].map(str::to_owned).to_vec(),
            retry_after_s: 5,
            connections_max: 20_000,
            delay_max_ms: 0,
        }
    }
}
