//! What a presented refresh token brings about: rotation, and the end of the family on reuse.

use chrono::{DateTime, Duration, Utc};

/// How long a lost answer may be asked for again, by the same DPoP key only.
pub const GRACE_S: i64 = 20;

/// A refresh token as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    pub state: RefreshState,
    /// The thumbprint of the DPoP key it is bound to; tokens without DPoP have none.
    pub key_thumbprint: Option<String>,
    /// When the whole session ends, whatever is rotated until then.
    pub session_expires_at: DateTime<Utc>,
    pub session_ended: bool,
}

/// Active until it is used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshState {
    Active,
    Rotated { at: DateTime<Utc> },
}

/// What is to be done about a presented token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// Rotate it and answer with its successor.
    Rotate,
    /// The answer was lost on the way: give its holder a successor once more.
    Repeat,
    /// Somebody else has it too: end the session and all that came from it.
    RevokeFamily,
    /// Too late or over: nothing changes.
    Refuse,
}

impl RefreshToken {
    /// What presenting this token at `now`, with or without a DPoP key, brings about.
    pub fn presented(&self, key_thumbprint: Option<&str>, now: DateTime<Utc>) -> Presented {
        if self.session_ended || now >= self.session_expires_at {
            return Presented::Refuse;
        }
        let bound_to_caller = self.key_thumbprint.as_deref() == key_thumbprint;
        match self.state {
            // An app that has learned DPoP binds the session it has: nobody can undo that.
            RefreshState::Active if bound_to_caller || self.key_thumbprint.is_none() => Presented::Rotate,
            RefreshState::Active => Presented::Refuse,
            // Without a key nobody can tell the holder from a thief: no grace.
            RefreshState::Rotated { at }
                if bound_to_caller && key_thumbprint.is_some() && now - at <= Duration::seconds(GRACE_S) =>
            {
                Presented::Repeat
            }
            RefreshState::Rotated { .. } => Presented::RevokeFamily,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(state: RefreshState, key: Option<&str>) -> RefreshToken {
        RefreshToken {
            state,
            key_thumbprint: key.map(str::to_owned),
            session_expires_at: at(1_000_000),
            session_ended: false,
        }
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn an_active_token_rotates_and_a_used_one_ends_the_family() {
        assert_eq!(token(RefreshState::Active, None).presented(None, at(10)), Presented::Rotate);
        let used = token(RefreshState::Rotated { at: at(10) }, None);
        assert_eq!(used.presented(None, at(11)), Presented::RevokeFamily);
    }

    #[test]
    fn the_grace_holds_for_the_same_key_alone() {
        let used = token(RefreshState::Rotated { at: at(10) }, Some("key"));
        assert_eq!(used.presented(Some("key"), at(10 + GRACE_S)), Presented::Repeat);
        assert_eq!(used.presented(Some("key"), at(11 + GRACE_S)), Presented::RevokeFamily);
        assert_eq!(used.presented(Some("other"), at(11)), Presented::RevokeFamily);
        assert_eq!(used.presented(None, at(11)), Presented::RevokeFamily);
    }

    #[test]
    fn a_bound_token_is_of_no_use_to_another_key() {
        let bound = token(RefreshState::Active, Some("key"));
        assert_eq!(bound.presented(Some("other"), at(1)), Presented::Refuse);
        assert_eq!(bound.presented(None, at(1)), Presented::Refuse);
    }

    #[test]
    fn a_token_without_a_key_may_be_bound_to_one() {
        assert_eq!(token(RefreshState::Active, None).presented(Some("key"), at(1)), Presented::Rotate);
        let used = token(RefreshState::Rotated { at: at(1) }, None);
        assert_eq!(used.presented(Some("key"), at(2)), Presented::RevokeFamily);
    }

    proptest! {
        #[test]
        fn after_the_session_nothing_is_given(rotated in any::<bool>(), ended in any::<bool>(), later in 0_i64..1000) {
            let state = if rotated { RefreshState::Rotated { at: at(5) } } else { RefreshState::Active };
            let mut token = token(state, None);
            token.session_ended = ended;
            let now = if ended { at(later) } else { at(1_000_000 + later) };
            prop_assert_eq!(token.presented(None, now), Presented::Refuse);
        }
    }
}
