//! Forgetting a person: proposed by one officer, confirmed by another, once nothing stands in the way.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Services that are asked whether anything stands in the way. The catalogue knows no persons.
pub const WITNESSES: [&str; 2] = ["applications", "payments"];

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Proposed,
    /// The second officer agreed; logins are closed while the services are asked a last time.
    Confirmed,
    Erased,
}

/// What stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    OpenApplication,
    UnsettledMoney,
}

/// The erasure of one person.
#[derive(Clone, Debug)]
pub struct Erasure {
    pub id: Uuid,
    pub citizen_id: Uuid,
    pub status: Status,
    pub round: i64,
    pub proposed_by: Uuid,
    pub proposed_at: DateTime<Utc>,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub erased_at: Option<DateTime<Utc>>,
    /// What the services answered in this round.
    pub answers: Vec<Answer>,
}

/// One service's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub service: String,
    pub obstacles: Vec<Obstacle>,
}

/// Why it cannot be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotNow {
    /// Whoever proposed it cannot be the second person.
    SameOfficer,
    /// It is confirmed or done already.
    NotProposed,
    /// Not every service has answered yet.
    NotAnswered,
    Obstructed,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Self::Proposed => "PROPOSED",
            Self::Confirmed => "CONFIRMED",
            Self::Erased => "ERASED",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Proposed, Self::Confirmed, Self::Erased].into_iter().find(|status| status.word() == word)
    }
}

impl Obstacle {
    pub fn word(self) -> &'static str {
        match self {
            Self::OpenApplication => "OPEN_APPLICATION",
            Self::UnsettledMoney => "UNSETTLED_MONEY",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::OpenApplication, Self::UnsettledMoney].into_iter().find(|obstacle| obstacle.word() == word)
    }
}

impl Erasure {
    /// Whether every service has answered in this round.
    pub fn is_answered(&self) -> bool {
        WITNESSES.iter().all(|service| self.answers.iter().any(|answer| answer.service == *service))
    }

    /// What stands in the way, each once.
    pub fn obstacles(&self) -> Vec<Obstacle> {
        let mut obstacles: Vec<_> =
            self.answers.iter().flat_map(|answer| answer.obstacles.iter().copied()).collect();
        obstacles.sort_unstable();
        obstacles.dedup();
        obstacles
    }

    /// Whether `officer` may confirm it now.
    pub fn confirmed_by(&self, officer: Uuid) -> Result<(), NotNow> {
        if self.status != Status::Proposed {
            return Err(NotNow::NotProposed);
        }
        if self.proposed_by == officer {
            return Err(NotNow::SameOfficer);
        }
        if !self.is_answered() {
            return Err(NotNow::NotAnswered);
        }
        if self.obstacles().is_empty() { Ok(()) } else { Err(NotNow::Obstructed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposed(answers: &[(&str, &[Obstacle])]) -> Erasure {
        let answer = |(service, obstacles): &(&str, &[Obstacle])| Answer {
            service: (*service).to_owned(),
            obstacles: obstacles.to_vec(),
        };
        Erasure {
            id: Uuid::from_u128(1),
            citizen_id: Uuid::from_u128(2),
            status: Status::Proposed,
            round: 1,
            proposed_by: Uuid::from_u128(3),
            proposed_at: DateTime::UNIX_EPOCH,
            confirmed_at: None,
            erased_at: None,
            answers: answers.iter().map(answer).collect(),
        }
    }

    #[test]
    fn it_takes_two_officers_and_every_service_s_word() {
        let (first, second) = (Uuid::from_u128(3), Uuid::from_u128(4));
        let clear = proposed(&[("applications", &[]), ("payments", &[])]);
        assert_eq!(clear.confirmed_by(first), Err(NotNow::SameOfficer));
        assert_eq!(clear.confirmed_by(second), Ok(()));
        let half = proposed(&[("applications", &[])]);
        assert_eq!(half.confirmed_by(second), Err(NotNow::NotAnswered));
        let open = proposed(&[("applications", &[Obstacle::OpenApplication]), ("payments", &[])]);
        assert_eq!(open.confirmed_by(second), Err(NotNow::Obstructed));
        let done = Erasure { status: Status::Erased, ..clear };
        assert_eq!(done.confirmed_by(second), Err(NotNow::NotProposed));
    }
}
