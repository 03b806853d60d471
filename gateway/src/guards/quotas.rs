//! The quotas that are in force, where callers are counted at all.

use std::collections::HashSet;

use cache::Redis;
use clock::Clock;
use quota::{Quotas as Counts, Rate};

use crate::config::Quotas;

const MINUTE_S: u32 = 60;

/// How much callers may ask for, and who has asked for how much.
pub struct Counted {
    quotas: Counts,
    /// What may come from a cache is counted by this process alone: a question to Redis would cost more.
    /// Without Redis these are the same counts.
    own: Counts,
    address_rate: Rate,
    subject_rate: Rate,
    pub client_rate: Option<Rate>,
    pub new_documents_rate: Rate,
    pub sensitive: HashSet<String>,
    pub sensitive_rate: Rate,
}

impl Counted {
    /// None where nobody is counted.
    pub fn of(settings: &Quotas, sandbox: bool, redis: Option<Redis>, clock: Clock) -> Option<Self> {
        if !settings.on.unwrap_or(!sandbox) {
            return None;
        }
        let a_minute = |units| Rate::new(units, MINUTE_S);
        let own = Counts::new(None, clock.clone());
        let quotas = redis.map_or_else(|| own.clone(), |redis| Counts::new(Some(redis), clock));
        Some(Self {
            quotas,
            own,
            address_rate: a_minute(settings.address_per_minute),
            subject_rate: a_minute(settings.subject_per_minute),
            client_rate: (settings.client_per_minute > 0).then(|| a_minute(settings.client_per_minute)),
            new_documents_rate: a_minute(settings.new_documents_per_minute),
            sensitive: settings.sensitive.iter().cloned().collect(),
            sensitive_rate: a_minute(settings.sensitive_per_minute),
        })
    }

    /// How much a holder of this kind may ask for.
    pub fn rate(&self, kind: &str) -> Rate {
        if kind == "subject" { self.subject_rate } else { self.address_rate }
    }

    /// The counts for an operation, `public` when many may share its answer.
    pub fn counts(&self, public: bool) -> &Counts {
        if public { &self.own } else { &self.quotas }
    }
}
