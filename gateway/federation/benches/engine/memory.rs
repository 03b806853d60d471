//! Whether memory stays as it is under many requests.

use federation::RequestContext;

use crate::large::{canned, ready};

const REQUESTS: usize = 20_000;

pub fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (engine, prepared) = ready(canned().0);
    let context = RequestContext::default();
    let mut sizes = Vec::new();
    for _ in 0..4 {
        runtime.block_on(async {
            for _ in 0..REQUESTS / 4 {
                engine.execute(&prepared, &context).await.to_json_bytes();
            }
        });
        sizes.push(format!("{:.1}", resident_kib() / 1024.0));
    }
    println!("\nResident MiB after each quarter of {REQUESTS} large answers: {}", sizes.join(", "));
}

fn resident_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
