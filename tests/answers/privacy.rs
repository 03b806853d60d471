//! Nobody is ever served another person's answer: callers and documents by chance, with a cache and without.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::documents::{Dice, Question, Schema};
use crate::filing::{bill, decide, offering, parties, submitted_food_premises};
use crate::installation::Installation;
use crate::kills::setting;
use crate::person::Person;

/// Tokens live for five minutes.
const LOGIN_EVERY: Duration = Duration::from_secs(200);
const CALLERS: usize = 6;

/// Nobody, citizens with all scopes or one, officers of two agencies.
async fn callers(place: &Installation) -> Vec<Person<'_>> {
    vec![
        Person::nobody(place),
        Person::citizen(place, "somchai", "thaid").await,
        Person::citizen(place, "malee", "thaid").await,
        Person::citizen_with_scopes(place, "somchai", "openid profile:read").await,
        Person::officer(place, "officer-nonthaburi").await,
        Person::officer(place, "officer-chiangmai").await,
    ]
}

/// What was answered, without what belongs to the one request.
fn told(mut answer: Value) -> String {
    for error in answer.get_mut("errors").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(extensions) = error["extensions"].as_object_mut() {
            extensions.remove("requestId");
        }
    }
    answer.to_string()
}

/// Asks all questions of all callers, in this order; remembers a digest of each answer.
async fn ask(
    place: &Installation,
    questions: &[Question],
    asked: impl Iterator<Item = (usize, usize)>,
    mut hear: impl FnMut(usize, usize, [u8; 32], String),
) {
    let (mut people, mut since) = (callers(place).await, Instant::now());
    for (caller, number) in asked {
        if since.elapsed() > LOGIN_EVERY {
            (people, since) = (callers(place).await, Instant::now());
        }
        let Question { text, variables } = &questions[number];
        let answer = told(people[caller].query(text, variables.clone()).await);
        hear(caller, number, Sha256::digest(&answer).into(), answer);
    }
}

/// Compares `pairs` answers, of so many documents by chance, from this seed.
async fn compare(pairs: usize, documents: usize, seed: u64) {
    println!("seed {seed}");
    let mut place = Installation::start().await;
    let ids = things(&place).await;
    let (schema, mut dice) = (Schema::new(&ids), Dice(seed));
    let questions: Vec<Question> = (0..documents).map(|_| schema.question(&mut dice)).collect();
    let asked: Vec<(usize, usize)> =
        (0..pairs).map(|_| (dice.below(CALLERS), dice.below(questions.len()))).collect();

    let mut right = HashMap::new();
    place.restart_with(|config| config.answer_cache.enabled = false).await;
    let mut once = asked.clone();
    once.sort_unstable();
    once.dedup();
    let mut complete = 0;
    ask(&place, &questions, once.into_iter(), |caller, number, digest, answer| {
        complete += usize::from(!answer.contains("\"errors\""));
        right.insert((caller, number), (digest, answer));
    })
    .await;
    assert!(complete * 4 > right.len(), "{complete} of {} are answers without errors", right.len());

    place.restart_with(|config| config.answer_cache.enabled = true).await;
    ask(&place, &questions, asked.into_iter(), |caller, number, digest, answer| {
        let (known, uncached) = &right[&(caller, number)];
        assert!(
            *known == digest,
            "caller {caller} of seed {seed} was served another answer to {:?}:\n{answer}\nwithout a cache:\n{uncached}",
            questions[number]
        );
    })
    .await;
}

/// An application, its bill, its offering and its party: things that are not everybody's to see.
async fn things(place: &Installation) -> Vec<String> {
    let somchai = Person::citizen(place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(place, &somchai, &me).await;
    let officer = Person::officer(place, "officer-nonthaburi").await;
    decide(&officer, "TakeApplication", &application, json!({})).await;
    decide(&officer, "ApproveApplication", &application, json!({ "reason": "ครบถ้วน" })).await;
    let bill = bill(&somchai, &application).await;
    let offering = offering(place, "LAO-01", "1201").await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    vec![text(&application), text(&bill["id"]), offering, me]
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_cache_everyone_is_told_what_they_are_told_without() {
    compare(600, 60, rand::random()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a hundred thousand pairs take minutes: make privacy"]
async fn a_hundred_thousand_answers_are_the_same_with_a_cache_and_without() {
    let seed = setting("SEED").map_or_else(rand::random, |seed| seed.parse().unwrap());
    let pairs = setting("PAIRS").map_or(100_000, |pairs| pairs.parse().unwrap());
    compare(pairs, pairs / 100 + 10, seed).await;
}
