//! Counts CPU time, not the clock on the wall: other programs on the machine then hardly matter. What is
//! compared takes turns, so that what still differs from minute to minute falls on all alike.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Turns each contender gets.
const ROUNDS: usize = 15;
/// How much a turn takes at least, so that the clock's own grain is nothing.
const TURN_MS_MIN: u64 = 40;

/// What one execution costs, in µs, in each of the turns.
pub struct Cost {
    pub name: &'static str,
    turns: Vec<f64>,
}

impl Cost {
    pub fn median(&self) -> f64 {
        median(self.turns.clone())
    }

    /// The median of the ratios within each round.
    pub fn ratio_to(&self, other: &Cost) -> f64 {
        median(self.turns.iter().zip(&other.turns).map(|(mine, theirs)| mine / theirs).collect())
    }
}

/// Whose time counts.
#[derive(Clone, Copy)]
pub enum Counted {
    /// All threads: for what is done by gateway and subgraphs together.
    Process,
    /// This thread: for the gateway alone, with everything else on other threads.
    Thread,
}

impl Counted {
    fn now(self) -> Duration {
        let now = clock_gettime(match self {
            Counted::Process => ClockId::ProcessCPUTime,
            Counted::Thread => ClockId::ThreadCPUTime,
        });
        Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
    }
}

/// A contender runs what it is named for as often as it is told.
pub type Contender<'a> = (&'static str, Box<dyn FnMut(usize) + 'a>);

pub fn compare(counted: Counted, mut contenders: Vec<Contender<'_>>) -> Vec<Cost> {
    let sizes: Vec<usize> = contenders.iter_mut().map(|(_, run)| turn_size(counted, run)).collect();
    let mut costs: Vec<Cost> =
        contenders.iter().map(|(name, _)| Cost { name, turns: Vec::with_capacity(ROUNDS) }).collect();
    for _ in 0..ROUNDS {
        for (((_, run), cost), times) in contenders.iter_mut().zip(&mut costs).zip(&sizes) {
            let before = counted.now();
            run(*times);
            let spent = counted.now() - before;
            cost.turns.push(spent.as_secs_f64() * 1e6 / *times as f64);
        }
    }
    costs
}

/// How many executions fill a turn; finding it out warms everything up too.
fn turn_size(counted: Counted, run: &mut Box<dyn FnMut(usize) + '_>) -> usize {
    let mut times = 1;
    loop {
        let before = counted.now();
        run(times);
        if counted.now() - before >= Duration::from_millis(TURN_MS_MIN) {
            return times;
        }
        times *= 2;
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
