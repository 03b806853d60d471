//! Random documents over every world of the fixtures, answered by the engine and by a monolith, which must agree.
//!
//! A short run is part of the tests. A long one:
//! `DOCUMENTS=20000 SEED=7 cargo test -p federation --test federation -- --ignored differential`
//! (and `WORLD=media` for one world alone). A document that fails is made as small as it goes and printed with its world and seed; it is kept as a case
//! in `cases.rs`.

pub mod document;
mod known;
pub mod shrink;
mod values;
pub mod writer;

use document::Document;
use writer::Writer;

use crate::oracle::pair::{Outcome, Pair};
use crate::oracle::world::World;
use crate::random::dice::Dice;

const WORLDS: [&str; 6] = ["board", "gallery", "harbour", "kitchen", "media", "office"];

#[tokio::test]
async fn a_federation_answers_as_one_server_would() {
    let failures = run(&WORLDS, 1, 50).await;
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[tokio::test]
#[ignore = "as long as one likes"]
#[allow(clippy::disallowed_methods, reason = "a test has no configuration")]
async fn a_federation_answers_as_one_server_would_for_a_long_time() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |it| it.parse().unwrap());
    let one = std::env::var("WORLD");
    let worlds: Vec<_> =
        WORLDS.into_iter().filter(|name| one.as_ref().map_or(true, |it| it == name)).collect();
    let failures = run(&worlds, number("SEED", 1) as u64, number("DOCUMENTS", 20_000) / worlds.len()).await;
    assert!(failures.is_empty(), "{} failures\n\n{}", failures.len(), failures.join("\n\n"));
}

/// Asks so many valid documents of each world. Says what differs.
async fn run(worlds: &[&str], seed: u64, documents: usize) -> Vec<String> {
    let mut failures = Vec::new();
    for name in worlds {
        let pair = Pair::new(&World::read(name));
        let (mut valid, mut invalid, mut known) = (0, 0, 0);
        let mut dice = Dice::new(seed);
        while valid < documents {
            let split = dice.split();
            let document = Writer::new(&pair.truth.public, split).document();
            if known::shortcoming(name, &document).is_some() {
                known += 1;
                continue;
            }
            match pair.ask(&document.to_string(), &document.values()).await {
                Outcome::Invalid(_) => invalid += 1,
                Outcome::Same => valid += 1,
                Outcome::Different(_) => {
                    valid += 1;
                    failures.push(format!("world {name}\n{}", smallest(&pair, name, document)));
                }
            }
        }
        println!(
            "{name}: {valid} documents, and {invalid} that were not valid, {known} with known shortcomings"
        );
    }
    failures
}

fn smallest(pair: &Pair, world: &str, document: Document) -> String {
    let ask = |document: &Document| {
        futures::executor::block_on(pair.ask(&document.to_string(), &document.values()))
    };
    let document = shrink::shrink(document, |document| {
        known::shortcoming(world, document).is_none() && matches!(ask(document), Outcome::Different(_))
    });
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
