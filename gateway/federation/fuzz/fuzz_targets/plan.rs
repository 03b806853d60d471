//! Runs `targets::plan` under libFuzzer.
#![no_main]

use federation_fuzz::{panics, targets};

libfuzzer_sys::fuzz_target!(init: panics::tell_apart(), |bytes: &[u8]| targets::plan::run(bytes));
