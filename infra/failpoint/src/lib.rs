//! Places at which a drill can end the process, as a power cut would.
//!
//! They stand around every commit, every call to a provider and every acknowledgement. No setting and
//! no request reaches them: only a test that runs the program in its own process can [`arm`] one.
//! Unarmed, a place costs one relaxed load.

use std::fs::File;
use std::io::Write;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// What is about to happen, or just has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    BeforeCommit,
    AfterCommit,
    /// A single statement that is a transaction of its own.
    BeforeWrite,
    AfterWrite,
    BeforeProvider,
    AfterProvider,
    BeforeNotification,
    /// A notification was recorded; its sender has not been told.
    BeforeAcknowledging,
    BeforeDelivery,
    /// A message was taken in; it is not marked as delivered.
    AfterDelivery,
}

impl Point {
    /// Every kind of place; a drill shows that it came by all of them.
    pub const ALL: [Self; 10] = [
        Self::BeforeCommit,
        Self::AfterCommit,
        Self::BeforeWrite,
        Self::AfterWrite,
        Self::BeforeProvider,
        Self::AfterProvider,
        Self::BeforeNotification,
        Self::BeforeAcknowledging,
        Self::BeforeDelivery,
        Self::AfterDelivery,
    ];
}

/// What a drill wants of this process from now on.
#[derive(Debug, Default)]
pub struct Drill {
    /// Ends the process when the place with this name is reached so many times.
    pub kill: Option<(String, u64)>,
    /// Where each place that is reached is written down, a line each.
    pub journal: Option<File>,
}

struct Running {
    drill: Drill,
    /// How often the fatal place was reached.
    reached: u64,
}

static ARMED: AtomicBool = AtomicBool::new(false);
static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

/// Begins a drill in this process, in place of an earlier one; counting begins anew.
pub fn arm(drill: Drill) {
    let running = Running { drill, reached: 0 };
    *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
    ARMED.store(true, Ordering::SeqCst);
}

/// The process comes by a place: the line of the caller.
#[inline]
#[track_caller]
pub fn reach(point: Point) {
    reach_at(point, Location::caller());
}

/// The same for a place whose name is not the line this is called from.
#[inline]
pub fn reach_at(point: Point, at: &'static Location<'static>) {
    if ARMED.load(Ordering::Relaxed) {
        reached(point, at);
    }
}

#[cold]
fn reached(point: Point, at: &'static Location<'static>) {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(running) = running.as_mut() else { return };
    let name = format!("{point:?} {}:{}", at.file(), at.line());
    if let Some(journal) = &mut running.drill.journal {
        // A journal that cannot be written shows itself by places that are missing.
        let _ = writeln!(journal, "{name}");
    }
    if let Some((fatal, nth)) = &running.drill.kill
        && *fatal == name
    {
        running.reached += 1;
        if running.reached == *nth {
            // No unwinding, no destructors, no last word.
            std::process::abort();
        }
    }
}
