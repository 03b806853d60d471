//! The fuzzer's seeds, run again without it: every one stands for something that was found or must be reached.

#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

use std::path::Path;

fn run_all(target: &str, run: fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut seeds: Vec<_> = std::fs::read_dir(seeds).unwrap().map(|seed| seed.unwrap().path()).collect();
    assert!(!seeds.is_empty());
    seeds.sort();
    for seed in seeds {
        // Shown only if the seed fails.
        println!("{}", seed.display());
        run(&std::fs::read(&seed).unwrap());
    }
}

#[test]
fn documents_are_planned_and_answered_or_refused() {
    run_all("plan", targets::plan::run);
}

#[test]
fn whatever_subgraphs_answer_the_client_s_answer_has_its_shape() {
    run_all("answers", targets::answers::run);
}

#[test]
fn variables_that_are_accepted_are_of_their_types() {
    run_all("variables", targets::variables::run);
}

#[test]
fn what_comes_over_http_means_the_same_however_it_is_cut() {
    run_all("frames", targets::frames::run);
}
