//! Whose login this is: joining several Digital IDs to one person, never by name.
//!
//! An account `(issuer, sub)` that is known goes to its citizen. An unknown one joins the citizen
//! who holds the same 13-digit number only when this proofing is at IAL 2.1 or better; the holder's
//! was too, because only such a proofing lets a citizen hold the number. Anything weaker becomes a
//! citizen of its own that holds no number, so that a weak provider cannot take a person over. When
//! such an account is later proofed well and its number is held already, the account moves to the
//! holder: who it is has been proven; the weak record stays behind without a login.

use uuid::Uuid;

/// What is known before a login is booked.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The citizen of this `(issuer, sub)`, and whether that citizen holds a number already.
    pub account: Option<AccountHolder>,
    /// The citizen who holds this login's number.
    pub pid_holder: Option<Uuid>,
    /// Whether this login's number is believed: it has one, at a sufficient proofing.
    pub pid_believed: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct AccountHolder {
    pub citizen: Uuid,
    pub holds_pid: bool,
}

/// Whose login it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joining {
    /// The account's own citizen, who from now on holds the number if `claims_pid`.
    Account { citizen: Uuid, claims_pid: bool },
    /// Another account of a person we know by the number.
    SamePerson { citizen: Uuid },
    /// An account of a weak record whose number, now believed, another citizen of ours holds.
    Moved { citizen: Uuid },
    /// Nobody we know.
    NewPerson { claims_pid: bool },
    /// The account belonged to one person and now names another: refused, for people to look at.
    AnotherPerson,
}

/// Decides whose login it is.
pub fn join(known: Known) -> Joining {
    let holder = known.pid_holder.filter(|_| known.pid_believed);
    match (known.account, holder) {
        (Some(account), Some(holder)) if holder == account.citizen => {
            Joining::Account { citizen: account.citizen, claims_pid: false }
        }
        (Some(account), Some(_)) if account.holds_pid => Joining::AnotherPerson,
        (Some(_), Some(citizen)) => Joining::Moved { citizen },
        (Some(account), None) if account.holds_pid && known.pid_believed => Joining::AnotherPerson,
        (Some(account), None) => {
            Joining::Account { citizen: account.citizen, claims_pid: known.pid_believed }
        }
        (None, Some(citizen)) => Joining::SamePerson { citizen },
        (None, None) => Joining::NewPerson { claims_pid: known.pid_believed },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: Uuid = Uuid::from_u128(1);
    const TWO: Uuid = Uuid::from_u128(2);

    fn known(account: Option<AccountHolder>, pid_holder: Option<Uuid>, pid_believed: bool) -> Known {
        Known { account, pid_holder, pid_believed }
    }

    #[test]
    fn a_second_provider_joins_by_a_believed_number_only() {
        assert_eq!(join(known(None, Some(ONE), true)), Joining::SamePerson { citizen: ONE });
        assert_eq!(join(known(None, Some(ONE), false)), Joining::NewPerson { claims_pid: false });
    }

    #[test]
    fn a_better_proofing_of_a_known_account_claims_the_number() {
        let account = Some(AccountHolder { citizen: ONE, holds_pid: false });
        assert_eq!(join(known(account, None, true)), Joining::Account { citizen: ONE, claims_pid: true });
    }

    #[test]
    fn an_account_that_names_another_person_is_refused() {
        let account = Some(AccountHolder { citizen: ONE, holds_pid: true });
        assert_eq!(join(known(account, Some(TWO), true)), Joining::AnotherPerson);
        assert_eq!(join(known(account, None, true)), Joining::AnotherPerson);
    }

    #[test]
    fn a_weak_account_moves_to_the_person_it_is_later_proven_to_be() {
        let account = Some(AccountHolder { citizen: ONE, holds_pid: false });
        assert_eq!(join(known(account, Some(TWO), true)), Joining::Moved { citizen: TWO });
        assert_eq!(
            join(known(account, Some(TWO), false)),
            Joining::Account { citizen: ONE, claims_pid: false }
        );
    }

    proptest! {
        #[test]
        fn a_number_that_is_not_believed_never_leads_to_another_person(
            account in proptest::option::of(any::<bool>()),
            held in any::<bool>(),
        ) {
            let account = account.map(|holds_pid| AccountHolder { citizen: ONE, holds_pid });
            let joined = join(known(account, held.then_some(TWO), false));
            prop_assert_ne!(joined, Joining::SamePerson { citizen: TWO });
            prop_assert_ne!(joined, Joining::Moved { citizen: TWO });
            prop_assert_ne!(joined, Joining::NewPerson { claims_pid: true });
        }
    }
}
