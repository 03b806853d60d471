//! What was asked and answered on one installation, so that it compares with another's.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::person::Person;

/// Names of values that are each installation's own.
const OWN: [&str; 11] = [
    "changedBy",
    "officerId",
    "requestId",
    "url",
    "qrPayload",
    "deepLink",
    "walletReference",
    "receiptNumber",
    "number",
    "endCursor",
    "dueOn",
];

#[derive(Default)]
pub struct Journal {
    /// Operations and their answers. Ids are numbered in the order they came, so that the same id
    /// in two answers is still the same; times and what is each installation's own are blanked.
    pub entries: Vec<(String, Value)>,
    ids: HashMap<String, usize>,
}

impl Journal {
    /// Asks, notes the answer and gives it as it came.
    pub async fn ask(&mut self, person: &Person<'_>, operation: &str, variables: Value) -> Value {
        let answer = person.send(operation, variables).await;
        self.note(operation, &answer);
        answer
    }

    pub fn note(&mut self, operation: &str, answer: &Value) {
        let comparable = self.comparable(answer);
        self.entries.push((operation.to_owned(), comparable));
    }

    fn comparable(&mut self, value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| {
                    let own = OWN.contains(&name.as_str()) && value.is_string();
                    (name.clone(), if own { json!("(its own)") } else { self.comparable(value) })
                });
                Value::Object(fields.collect::<Map<_, _>>())
            }
            Value::Array(items) => items.iter().map(|item| self.comparable(item)).collect(),
            Value::String(text) => Value::String(self.comparable_text(text)),
            other => other.clone(),
        }
    }

    fn comparable_text(&mut self, text: &str) -> String {
        if let Some((prefix, id)) = text.split_once('_')
            && id.len() == 32
            && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            let next = self.ids.len();
            let number = self.ids.entry(id.to_owned()).or_insert(next);
            return format!("{prefix}_{number}");
        }
        let time = text.parse::<DateTime<Utc>>();
        if time.is_ok() { "(a time)".to_owned() } else { text.to_owned() }
    }
}
