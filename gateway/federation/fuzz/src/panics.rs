//! Which panics end a run: all that nobody catches, and those in the engine's own files even if caught.

use std::collections::HashSet;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::{Mutex, Once, PoisonError};

/// The planner panics on some documents; the engine catches that and says the document cannot be planned.
/// libFuzzer's own hook aborts before anything is caught, so this one takes its place.
pub fn tell_apart() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let fuzzers_own = take_hook();
        let told = Mutex::new(HashSet::new());
        set_hook(Box::new(move |panic| match foreign(panic) {
            Some(place) => {
                if told.lock().unwrap_or_else(PoisonError::into_inner).insert(place) {
                    eprintln!("a panic outside of the engine: {panic}");
                }
            }
            None => fuzzers_own(panic),
        }));
    });
}

fn foreign(panic: &PanicHookInfo<'_>) -> Option<String> {
    let place = panic.location()?;
    place.file().contains("/registry/src/").then(|| place.to_string())
}
