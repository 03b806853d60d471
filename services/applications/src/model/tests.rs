//! The moves, tried from every status with every sequence of events.

use proptest::prelude::*;

use super::*;

fn facts() -> impl Strategy<Value = Facts> {
    let fee_due = prop_oneof![Just(FeeDue::None), Just(FeeDue::Submission), Just(FeeDue::Approval)];
    let decision = prop_oneof![Just(DecisionMode::Officer), Just(DecisionMode::Automatic)];
    (fee_due, decision).prop_map(|(fee_due, decision)| Facts {
        fee_due,
        fee_settled: false,
        decision,
        taken: false,
        document_requests: 0,
        document_requests_max: 1,
    })
}

/// What the store remembers of an event, as the next move will see it.
fn remember(facts: &mut Facts, event: EventKind) {
    match event {
        EventKind::FeeSettled => facts.fee_settled = true,
        EventKind::Taken => facts.taken = true,
        EventKind::DocumentsRequested => facts.document_requests += 1,
        _ => {}
    }
}

proptest! {
    #[test]
    fn a_closed_application_stays_closed_and_documents_are_asked_for_once(
        start in prop::sample::select(ApplicationStatus::ALL),
        events in prop::collection::vec(prop::sample::select(EventKind::ALL), 0..40),
        mut facts in facts(),
    ) {
        let mut status = start;
        let mut returned = 0;
        for event in events {
            let Ok(next) = status.after(event, facts) else { continue };
            prop_assert!(!status.is_terminal() || next == status);
            remember(&mut facts, event);
            returned += i32::from(event == EventKind::DocumentsRequested);
            status = next;
        }
        prop_assert!(returned <= 1);
    }

    #[test]
    fn what_follows_by_itself_is_allowed_and_comes_to_an_end(
        start in prop::sample::select(ApplicationStatus::ALL),
        mut facts in facts(),
    ) {
        let mut status = start;
        for _ in 0..4 {
            let Some(event) = status.follow_up(facts) else { return Ok(()) };
            status = status.after(event, facts).expect("a follow-up is a move there is");
            remember(&mut facts, event);
        }
        prop_assert!(status.follow_up(facts).is_none());
    }

    #[test]
    fn nothing_is_approved_before_a_fee_due_at_submission_is_settled(
        events in prop::collection::vec(prop::sample::select(EventKind::ALL), 0..40),
        mut facts in facts(),
    ) {
        facts.fee_due = FeeDue::Submission;
        let mut status = ApplicationStatus::Draft;
        for event in events {
            // The store runs follow-ups in the same transaction: an officer never sees the moment between.
            while let Some(event) = status.follow_up(facts) {
                status = status.after(event, facts).expect("a follow-up is a move there is");
            }
            if let Ok(next) = status.after(event, facts) {
                remember(&mut facts, event);
                status = next;
            }
            prop_assert!(status != ApplicationStatus::Approved || facts.fee_settled);
        }
    }
}

#[test]
fn an_officer_acts_only_on_a_case_that_was_taken() {
    let facts = Facts {
        fee_due: FeeDue::None,
        fee_settled: false,
        decision: DecisionMode::Officer,
        taken: false,
        document_requests: 0,
        document_requests_max: 1,
    };
    for event in [EventKind::Approved, EventKind::Rejected, EventKind::DocumentsRequested] {
        assert_eq!(ApplicationStatus::UnderReview.after(event, facts), Err(NotAllowed::NotTaken));
        assert_eq!(ApplicationStatus::Submitted.after(event, facts), Err(NotAllowed::NotTaken));
    }
}

#[test]
fn every_word_kept_in_the_database_reads_back() {
    for status in ApplicationStatus::ALL {
        assert_eq!(ApplicationStatus::from_word(status.word()), Some(*status));
    }
    for kind in EventKind::ALL {
        assert_eq!(EventKind::from_word(kind.word()), Some(*kind));
    }
}
