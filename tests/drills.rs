//! Under load processes, databases and Redis die, stand still and lie; afterwards nothing is lost or doubled.
//!
//! `make drill` runs them on PostgreSQL with a synchronous standby, fsync on. `DRILL=` names one, `SEED=`
//! replays one load, `RATE=` says how many citizens come per second. A citizen finds, logs in, files, is
//! decided on, pays and sees it through, sending each change again under one key until it is answered.

mod balancer;
mod disk;
mod fault;
mod fleet;
mod load;
mod probe;
mod provider;
mod servers;

use std::time::{Duration, Instant};

use crate::kills::setting;
use fault::Fault;
use fleet::Fleet;
use load::Load;

/// Citizens per second, where `RATE=` says nothing: a whole way costs two cores about a second in a
/// debug build.
const PER_S: f64 = 0.5;
/// How long citizens come in each drill, and when the misfortune begins.
const LASTS: Duration = Duration::from_secs(24);
const CALM: Duration = Duration::from_secs(4);
/// How long after any one misfortune all must be well again.
const RECOVERY_MAX: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes long: make drill"]
async fn whatever_dies_stops_or_lies_nothing_is_lost_or_doubled() {
    let wanted = setting("DRILL");
    if wanted.as_deref() == Some("full-disk") {
        return;
    }
    let addresses = servers::up().await;
    let at = |name: &str| addresses.iter().find(|(server, _)| server == name).expect("it runs").1.clone();
    let seed = setting("SEED").map(|seed| seed.parse().expect("a seed is a number"));
    let groups = [(at("redis-cluster"), &Fault::ON_CLUSTER[..]), (at("redis"), &Fault::ON_REDIS[..])];
    let mut ran = 0;
    for (redis, faults) in groups {
        let faults = faults.iter().filter(|fault| wanted.as_ref().is_none_or(|name| *name == fault.name()));
        let faults: Vec<Fault> = faults.copied().collect();
        if faults.is_empty() {
            continue;
        }
        let mut fleet = Fleet::start(&redis).await;
        for fault in faults {
            drill(&mut fleet, fault, seed.unwrap_or_else(|| u64::from(rand::random::<u32>()))).await;
            ran += 1;
        }
    }
    assert!(ran > 0, "there is no drill called {wanted:?}");
}

/// One misfortune in the middle of one load.
async fn drill(fleet: &mut Fleet, fault: Fault, seed: u64) {
    let per_s = setting("RATE").map_or(PER_S, |rate| rate.parse().expect("a rate is a number"));
    let load = Load { seed, per_s, lasts: LASTS };
    let name = fault.name();
    let probe = fleet.probe().await;
    let Fleet { world, processes, provider, .. } = fleet;
    let misfortune = async {
        tokio::time::sleep(CALM).await;
        let begun = Instant::now();
        fault.befall(processes, provider).await;
        begun
    };
    let (done, begun) = tokio::join!(load::come(world, load), misfortune);
    let through = Instant::now();
    let felt = probe.end().await;
    let journeys = done.len();
    fleet.done.extend(done);
    let faults = fleet.faults().await;
    let recovery = felt.until_well(begun);
    println!(
        "DRILL={name} SEED={seed}: felt for {:.1} s, {} of {} small questions failed; {journeys} citizens through; \
         all settled {:.0} s later",
        recovery.as_secs_f64(),
        felt.failed.len(),
        felt.asked,
        through.elapsed().as_secs_f64(),
    );
    assert!(faults.is_empty(), "DRILL={name} SEED={seed}\n  {}\n{}", faults.join("\n  "), fleet.said());
    assert!(recovery < RECOVERY_MAX, "DRILL={name} SEED={seed}: {recovery:?}\n{}", fleet.said());
    if fault.is_invisible() {
        assert!(felt.failed.is_empty(), "DRILL={name} SEED={seed}: somebody noticed\n{}", fleet.said());
    }
}
