//! Makes things go wrong when the scenario says so, and mends them again.

use std::time::{Duration, Instant};

use anyhow::Context;

use super::{Fault, What};
use crate::installation::Installation;
use crate::proxy;

/// Goes through the faults in order of time.
pub async fn happen(faults: &[Fault], installation: &Installation, begins: Instant) -> anyhow::Result<()> {
    let mut moves: Vec<(f64, &Fault, bool)> = faults
        .iter()
        .flat_map(|fault| [(fault.at_s, fault, true), (fault.at_s + fault.for_s, fault, false)])
        .collect();
    moves.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (at_s, fault, on) in moves {
        tokio::time::sleep_until((begins + Duration::from_secs_f64(at_s)).into()).await;
        eprintln!("{at_s:6.1} s  {} {}", fault.name, if on { "begins" } else { "is over" });
        turn(fault, on, installation)?;
    }
    Ok(())
}

fn turn(fault: &Fault, on: bool, installation: &Installation) -> anyhow::Result<()> {
    let nobody = || format!("{:?} befalls {:?}, which is not there", fault.name, fault.whom);
    if fault.what == What::Stop {
        let process = installation.process(&fault.whom).with_context(nobody)?;
        return process.signal(if on { "STOP" } else { "CONT" });
    }
    let proxy = installation.proxies.get(&fault.whom).with_context(nobody)?;
    proxy.set(match fault.what {
        _ if !on => proxy::Fault::None,
        What::Delay => proxy::Fault::Delay(Duration::from_millis(fault.delay_ms)),
        What::Silence => proxy::Fault::Silence,
        What::Dead | What::Stop => proxy::Fault::Dead,
    });
    Ok(())
}
