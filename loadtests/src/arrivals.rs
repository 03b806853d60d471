//! When requests are due: at a fixed rate or at random (Poisson), whatever becomes of those before.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A stretch of time with one rate, or a rate that moves evenly from one to another.
#[derive(Clone, Debug)]
pub struct Stretch {
    pub lasts: Duration,
    pub from_per_s: f64,
    pub to_per_s: f64,
}

/// One request that is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Due {
    pub at: Duration,
    /// The index of the stretch it belongs to.
    pub stretch: usize,
}

/// All that is due, in order.
pub struct Arrivals {
    stretches: Vec<Stretch>,
    /// Random gaps instead of even ones; the same seed gives the same gaps.
    random: Option<StdRng>,
    stretch: usize,
    stretch_began_s: f64,
    /// How many requests of this stretch must have become due for the next one.
    next: f64,
}

impl Arrivals {
    pub fn new(stretches: Vec<Stretch>, poisson: bool, seed: u64) -> Self {
        let random = poisson.then(|| StdRng::seed_from_u64(seed));
        let mut arrivals = Self { stretches, random, stretch: 0, stretch_began_s: 0.0, next: 0.0 };
        arrivals.next = arrivals.share();
        arrivals
    }

    /// The gap to the next request, in requests: one, or one on average.
    fn share(&mut self) -> f64 {
        self.random.as_mut().map_or(1.0, |random| {
            let even: f64 = random.random();
            -(1.0 - even).ln()
        })
    }
}

impl Iterator for Arrivals {
    type Item = Due;

    fn next(&mut self) -> Option<Due> {
        loop {
            let stretch = self.stretches.get(self.stretch)?;
            let lasts = stretch.lasts.as_secs_f64();
            let from = stretch.from_per_s;
            let all = (from + stretch.to_per_s) / 2.0 * lasts;
            if self.next >= all {
                self.next -= all;
                self.stretch_began_s += lasts;
                self.stretch += 1;
                continue;
            }
            // By then `from * t + rise / 2 * t²` have become due, which is solved for t.
            let rise = (stretch.to_per_s - from) / lasts;
            let root = (from * from + 2.0 * rise * self.next).max(0.0).sqrt();
            let at_s = self.stretch_began_s + 2.0 * self.next / (from + root);
            let due = Due { at: Duration::from_secs_f64(at_s), stretch: self.stretch };
            self.next += self.share();
            return Some(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(seconds: u64, from_per_s: f64, to_per_s: f64) -> Stretch {
        Stretch { lasts: Duration::from_secs(seconds), from_per_s, to_per_s }
    }

    #[test]
    fn a_fixed_rate_is_even() {
        let due: Vec<Due> = Arrivals::new(vec![stretch(2, 100.0, 100.0)], false, 0).collect();
        assert!((198..=200).contains(&due.len()), "{}", due.len());
        assert!((due[1].at - due[0].at).abs_diff(Duration::from_millis(10)) < Duration::from_micros(1));
    }

    #[test]
    fn a_random_rate_holds_on_average_and_its_gaps_scatter_as_much_as_they_last() {
        let due: Vec<Due> = Arrivals::new(vec![stretch(100, 100.0, 100.0)], true, 7).collect();
        assert!((9_500..10_500).contains(&due.len()), "{}", due.len());
        let gaps: Vec<f64> = due.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((0.9..1.1).contains(&(variance.sqrt() / mean)));
    }

    #[test]
    fn a_ramp_brings_the_mean_of_its_ends() {
        let due: Vec<Due> = Arrivals::new(vec![stretch(10, 0.0, 200.0)], false, 0).collect();
        assert!((995..=1_000).contains(&due.len()), "{}", due.len());
    }

    #[test]
    fn each_request_knows_its_stretch() {
        let stretches = vec![stretch(1, 10.0, 10.0), stretch(1, 0.0, 0.0), stretch(1, 20.0, 20.0)];
        let due: Vec<Due> = Arrivals::new(stretches, false, 0).collect();
        for due in &due {
            let (at_s, began_s) = (due.at.as_secs_f64(), due.stretch as f64);
            assert!(due.stretch != 1 && (began_s..began_s + 1.000_001).contains(&at_s), "{due:?}");
        }
        assert!(due.iter().any(|due| due.stretch == 2));
    }
}
