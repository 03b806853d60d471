//! What is measured of one service's statements, and the spans they stand in: never a value.

use std::time::Instant;

use metrics::{Histogram, histogram};
use tracing::{Instrument, Span};

/// Connections of one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    pub used: u32,
    pub idle: u32,
    pub max: u32,
}

/// Handles, so that a statement does not look them up.
pub(crate) struct Meters {
    service: String,
    wait: Histogram,
    took: Histogram,
}

impl Meters {
    pub(crate) fn new(service: &str) -> Self {
        let service = service.to_owned();
        Self {
            wait: histogram!("database_wait_seconds", "database" => service.clone()),
            took: histogram!("database_statement_duration_seconds", "database" => service.clone()),
            service,
        }
    }

    /// Waits for a connection.
    pub(crate) async fn wait<T>(&self, connection: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let got = connection.await;
        self.wait.record(begun.elapsed());
        got
    }

    /// Runs one statement.
    pub(crate) async fn run<T>(&self, sql: &str, statement: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = statement.instrument(self.span(sql)).await;
        self.took.record(begun.elapsed());
        done
    }

    /// For traces alone: log lines do not show it.
    fn span(&self, sql: &str) -> Span {
        tracing::debug_span!(
            "sql",
            otel.name = summary(sql),
            otel.kind = "client",
            db.namespace = self.service,
            db.query.summary = summary(sql),
        )
    }
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.service)
    }
}

/// What is done to which table, such as `select bill`: of the text only two words that are names.
fn summary(sql: &str) -> String {
    // A bracket ends a name: what begins with one, such as a select within another, is none.
    let mut words = sql.split_whitespace().map(|word| word.split(['(', ')', ',', ';']).next().unwrap_or(""));
    let Some(first) = words.next().filter(|word| is_name(word)) else { return "other".to_owned() };
    let operation = first.to_ascii_lowercase();
    let table = match operation.as_str() {
        "update" => words.next(),
        "select" | "insert" | "delete" | "with" => words
            .find(|word| word.eq_ignore_ascii_case("from") || word.eq_ignore_ascii_case("into"))
            .and_then(|_| words.next()),
        _ => None,
    };
    match table.filter(|table| is_name(table)) {
        Some(table) => format!("{operation} {table}"),
        None => operation,
    }
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_summed_up_by_its_names_alone() {
        for (sql, told) in [
            ("select * from bill where id = $1", "select bill"),
            ("select count(*) from (select 1 from bill limit $1) as due", "select"),
            ("insert into payment (id, \n bill_id) values ($1, $2)", "insert payment"),
            ("update bill set status = 'OPEN'", "update bill"),
            ("delete from login_flow where expires_at < $1", "delete login_flow"),
            ("begin immediate", "begin"),
            ("select '1101700203451' from 'x'", "select"),
            ("1101700203451", "other"),
            ("", "other"),
        ] {
            assert_eq!(summary(sql), told, "{sql}");
        }
    }
}
