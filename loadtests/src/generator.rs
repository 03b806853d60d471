//! The generator: sends what is due when it is due, and counts from then.
//!
//! It has a thread of its own, and another one that does nothing but wait for the next arrival: a slow answer, or a
//! generator that is short of time, shows in the latency of those that wait and never thins out the load.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::ensure;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::address::Loopback;
use crate::arrivals::{Arrivals, Due, Stretch};
use crate::connections::{Connections, NoAnswer};
use crate::operation::Operation;
use crate::series::{End, Measured, Place, Series};

/// Requests of one run at most.
const REQUESTS_MAX: f64 = 20_000_000.0;
/// How long one run may take.
const RUN_MAX: Duration = Duration::from_hours(24);
/// Requests on their way at once, at most.
const IN_FLIGHT_MAX: usize = 20_000;

/// What one request may take: seconds of the series are closed after some more.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// How fast requests are sent.
#[derive(Clone, Debug)]
pub enum Pace {
    /// Open loop: at the stretches' rates.
    Open { poisson: bool },
    /// Closed loop: each of so many connections sends the next request when the last is answered. For the cost of a
    /// request only: latencies of a closed loop flatter.
    Closed { connections: usize },
}

/// One run.
pub struct Run {
    pub target: Loopback,
    pub stretches: Vec<Stretch>,
    pub operations: Vec<Operation>,
    pub pace: Pace,
    pub seed: u64,
    /// Requests on their way at once; what is due beyond is counted as unsent.
    pub in_flight_max: usize,
    pub timeout: Duration,
}

impl Run {
    /// Open loop at one rate.
    pub fn open(target: &Loopback, operations: Vec<Operation>, per_s: f64, lasts: Duration) -> Self {
        let stretches = vec![Stretch { lasts, from_per_s: per_s, to_per_s: per_s }];
        let pace = Pace::Open { poisson: true };
        Self::new(target, operations, stretches, pace)
    }

    /// Closed loop over so many connections.
    pub fn closed(
        target: &Loopback,
        operations: Vec<Operation>,
        connections: usize,
        lasts: Duration,
    ) -> Self {
        let stretches = vec![Stretch { lasts, from_per_s: 0.0, to_per_s: 0.0 }];
        Self::new(target, operations, stretches, Pace::Closed { connections })
    }

    pub fn new(target: &Loopback, operations: Vec<Operation>, stretches: Vec<Stretch>, pace: Pace) -> Self {
        let timeout = Duration::from_secs(30);
        Self { target: target.clone(), stretches, operations, pace, seed: 1, in_flight_max: 512, timeout }
    }

    pub fn lasts(&self) -> Duration {
        self.stretches.iter().map(|stretch| stretch.lasts).sum()
    }

    fn check(&self) -> anyhow::Result<()> {
        let mean = |stretch: &Stretch| (stretch.from_per_s + stretch.to_per_s) / 2.0;
        let due: f64 = self.stretches.iter().map(|it| mean(it) * it.lasts.as_secs_f64()).sum();
        ensure!(due <= REQUESTS_MAX, "{due:.0} requests are more than {REQUESTS_MAX:.0}");
        ensure!(self.lasts() <= RUN_MAX, "a run takes at most {} hours", RUN_MAX.as_secs() / 3_600);
        ensure!(self.in_flight_max <= IN_FLIGHT_MAX, "at most {IN_FLIGHT_MAX} requests are sent at once");
        ensure!(self.timeout <= TIMEOUT_MAX, "a request takes at most {} s", TIMEOUT_MAX.as_secs());
        ensure!(self.operations.iter().any(|it| it.weight > 0.0), "there is nothing to send");
        Ok(())
    }

    /// Runs on a thread of its own. It begins at `begins`, so that others can look at the same moments.
    pub fn start(self, begins: Instant) -> anyhow::Result<Started> {
        self.check()?;
        let thread = std::thread::Builder::new().name("load".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let local = LocalSet::new();
            Ok(local.block_on(&runtime, self.go(begins)))
        })?;
        Ok(Started(thread))
    }

    async fn go(self, begins: Instant) -> Measured {
        let names = self.operations.iter().map(|operation| operation.name.clone()).collect();
        let sender = Rc::new(Sender {
            connections: Connections::new(self.target.clone()),
            series: RefCell::new(Series::new(self.stretches.len(), names)),
            chance: RefCell::new(StdRng::seed_from_u64(self.seed)),
            weights: self.operations.iter().map(|operation| operation.weight).sum(),
            operations: self.operations,
            in_flight: Cell::new(0),
            begins,
            timeout: self.timeout,
        });
        let lasts: Duration = self.stretches.iter().map(|stretch| stretch.lasts).sum();
        tokio::time::sleep_until(begins.into()).await;
        match self.pace {
            Pace::Open { poisson } => {
                let arrivals = Arrivals::new(self.stretches, poisson, self.seed);
                sender.clone().open(arrivals, self.in_flight_max).await;
            }
            Pace::Closed { connections } => sender.clone().closed(connections, begins + lasts).await,
        }
        let sender = Rc::into_inner(sender).expect("all requests have ended");
        sender.series.into_inner().finish()
    }
}

/// A run that is going on.
pub struct Started(JoinHandle<std::io::Result<Measured>>);

impl Started {
    /// Waits for its end.
    pub async fn measured(self) -> anyhow::Result<Measured> {
        let joined = tokio::task::spawn_blocking(move || self.0.join()).await?;
        Ok(joined.map_err(|_| anyhow::anyhow!("the generator panicked"))??)
    }
}

struct Sender {
    connections: Rc<Connections>,
    series: RefCell<Series>,
    chance: RefCell<StdRng>,
    operations: Vec<Operation>,
    weights: f64,
    in_flight: Cell<usize>,
    begins: Instant,
    timeout: Duration,
}

impl Sender {
    async fn open(self: Rc<Self>, arrivals: Arrivals, in_flight_max: usize) {
        let (tell, mut due) = mpsc::unbounded_channel::<Due>();
        let begins = self.begins;
        let pacer = std::thread::spawn(move || {
            for next in arrivals {
                let wait = (begins + next.at).saturating_duration_since(Instant::now());
                if !wait.is_zero() {
                    std::thread::sleep(wait);
                }
                if tell.send(next).is_err() {
                    break;
                }
            }
        });
        let mut requests = tokio::task::JoinSet::new();
        while let Some(due) = due.recv().await {
            let operation = self.pick();
            let place = Place { stretch: due.stretch, operation, second: due.at.as_secs() };
            if self.in_flight.get() >= in_flight_max {
                self.series.borrow_mut().count(place, End::Unsent, 0, 0);
                continue;
            }
            let sender = self.clone();
            self.in_flight.set(self.in_flight.get() + 1);
            requests.spawn_local(async move {
                if !sender.send(place, sender.begins + due.at).await {
                    sender.series.borrow_mut().count(place, End::Unsent, 0, 0);
                }
                sender.in_flight.set(sender.in_flight.get() - 1);
            });
            while requests.try_join_next().is_some() {}
        }
        while requests.join_next().await.is_some() {}
        drop(pacer.join());
    }

    async fn closed(self: Rc<Self>, connections: usize, ends: Instant) {
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..connections {
            let sender = self.clone();
            workers.spawn_local(async move {
                while Instant::now() < ends {
                    let operation = sender.pick();
                    let now = Instant::now();
                    let second = now.saturating_duration_since(sender.begins).as_secs();
                    if !sender.send(Place { stretch: 0, operation, second }, now).await {
                        return;
                    }
                }
            });
        }
        while workers.join_next().await.is_some() {}
    }

    /// Draws an operation by its weight.
    fn pick(&self) -> usize {
        let mut lot = self.chance.borrow_mut().random::<f64>() * self.weights;
        for (index, operation) in self.operations.iter().enumerate() {
            lot -= operation.weight;
            if lot < 0.0 {
                return index;
            }
        }
        self.operations.len() - 1
    }

    /// Sends one request and counts it from the moment it was due; false when there was none left.
    async fn send(&self, place: Place, due: Instant) -> bool {
        let operation = &self.operations[place.operation];
        let Some((prepared, nth)) = operation.next() else { return false };
        let request = prepared.request(&self.connections.target, nth);
        let answer = tokio::time::timeout(self.timeout, self.connections.send(request)).await;
        let latency_us = due.elapsed().as_micros() as u64;
        let (end, bytes) = match answer {
            Ok(Ok(answer)) => (operation.judge(answer.status, &answer.body), answer.body.len() as u64),
            Ok(Err(NoAnswer::NoConnection)) => (End::Failed("no connection"), 0),
            Ok(Err(NoAnswer::Broken)) => (End::Failed("broken connection"), 0),
            Err(_) => (End::Failed("timeout"), 0),
        };
        self.series.borrow_mut().count(place, end, latency_us, bytes);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Caller, Prepared};

    #[tokio::test]
    async fn what_is_due_when_nothing_is_left_to_send_counts_as_unsent() {
        let target = Loopback::parse("http://127.0.0.1:1").unwrap();
        let once = Operation::new("once", 1.0, vec![Prepared::get("/", Caller::Nobody)]).once();
        let run = Run {
            pace: Pace::Open { poisson: false },
            ..Run::open(&target, vec![once], 1_000.0, Duration::from_millis(5))
        };
        let measured = run.start(Instant::now()).unwrap().measured().await.unwrap();
        let all = &measured.stretches[0].all;
        assert_eq!((all.failed["no connection"], all.good), (1, 0));
        assert!(all.unsent >= 3, "{all:?}");
    }

    #[test]
    fn a_run_without_bounds_is_refused() {
        let target = Loopback::parse("http://127.0.0.1:1").unwrap();
        let operations = || vec![Operation::new("read", 1.0, vec![Prepared::get("/", Caller::Nobody)])];
        let open = |per_s, lasts_s| Run::open(&target, operations(), per_s, Duration::from_secs(lasts_s));
        assert!(open(1_000.0, 10).check().is_ok());
        assert!(open(1e9, 10).check().is_err() && open(f64::NAN, 10).check().is_err());
        assert!(open(0.1, 100_000).check().is_err());
        assert!(Run { timeout: Duration::from_secs(61), ..open(1.0, 1) }.check().is_err());
    }
}
