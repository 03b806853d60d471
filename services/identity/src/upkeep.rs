//! What identity does by itself, again and again: hears of other processes, and forgets.

use std::sync::PoisonError;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::http::answer;
use crate::http::signer::LOGOUT_HINT_DAYS;
use crate::{Error, Service};

/// How far back is read again: clocks differ, and an end is seen only once it is committed.
const OVERLAP_S: i64 = 60;
/// Parts in which one call forgets, at most.
const PARTS_MAX: usize = 50;

impl Service {
    /// Learns which sessions other processes on this database ended, and which keys they made. To be called
    /// every few seconds: until then their ended sessions' access tokens are still taken here.
    pub async fn tend(&self) {
        if let Err(error) = self.hear_of_ends().await {
            answer::log(&error);
        }
        if let Err(error) = self.inner.signer.keep_current(&self.inner.store).await {
            answer::log(&error);
        }
    }

    /// Forgets what is long over: logins, codes, sessions, keys and the keys of repeated calls.
    pub async fn forget_old(&self) -> Result<(), Error> {
        let now = self.inner.clock.now();
        let hints = Duration::days(LOGOUT_HINT_DAYS);
        for _ in 0..PARTS_MAX {
            if !self.inner.store.forget_old(hints, now).await? {
                break;
            }
        }
        idempotency::forget_old(self.database(), now).await.map_err(crate::store::Error::from)?;
        Ok(())
    }

    /// The sessions that ended after one, in order, up to a bound: for processes that check tokens without
    /// this database.
    pub async fn sessions_ended_after(
        &self,
        last: (DateTime<Utc>, Uuid),
    ) -> Result<Vec<(DateTime<Utc>, Uuid)>, Error> {
        Ok(self.inner.store.sessions_ended_since(last).await?)
    }

    /// The keys that tokens verify with, as a JWKS.
    pub async fn public_keys(&self) -> serde_json::Value {
        if let Err(error) = self.inner.signer.keep_current(&self.inner.store).await {
            // Those that are known are still good.
            answer::log(&error);
        }
        self.inner.signer.jwks()
    }

    /// How many sessions this process knows to have ended: another number means news.
    pub fn ended_count(&self) -> u64 {
        self.inner.ended.count()
    }

    pub(crate) async fn hear_of_ends(&self) -> Result<(), Error> {
        let now = self.inner.clock.now();
        let heard = *self.inner.ends_heard_at.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = (heard - Duration::seconds(OVERLAP_S), Uuid::nil());
        loop {
            let ended = self.inner.store.sessions_ended_since(last).await?;
            let Some(end) = ended.last() else { break };
            last = *end;
            ended.iter().for_each(|(_, session)| self.inner.ended.add(*session));
        }
        *self.inner.ends_heard_at.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }
}
