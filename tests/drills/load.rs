//! Citizens come at random at a fixed rate, whatever becomes of those before, and go all the way.

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::kills::journey::Journey;
use crate::kills::world::World;

/// Who comes; the first two have companies.
const PERSONAS: [&str; 3] = ["somchai", "prasert", "malee"];

/// How many come, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub seed: u64,
    pub per_s: f64,
    pub lasts: Duration,
}

/// Lets them come and waits until all are through; gives each way and its application.
pub async fn come(world: &World, load: Load) -> Vec<(Journey, Value)> {
    let mut random = StdRng::seed_from_u64(load.seed);
    let begun = Instant::now();
    let (mut due, mut count) = (Duration::ZERO, 0);
    let mut under_way = FuturesUnordered::new();
    let mut done = Vec::new();
    loop {
        let even: f64 = random.random();
        due += Duration::from_secs_f64(-(1.0 - even).ln() / load.per_s);
        if due > load.lasts {
            break;
        }
        // Those under way go on while the next is waited for.
        let wait = tokio::time::sleep_until((begun + due).into());
        tokio::pin!(wait);
        loop {
            tokio::select! {
                () = &mut wait => break,
                Some(ended) = under_way.next() => done.push(ended),
            }
        }
        let (journey, persona) = drawn(&mut random, count);
        count += 1;
        under_way.push(async move { (journey, journey.go_as(world, persona).await) });
    }
    while let Some(ended) = under_way.next().await {
        done.push(ended);
    }
    done
}

/// Each way in turn, by somebody who can go it.
fn drawn(random: &mut StdRng, count: usize) -> (Journey, &'static str) {
    let journey = Journey::ALL[count % Journey::ALL.len()];
    let able = if journey == Journey::PaidBack { 2 } else { PERSONAS.len() };
    (journey, PERSONAS[random.random_range(0..able)])
}
