//! Runs `target::run` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| payments_fuzz::target::run(bytes));
