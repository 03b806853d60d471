//! The proof: over random worlds, for random callers, the federation answers as one schema filtered by the rules.
//!
//! A short run is part of the tests. A long one:
//! `CASES=20000 SEED=7 cargo test --release -p federation --test federation -- --ignored random::`.
//! A case that fails is printed with its seed and the smallest document that still fails.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use federation::{Grants, Unauthorized};

use super::dice::Dice;
use super::guards::caller;
use super::worlds::{Guarding, world};
use crate::differential::document::Document;
use crate::differential::shrink::shrink;
use crate::differential::writer::Writer;
use crate::oracle::pair::{Outcome, Pair};

/// Making a world costs as much as asking it several documents.
const DOCUMENTS_OF_A_WORLD: usize = 10;

/// Far longer than any case takes, on a busy machine too.
const CASE_MAX: Duration = Duration::from_secs(60);

const KINDS: [(Guarding, Unauthorized); 5] = [
    (Guarding::Open, Unauthorized::NullTheField),
    (Guarding::Composed, Unauthorized::NullTheField),
    (Guarding::Composed, Unauthorized::RefuseAll),
    (Guarding::Loose, Unauthorized::NullTheField),
    (Guarding::Loose, Unauthorized::RefuseAll),
];

#[tokio::test]
async fn a_federation_answers_each_caller_as_one_filtered_schema_would() {
    let failures = run(1, 100).await;
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[tokio::test]
#[ignore = "as long as one likes"]
#[allow(clippy::disallowed_methods, reason = "a test has no configuration")]
async fn a_federation_answers_each_caller_as_one_filtered_schema_would_for_a_long_time() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |it| it.parse().unwrap());
    let failures = run(number("SEED", 1), number("CASES", 20_000) as usize).await;
    assert!(failures.is_empty(), "{} failures\n\n{}", failures.len(), failures.join("\n\n"));
}

/// Asks so many valid documents. Says what differs.
async fn run(seed: u64, cases: usize) -> Vec<String> {
    let mut failures = Vec::new();
    let mut asked = 0;
    let watch = Watch::begin();
    for seed in seed.. {
        for (kind, (guarding, unauthorized)) in KINDS.into_iter().enumerate() {
            if asked >= cases {
                return failures;
            }
            let pair = Pair::with(&world(seed, guarding), unauthorized);
            let mut dice = Dice::new(seed);
            // Each kind of world is asked other documents.
            for _ in 0..kind {
                dice.split();
            }
            for number in 0..DOCUMENTS_OF_A_WORLD {
                let grants = caller(&mut dice);
                let document = Writer::new(&pair.truth.public, dice.split()).document();
                watch.asks(format!("{guarding:?} world {seed}, {unauthorized:?}\n{grants:?}\n{document}"));
                let outcome = pair.ask_as(&document.to_string(), &document.values(), &grants).await;
                match outcome {
                    Outcome::Invalid(_) => {}
                    Outcome::Same => asked += 1,
                    Outcome::Different(_) => {
                        asked += 1;
                        let case = format!("{guarding:?} world {seed}, {unauthorized:?}, document {number}");
                        failures.push(format!("{case}\n{grants:?}\n{}", smallest(&pair, document, &grants)));
                    }
                }
            }
        }
    }
    failures
}

/// Ends a run that hangs, and says where.
struct Watch(Arc<Mutex<(Instant, String)>>);

impl Watch {
    fn begin() -> Self {
        let asked = Arc::new(Mutex::new((Instant::now(), String::new())));
        let seen = Arc::downgrade(&asked);
        std::thread::spawn(move || {
            while let Some(asked) = seen.upgrade() {
                let (since, what) = asked.lock().unwrap().clone();
                if since.elapsed() > CASE_MAX {
                    eprintln!("this does not end:\n{what}");
                    std::process::exit(1);
                }
                drop(asked);
                std::thread::park_timeout(CASE_MAX / 10);
            }
        });
        Watch(asked)
    }

    fn asks(&self, what: String) {
        *self.0.lock().unwrap() = (Instant::now(), what);
    }
}

fn smallest(pair: &Pair, document: Document, grants: &Grants) -> String {
    let ask = |document: &Document| {
        futures::executor::block_on(pair.ask_as(&document.to_string(), &document.values(), grants))
    };
    let document = shrink(document, |document| matches!(ask(document), Outcome::Different(_)));
    let Outcome::Different(difference) = ask(&document) else { return "it does not fail again".to_owned() };
    format!(
        "{document}\nvariables {}\n{}\nasked\n  {}\nfederated {}\nmonolith  {}",
        serde_json::Value::Object(document.values()),
        difference.what.join("\n"),
        difference.asked.join("\n  "),
        difference.federated,
        difference.monolith,
    )
}
