//! What officers do besides deciding: edit an offering, look after refunds and findings, erase a citizen.

use serde_json::json;

use super::journal::Journal;
use crate::filing::{key, offering};
use crate::installation::Installation;
use crate::person::Person;

pub async fn work_at_desks(journal: &mut Journal, place: &Installation, officer: &Person<'_>) {
    edit(journal, place, officer).await;
    for list in ["OfficerRefunds", "OfficerFindings"] {
        journal.ask(officer, list, json!({"first": 5})).await;
    }
    let refund = json!({
        "idempotencyKey": key(), "refundId": "ref_0", "completion": "PAID_BY_TRANSFER", "reference": "TR-1",
    });
    journal.ask(officer, "ProposeRefundCompletion", json!({ "input": refund })).await;
    let finding = json!({
        "idempotencyKey": key(), "findingId": "fnd_0", "resolution": "EXPLAINED", "reference": "TR-2",
    });
    journal.ask(officer, "ProposeFindingResolution", json!({ "input": finding })).await;
    let decision = json!({"idempotencyKey": key(), "proposalId": "prp_0", "confirm": true});
    journal.ask(officer, "DecideProposal", json!({ "input": decision })).await;
    erase(journal, place).await;
    switch(journal, place).await;
}

/// Changes how long a licence takes; then again, from a revision that is stale.
async fn edit(journal: &mut Journal, place: &Installation, officer: &Person<'_>) {
    let offering = offering(place, "LAO-02", "1201").await;
    for legal_days in [21, 14] {
        let input = json!({
            "idempotencyKey": key(), "offeringId": offering, "revision": 1, "reason": "เทศบัญญัติฉบับใหม่",
            "legalDays": {"days": legal_days, "factStatus": "SAMPLE"},
        });
        journal.ask(officer, "EditOffering", json!({ "input": input })).await;
    }
    journal.ask(officer, "OfferingChanges", json!({"id": offering, "first": 5})).await;
}

/// Asks of nobody there is: what stands in the way of a real one is heard later, on each installation in its time.
async fn erase(journal: &mut Journal, place: &Installation) {
    let officer = Person::officer(place, "officer-dbd").await;
    let input = json!({"idempotencyKey": key(), "citizenId": "cit_0"});
    journal.ask(&officer, "ProposeErasure", json!({ "input": input })).await;
    let input = json!({"idempotencyKey": key(), "erasureId": "era_0"});
    journal.ask(&officer, "ConfirmErasure", json!({ "input": input })).await;
    journal.ask(&officer, "Erasures", json!({"first": 5})).await;
}

/// Looks at what is open, and closes and opens one of each kind.
async fn switch(journal: &mut Journal, place: &Installation) {
    let operator = Person::officer(place, "officer-dga").await;
    journal.ask(&operator, "WhatIsOpen", json!({})).await;
    let targets = [
        ("PublicService", json!({ "code": "LAO-02" }), "PublicServiceSwitchChanges"),
        ("IdentityProvider", json!({ "code": "dga" }), "IdentityProviderSwitchChanges"),
        ("Payments", json!({ "of": "METHOD", "code": "MOBILE_BANKING" }), "PaymentSwitchChanges"),
    ];
    for (kind, target, changes) in targets {
        let mut input = target.clone();
        input["idempotencyKey"] = json!(key());
        input["closure"] = json!({ "textTh": "ปิดปรับปรุง", "textEn": "Being mended", "reason": "an exercise" });
        journal.ask(&operator, &format!("Close{kind}"), json!({ "input": input })).await;
        let mut input = target.clone();
        input["idempotencyKey"] = json!(key());
        input["reason"] = json!("the exercise is over");
        journal.ask(&operator, &format!("Open{kind}"), json!({ "input": input })).await;
        journal.ask(&operator, changes, target).await;
    }
}
