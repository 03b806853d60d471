//! How much is open at once: in this process, and by one who asks.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use graphql::ErrorCode;

use crate::config::Limits;
use crate::pipeline::{Caller, Refusal};

/// The network part of an IPv6 address: the rest is the holder's own to choose.
const IPV6_NETWORK: u128 = !0 << 64;

/// Who holds seats.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// Somebody who has logged in, wherever they are.
    Person(String),
    /// Everybody else, by where they come from.
    Address(IpAddr),
}

/// The seats that are taken.
#[derive(Default)]
pub struct Seats {
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_holder: HashMap<Holder, usize>,
}

/// One seat, given back when it is dropped.
pub struct Seat {
    seats: Arc<Seats>,
    holder: Holder,
}

impl Holder {
    pub fn of(caller: &Caller, address: IpAddr) -> Self {
        if let Some(subject) = &caller.subject {
            return Self::Person(subject.clone());
        }
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & IPV6_NETWORK).into(),
            address => address,
        })
    }
}

impl Seats {
    /// Takes a seat, or says whose seats are all taken.
    pub fn take(self: &Arc<Self>, holder: Holder, limits: &Limits) -> Result<Seat, Refusal> {
        let mut taken = self.taken();
        if taken.all >= limits.subscriptions_max {
            let message = "Too many subscriptions are open; try again later.";
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Overloaded, message));
        }
        taken.add(&holder, limits)?;
        taken.all += 1;
        metrics::gauge!("graphql_subscriptions_open").set(taken.all as f64);
        Ok(Seat { seats: Arc::clone(self), holder })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Makes it the seat of somebody else: of who its holder turned out to be.
    pub fn pass_to(&mut self, holder: Holder, limits: &Limits) -> Result<(), Refusal> {
        if holder != self.holder {
            let mut taken = self.seats.taken();
            taken.add(&holder, limits)?;
            taken.remove(&self.holder);
            self.holder = holder;
        }
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.all -= 1;
        metrics::gauge!("graphql_subscriptions_open").set(taken.all as f64);
        taken.remove(&self.holder);
    }
}

impl Taken {
    fn add(&mut self, holder: &Holder, limits: &Limits) -> Result<(), Refusal> {
        let holder_max = match holder {
            Holder::Person(_) => limits.subscriptions_per_person_max,
            Holder::Address(_) => limits.subscriptions_per_address_max,
        };
        let of_holder = self.by_holder.get(holder).copied().unwrap_or(0);
        if of_holder >= holder_max {
            let message = "You have too many subscriptions open; close one first.";
            return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, message));
        }
        self.by_holder.insert(holder.clone(), of_holder + 1);
        Ok(())
    }

    fn remove(&mut self, holder: &Holder) {
        let left = self.by_holder.get(holder).map_or(0, |count| count - 1);
        if left == 0 {
            self.by_holder.remove(holder);
        } else {
            self.by_holder.insert(holder.clone(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth::Principal;

    const LIMITS: fn() -> Limits = || Limits {
        subscriptions_max: 3,
        subscriptions_per_person_max: 2,
        subscriptions_per_address_max: 1,
        ..Limits::default()
    };

    fn person(name: &str) -> Holder {
        Holder::Person(name.to_owned())
    }

    #[test]
    fn nobody_takes_more_seats_than_their_own_and_what_is_given_back_is_free() {
        let (seats, limits) = (Arc::new(Seats::default()), LIMITS());
        let status = |holder| seats.take(holder, &limits).map_err(|refusal| refusal.status);
        let first = status(person("a")).unwrap_or_else(|_| panic!("there is room"));
        let _second = status(person("a")).ok();
        assert_eq!(status(person("a")).err(), Some(StatusCode::TOO_MANY_REQUESTS));
        let stranger = status(Holder::Address(IpAddr::from([192, 0, 2, 1]))).ok();
        assert_eq!(status(person("b")).err(), Some(StatusCode::SERVICE_UNAVAILABLE));
        drop(first);
        assert!(status(person("a")).is_ok());
        drop(stranger);
        assert!(status(person("b")).is_ok());
        drop(_second);
        assert!(seats.taken().by_holder.is_empty() && seats.taken().all == 0);
    }

    #[test]
    fn addresses_of_one_network_are_one_holder() {
        let stranger = Caller {
            principal: Principal::Nobody,
            grants: crate::pipeline::grants(&Principal::Nobody),
            subject: None,
            expires_at: None,
            forwarded: Default::default(),
        };
        let holder = |address: &str| Holder::of(&stranger, address.parse().unwrap());
        assert_eq!(holder("2001:db8::1"), holder("2001:db8::ffff:1:2"));
        assert_ne!(holder("2001:db8::1"), holder("2001:db8:0:1::1"));
        assert_eq!(holder("::ffff:192.0.2.1"), holder("192.0.2.1"));
        assert_ne!(holder("192.0.2.1"), holder("192.0.2.2"));
    }
}
