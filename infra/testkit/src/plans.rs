//! How PostgreSQL carries out the statements of a whole test process: every plan, with what it really read.

use std::fmt::Write;
use std::sync::Mutex;

use database::{Server, Settings, Target};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::TestDatabase;

/// A table of two megabytes may be read whole.
const SMALL_PAGES_MAX: u64 = 256;

static SEEN: Mutex<Vec<Plan>> = Mutex::new(Vec::new());

/// The process's one watcher: a test that uses it runs alone.
pub struct Plans;

/// One statement as it was carried out.
#[derive(Clone, Debug)]
pub struct Plan {
    pub statement: String,
    /// Pages read, from memory or disk.
    pub pages: u64,
    pub milliseconds: f64,
    /// Tables that were read from one end to the other.
    pub whole_tables: Vec<String>,
}

impl Plans {
    /// Begins to watch.
    pub fn watched() -> Self {
        tracing::subscriber::set_global_default(Watcher).expect("nobody else listens in this process");
        Self
    }

    /// The same database with PostgreSQL's own `auto_explain` loaded, and plans made for the values given
    /// (`force_custom_plan`) or for any (`force_generic_plan`). No statement is stopped for its length.
    pub fn target(place: &TestDatabase, cache_mode: &str) -> Target {
        let Target::Postgres { url } = &place.target else { panic!("plans are PostgreSQL's") };
        let options = [
            ("session_preload_libraries", "auto_explain"),
            ("auto_explain.log_min_duration", "0"),
            ("auto_explain.log_analyze", "on"),
            ("auto_explain.log_buffers", "on"),
            ("auto_explain.log_format", "json"),
            ("auto_explain.log_level", "warning"),
            ("plan_cache_mode", cache_mode),
            ("jit", "off"),
        ];
        let mark = if url.contains('?') { '&' } else { '?' };
        let options = options.map(|(name, value)| format!("options[{name}]={value}")).join("&");
        let unhurried = 3_600_000;
        let settings =
            Settings { statement_timeout_ms: unhurried, lock_timeout_ms: unhurried, ..Settings::default() };
        Target::Server(Box::new(Server {
            url: format!("{url}{mark}{options}"),
            settings,
            ..Server::default()
        }))
    }

    /// How many rows to make: `ROWS`, or so many as take a minute.
    pub fn rows_wanted() -> i64 {
        #[allow(clippy::disallowed_methods, reason = "test set-up, not configuration of the program")]
        std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(200_000)
    }

    /// What was carried out since the last time.
    pub fn taken(&self) -> Vec<Plan> {
        std::mem::take(&mut SEEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Plan {
    /// Out of what `auto_explain` says: `duration: 0.1 ms  plan: { … }`.
    fn read(notice: &str) -> Option<Self> {
        let (duration, plan) = notice.split_once("plan:")?;
        let milliseconds = duration.split_whitespace().nth(1)?.parse().ok()?;
        let plan: Value = serde_json::from_str(plan).ok()?;
        let root = &plan["Plan"];
        let mut whole_tables = Vec::new();
        whole_reads(root, &mut whole_tables);
        Some(Self {
            statement: plan["Query Text"].as_str()?.split_whitespace().collect::<Vec<_>>().join(" "),
            pages: pages_of(root),
            milliseconds,
            whole_tables,
        })
    }
}

/// The statements that read a table whole which is not `small`, or more than `pages_max`; prints the widest.
pub fn excesses(plans: &[Plan], small: &[&str], pages_max: u64) -> Vec<String> {
    let mut widest: Vec<_> = plans.iter().collect();
    widest.sort_by(|one, other| one.statement.cmp(&other.statement).then(other.pages.cmp(&one.pages)));
    widest.dedup_by(|one, other| one.statement == other.statement);
    widest.sort_by_key(|plan| std::cmp::Reverse(plan.pages));
    let shown = |plan: &Plan| {
        let (pages, milliseconds, whole) = (plan.pages, plan.milliseconds, &plan.whole_tables);
        format!("{pages} pages, {milliseconds:.1} ms, {whole:?}: {}", plan.statement)
    };
    for plan in widest.iter().take(8) {
        println!("  {}", shown(plan).chars().take(180).collect::<String>());
    }
    let stays_small =
        |table: &str| small.contains(&table) || table.starts_with("migration_of") || table.ends_with("_rest");
    let is_excess =
        |plan: &&&Plan| plan.pages > pages_max || plan.whole_tables.iter().any(|table| !stays_small(table));
    widest.iter().filter(is_excess).map(|plan| shown(plan)).collect()
}

fn pages_of(node: &Value) -> u64 {
    ["Shared Hit Blocks", "Shared Read Blocks"].iter().filter_map(|kind| node[kind].as_u64()).sum()
}

fn whole_reads(node: &Value, found: &mut Vec<String>) {
    if let (Some("Seq Scan"), Some(table)) = (node["Node Type"].as_str(), node["Relation Name"].as_str()) {
        // Of a few pages an index would be no help.
        if pages_of(node) > SMALL_PAGES_MAX {
            found.push(table.to_owned());
        }
    }
    for below in node["Plans"].as_array().into_iter().flatten() {
        whole_reads(below, found);
    }
}

struct Watcher;

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            _ = write!(self.0, "{value:?}");
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.0.push_str(value);
        }
    }
}

impl Subscriber for Watcher {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::postgres::notice"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        if let Some(plan) = Plan::read(&message.0) {
            SEEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(plan);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
