//! How the switches stand now, from a memory that is never old.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clock::Clock;
use database::{Database, Error, Tx};
use outbox::{Message, Outbox};

use crate::record::{self, Change};
use crate::{Closure, Kind, Target};

/// How long what was read may serve: a switch moved in another process is felt here as soon.
pub const MEMORY_MS: u64 = 250;
/// When no process remembers what was before a change any more, one that was reading included.
const FELT_EVERYWHERE_MS: i64 = 500;

/// The switches of one service. Cloning shares them.
#[derive(Clone)]
pub struct Switches {
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) outbox: Outbox,
    memory: Arc<RwLock<Memory>>,
    /// Held while reading, so that one reads for all who ask.
    reading: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Memory {
    read_at: Option<Instant>,
    closures: Arc<BTreeMap<Target, Closure>>,
}

impl Memory {
    /// Whether it was new enough for who asked then. However long the reading took, all who waited for it
    /// take it: else, where the database is slow, each would read after the other.
    fn serves(&self, asked_at: Instant) -> bool {
        self.read_at.is_some_and(|read_at| asked_at < read_at + Duration::from_millis(MEMORY_MS))
    }
}

/// All closures, in force or planned, as they stood a moment ago.
#[derive(Clone, Debug)]
pub struct Closures {
    all: Arc<BTreeMap<Target, Closure>>,
    now: DateTime<Utc>,
}

impl Closures {
    /// The closure of this target that is in force.
    pub fn of(&self, kind: Kind, name: &str) -> Option<&Closure> {
        self.of_any(&[(kind, name)])
    }

    /// Of several targets that must all be open: the closure in force that ends last.
    pub fn of_any(&self, targets: &[(Kind, &str)]) -> Option<&Closure> {
        let in_force = self.known(targets).filter(|closure| closure.in_force(self.now));
        in_force.max_by_key(|closure| (closure.until.is_none(), closure.until))
    }

    /// The same of closures to come: the one that begins first.
    pub fn planned(&self, targets: &[(Kind, &str)]) -> Option<&Closure> {
        self.known(targets).filter(|closure| closure.from > self.now).min_by_key(|closure| closure.from)
    }

    /// Those of a kind, in force or planned, in order of name.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = (&str, &Closure)> {
        let live = self.all.iter().filter(move |(target, _)| target.kind == kind);
        live.filter(|(_, closure)| !closure.is_over(self.now))
            .map(|(target, closure)| (&*target.name, closure))
    }

    fn known(&self, targets: &[(Kind, &str)]) -> impl Iterator<Item = &Closure> {
        targets.iter().filter_map(|(kind, name)| self.all.get(&Target::new(*kind, *name)))
    }
}

impl Switches {
    /// Those whose record is in `database`, moved with a message to all who listen.
    pub fn new(database: Database, clock: Clock, outbox: Outbox) -> Self {
        Self { database, clock, outbox, memory: Arc::default(), reading: Arc::default() }
    }

    /// How all of them stand. While the database is away, as they stood last.
    pub async fn closures(&self) -> Result<Closures, Error> {
        let asked_at = Instant::now();
        if let Some(remembered) = self.remembered(asked_at) {
            return Ok(remembered);
        }
        let _one_at_a_time = self.reading.lock().await;
        if let Some(remembered) = self.remembered(asked_at) {
            return Ok(remembered);
        }
        // Taken before the question: what is committed after it may not be in the answer.
        let read_at = Instant::now();
        match record::closures(&self.database, self.clock.now()).await {
            Ok(read) => self.remember(read_at, Arc::new(read.into_iter().collect())),
            Err(error) => {
                let last = self.last().ok_or(error)?;
                tracing::warn!("switches cannot be read: they stay as they were");
                // From now on, as failing may have taken long: a database that is away must not hold up
                // each request.
                self.remember(Instant::now(), last.all);
            }
        }
        self.last().ok_or_else(record::lost)
    }

    /// Takes in a change that another service announced, once, in the caller's transaction.
    pub async fn hear(&self, tx: &mut Tx, change: &Change) -> Result<(), Error> {
        record::keep(tx, change).await?;
        self.forget_after_commit(tx);
        Ok(())
    }

    /// A page of what was done with one target, the latest first.
    pub async fn changes(&self, of: &Target, before: Option<i64>, limit: i64) -> Result<Vec<Change>, Error> {
        record::changes(&self.database, of, before, limit).await
    }

    /// Since when a target is open again, if it was ever closed.
    pub async fn open_since(&self, tx: &mut Tx, of: &Target) -> Result<Option<DateTime<Utc>>, Error> {
        let Some(last) = record::last(tx, of).await? else { return Ok(None) };
        let opened_at = match last.closure {
            None => Some(last.changed_at),
            Some(closure) => closure.until,
        };
        Ok(opened_at.filter(|at| *at <= self.clock.now()))
    }

    /// Tells of a change: now, and again when a closure begins and ends by itself.
    pub(crate) async fn tell(&self, tx: &mut Tx, change: &Change) -> Result<(), Error> {
        // Who listens has no need of who and why, which are for the record here.
        let (reason, changed_by) = ("as announced".to_owned(), change.target.kind.service().to_owned());
        let told = Change { reason, changed_by, ..change.clone() };
        let told = serde_json::to_value(told).unwrap_or_default();
        // Who asks at once may ask a process that remembers yet: told again when none does.
        let felt_at = change.changed_at + chrono::Duration::milliseconds(FELT_EVERYWHERE_MS);
        let mut moments = vec![change.changed_at, felt_at];
        if let Some(closure) = &change.closure {
            moments.extend([Some(closure.from), closure.until].into_iter().flatten());
            moments.retain(|moment| *moment >= change.changed_at);
            moments.sort_unstable();
            moments.dedup();
        }
        for moment in moments {
            let message = Message::new(change.target.kind.topic(), told.clone());
            self.outbox.publish(tx, message.not_before(moment)).await?;
        }
        self.forget_after_commit(tx);
        Ok(())
    }

    fn forget_after_commit(&self, tx: &mut Tx) {
        let memory = Arc::clone(&self.memory);
        tx.after_commit(move || {
            let mut memory = memory.write().unwrap_or_else(PoisonError::into_inner);
            // Too old to serve, but still there for when the database is away.
            memory.read_at = memory.read_at.and_then(|at| at.checked_sub(Duration::from_millis(MEMORY_MS)));
        });
    }

    fn remembered(&self, asked_at: Instant) -> Option<Closures> {
        let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        memory.serves(asked_at).then(|| self.closures_of(&memory))
    }

    /// What was read last, however long ago.
    fn last(&self) -> Option<Closures> {
        let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        memory.read_at.map(|_| self.closures_of(&memory))
    }

    fn closures_of(&self, memory: &Memory) -> Closures {
        Closures { all: Arc::clone(&memory.closures), now: self.clock.now() }
    }

    fn remember(&self, read_at: Instant, closures: Arc<BTreeMap<Target, Closure>>) {
        let read_at = Some(read_at);
        *self.memory.write().unwrap_or_else(PoisonError::into_inner) = Memory { read_at, closures };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_reading_serves_all_who_waited_for_it_and_none_who_asked_too_late() {
        let read_at = Instant::now();
        let memory = Memory { read_at: Some(read_at), closures: Arc::default() };
        let after = |ms| read_at + Duration::from_millis(ms);
        // It does not count when the reading came back: seconds later they still take it.
        let served: Vec<bool> = [0, MEMORY_MS - 1, MEMORY_MS].map(|ms| memory.serves(after(ms))).into();
        assert_eq!(served, [true, true, false]);
        assert!(!Memory::default().serves(read_at), "nothing was read yet");
    }
}
