//! Figures of one thing at a time, each a ratio or an invariant within one run.

pub mod cached;
pub mod hot_key;
pub mod submits;
pub mod subscriptions;
pub mod tracking;

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::address::Loopback;
use crate::generator::Run;
use crate::operation::Operation;
use crate::process::Process;
use crate::series::{Figures, Measured};

/// What one turn of a closed loop has cost a process.
pub struct Cost {
    pub cpu_ms: f64,
    pub figures: Figures,
}

impl Cost {
    pub fn per_cpu_s(&self) -> f64 {
        1e3 / self.cpu_ms
    }
}

/// Loads `target` over so many connections and counts the CPU of `process`; every answer must be good.
pub async fn cost(
    process: &Process,
    target: &Loopback,
    operation: Operation,
    connections: usize,
    lasts: Duration,
) -> anyhow::Result<Cost> {
    let before = process.cpu_s()?;
    let measured = go(Run::closed(target, vec![operation], connections, lasts)).await?;
    let cpu_s = process.cpu_s()? - before;
    let figures = measured.stretches[0].all.clone();
    let bad = figures.all() - figures.good;
    ensure!(bad == 0, "{} refused {}, failed {:?}", process.name, figures.refused, figures.failed);
    ensure!(figures.good > 0, "{} answered nothing in {lasts:?}", process.name);
    Ok(Cost { cpu_ms: cpu_s * 1e3 / figures.good as f64, figures })
}

pub async fn go(run: Run) -> anyhow::Result<Measured> {
    run.start(Instant::now())?.measured().await
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
