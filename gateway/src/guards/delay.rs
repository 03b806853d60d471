//! Takes on less while this process lags behind, and more again when it does not.
//!
//! What shows that a process has too much to do, whatever the reason, is that its turns come late: a task that
//! sleeps for a moment wakes up long after it. The limit then falls by a fifth, and later rises in small steps.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::load::Load;

/// How long it sleeps.
const MOMENT: Duration = Duration::from_millis(50);
/// The limit never falls below this part of what is configured.
const LIMIT_PARTS: usize = 16;
/// In how many steps it comes back.
const STEPS: usize = 40;

/// Watches until `stop`; with no delay that is too much, not at all.
pub fn watch(load: &Arc<Load>, delay_max_ms: u64, stop: CancellationToken) {
    if delay_max_ms == 0 {
        return;
    }
    let (load, delay_max) = (Arc::downgrade(load), Duration::from_millis(delay_max_ms));
    tokio::spawn(async move {
        loop {
            let due = Instant::now() + MOMENT;
            if stop.run_until_cancelled(tokio::time::sleep_until(due)).await.is_none() {
                return;
            }
            let Some(load) = load.upgrade() else { return };
            let (running, limit) = load.state();
            let next = after(limit, running, load.limit_max(), due.elapsed() > delay_max);
            if next != limit {
                load.set_limit(next);
            }
        }
    });
}

/// The limit after one look.
fn after(limit: usize, running: usize, limit_max: usize, late: bool) -> usize {
    let limit_min = (limit_max / LIMIT_PARTS).max(1);
    if late {
        // From what there is: a limit far above it would take long to be felt.
        return (limit.min(running.max(limit_min)) * 4 / 5).max(limit_min);
    }
    (limit + (limit_max / STEPS).max(1)).min(limit_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_falls_fast_rises_slowly_and_stays_within_bounds() {
        assert_eq!(after(512, 400, 512, true), 320);
        assert_eq!(after(320, 320, 512, true), 256);
        assert_eq!(after(512, 0, 512, true), 32, "never to nothing");
        assert_eq!(after(32, 500, 512, true), 32);
        let (mut limit, mut looks) = (32, 0);
        while limit < 512 {
            limit = after(limit, limit, 512, false);
            looks += 1;
        }
        assert!((30..=STEPS).contains(&looks), "{looks}");
        assert_eq!((limit, after(512, 512, 512, false)), (512, 512));
        assert_eq!((after(1, 1, 1, true), after(1, 1, 1, false)), (1, 1));
    }
}
