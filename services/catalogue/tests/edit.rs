//! Editing an offering without a file: who may, what comes of it, and the record.

mod setting;

use std::collections::BTreeSet;

use auth::{Principal, Role};
use catalogue::{Edits, Service, SourceFile, offering_id};
use chassis::Environment;
use database::args;
use serde_json::{Value, json};
use setting::{Setting, settings};
use testkit::Engines;
use uuid::Uuid;

const EDIT: &str = "mutation($input: EditOfferingInput!) { editOffering(input: $input) { __typename
    ... on OfferingEdited { offering { revision accepting legalDays contacts { phone } fee { amount { amount } source } } }
    ... on OfferingRevisionConflict { code offering { revision fee { amount { amount } } } }
    ... on InvalidInput { fields { pointer message { th en } } } } }";
const CHANGES: &str = "query($id: ID!, $first: Int, $after: String) {
    offeringChanges(offeringId: $id, first: $first, after: $after) {
        nodes { revision changedAt officerId reason before { fee { amount { amount } } legalDays accepting }
            after { fee { amount { amount } source } legalDays contacts { name { en } } accepting } }
        pageInfo { hasNextPage endCursor } } }";

fn officer(agency: &str) -> Principal {
    testkit::officer(Uuid::from_u128(5), agency, testkit::clock().now())
}

fn offering(service: &str, agency: &str) -> String {
    format!("off_{}", offering_id(service, agency).simple())
}

/// A new fee for food premises in Nonthaburi, verified.
fn new_fee(key: &str, revision: i64, amount: &str) -> Value {
    json!({
        "idempotencyKey": key, "offeringId": offering("LAO-01", "nonthaburi"), "revision": revision,
        "reason": "เทศบัญญัติฉบับใหม่",
        "fee": {
            "amount": amount, "due": "APPROVAL", "onRejection": "REFUND", "factStatus": "VERIFIED",
            "source": "เทศบัญญัติ พ.ศ. 2569",
        },
    })
}

async fn edit(setting: &Setting, who: &Principal, input: Value) -> Value {
    setting.ask_as(who, EDIT, json!({ "input": input })).await["editOffering"].clone()
}

async fn revisions(setting: &Setting) -> (usize, usize, usize) {
    let mut counts = [0, 0, 0];
    let tables = [
        "select 1 as one from offering_revision",
        "select 1 as one from outbox_message",
        "select 1 as one from offering_edit",
    ];
    for (count, sql) in counts.iter_mut().zip(tables) {
        *count = setting.service.database().rows(sql, args![]).await.expect("the table is there").len();
    }
    counts.into()
}

#[tokio::test]
async fn an_edit_is_a_revision_a_message_and_a_record_once_per_key() {
    for setting in settings().await {
        let before = revisions(&setting).await;
        let input = new_fee("one", 1, "1250.00");
        let edited = edit(&setting, &officer("nonthaburi"), input.clone()).await;
        assert_eq!(
            edited,
            json!({ "__typename": "OfferingEdited", "offering": {
                "revision": 2, "accepting": true, "legalDays": 30, "contacts": [],
                "fee": { "amount": { "amount": "1250.00" }, "source": "เทศบัญญัติ พ.ศ. 2569" },
            } })
        );
        assert_eq!(edit(&setting, &officer("nonthaburi"), input.clone()).await, edited, "sent twice");
        let mut other = input;
        other["reason"] = json!("อื่น");
        assert_eq!(edit(&setting, &officer("nonthaburi"), other).await["__typename"], "ConflictProblem");
        let after = revisions(&setting).await;
        assert_eq!((after.0 - before.0, after.1 - before.1, after.2 - before.2), (1, 1, 1));
        // The same content again is no new revision.
        let same = edit(&setting, &officer("nonthaburi"), new_fee("two", 2, "1250.00")).await;
        assert_eq!(same["offering"]["revision"], 2, "{same}");
        assert_eq!(revisions(&setting).await, after);
        let sql = "select payload from outbox_message where topic = 'catalogue.offering_published'";
        let sent = setting.service.database().rows(sql, args![]).await.unwrap();
        let sent: Vec<Value> = sent.iter().map(|row| row.get("payload").unwrap()).collect();
        let sent = sent.iter().find(|message| message["revision"] == 2).unwrap();
        assert_eq!(sent["fee_satang"], 125_000);
        assert_eq!(sent["form"]["revision"], 1, "the whole of what applications pin");
    }
}

#[tokio::test]
async fn an_edit_of_an_older_revision_is_told_how_it_stands_and_changes_nothing() {
    for setting in settings().await {
        edit(&setting, &officer("nonthaburi"), new_fee("one", 1, "1250.00")).await;
        let before = revisions(&setting).await;
        let refused = edit(&setting, &officer("nonthaburi"), new_fee("two", 1, "900.00")).await;
        assert_eq!(
            refused,
            json!({ "__typename": "OfferingRevisionConflict", "code": "CONFLICT", "offering": {
                "revision": 2, "fee": { "amount": { "amount": "1250.00" } },
            } })
        );
        assert_eq!(revisions(&setting).await, before);
        // The key is free for the edit decided anew.
        let edited = edit(&setting, &officer("nonthaburi"), new_fee("two", 2, "900.00")).await;
        assert_eq!(edited["offering"]["revision"], 3, "{edited}");
    }
}

#[tokio::test]
async fn of_two_edits_at_once_one_is_told_of_the_other() {
    for setting in settings().await {
        let officer = officer("nonthaburi");
        let (one, other) = tokio::join!(
            edit(&setting, &officer, new_fee("one", 1, "1250.00")),
            edit(&setting, &officer, new_fee("two", 1, "1350.00")),
        );
        let mut names =
            [&one["__typename"], &other["__typename"]].map(|name| name.as_str().unwrap().to_owned());
        names.sort();
        assert_eq!(names, ["OfferingEdited", "OfferingRevisionConflict"]);
    }
}

#[tokio::test]
async fn only_an_approver_of_the_agency_with_the_scope_may_edit_or_read_the_record() {
    for setting in settings().await {
        let before = revisions(&setting).await;
        let input = new_fee("one", 1, "1250.00");
        let strange = edit(&setting, &officer("chiang-mai"), input.clone()).await;
        assert_eq!(strange["__typename"], "NotFoundProblem");
        let mut unscoped = officer("nonthaburi");
        let mut reviewer = officer("nonthaburi");
        if let (Principal::Officer(unscoped), Principal::Officer(reviewer)) = (&mut unscoped, &mut reviewer) {
            unscoped.scopes.remove("catalogue:edit");
            reviewer.roles = BTreeSet::from([Role::Reviewer]);
        }
        let citizen = testkit::citizen(Uuid::from_u128(9), &[], testkit::clock().now());
        let variables = json!({ "id": offering("LAO-01", "nonthaburi") });
        for (who, code) in [
            (&Principal::Nobody, "UNAUTHENTICATED"),
            (&citizen, "FORBIDDEN"),
            (&unscoped, "FORBIDDEN"),
            (&reviewer, "FORBIDDEN"),
        ] {
            let answer = setting.answer_as(who, EDIT, json!({ "input": input })).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
            if *who != reviewer {
                let answer = setting.answer_as(who, CHANGES, variables.clone()).await;
                assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
            }
        }
        let record = setting.ask_as(&officer("chiang-mai"), CHANGES, variables).await;
        assert_eq!(record["offeringChanges"], Value::Null);
        assert_eq!(revisions(&setting).await, before);
    }
}

#[tokio::test]
async fn what_may_not_be_published_is_refused_field_by_field() {
    for setting in settings().await {
        let before = revisions(&setting).await;
        for (change, pointers) in [
            (json!({ "reason": " " }), vec!["/reason"]),
            (json!({ "fee": null }), vec![""]),
            (
                json!({ "fee": { "amount": "1,250", "due": "APPROVAL", "onRejection": "KEEP", "factStatus": "SAMPLE" } }),
                vec!["/fee/amount"],
            ),
            (
                json!({ "fee": { "amount": "0.00", "due": "APPROVAL", "onRejection": "KEEP", "factStatus": "VERIFIED" } }),
                vec!["/fee/source", "/fee/amount"],
            ),
            (json!({ "legalDays": { "days": 9999, "factStatus": "SAMPLE" } }), vec!["/legalDays/days"]),
            (
                json!({ "contacts": [{ "name": { "th": "", "en": "x" }, "url": "javascript:x", "factStatus": "SAMPLE" }] }),
                vec!["/contacts/0/name/th", "/contacts/0/url"],
            ),
        ] {
            let mut input = new_fee("one", 1, "1250.00");
            input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let refused = edit(&setting, &officer("nonthaburi"), input).await;
            let fields = refused["fields"].as_array().unwrap_or_else(|| panic!("{refused}"));
            assert_eq!(
                fields.iter().map(|field| field["pointer"].as_str().unwrap()).collect::<Vec<_>>(),
                pointers
            );
            assert!(fields.iter().all(|field| !field["message"]["th"].as_str().unwrap().is_empty()));
        }
        assert_eq!(revisions(&setting).await, before);
    }
}

#[tokio::test]
async fn the_record_tells_who_when_why_and_what_before_and_after() {
    for setting in settings().await {
        let who = officer("nonthaburi");
        edit(&setting, &who, new_fee("one", 1, "1250.00")).await;
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("public_services/LAO-01.toml");
        let text = std::fs::read_to_string(path).unwrap();
        // A file that says otherwise is not taken by accident; told so it has the last word, and stands in
        // the record too.
        let file = SourceFile { path: "public_services/LAO-01.toml".into(), text };
        let refused = setting.service.apply(std::slice::from_ref(&file), Edits::Keep).await.unwrap_err();
        assert!(
            refused.to_string().contains("officers changed without a file, of LAO-01 by nonthaburi"),
            "{refused}"
        );
        setting.service.apply(&[file], Edits::Undo).await.unwrap();
        let id = offering("LAO-01", "nonthaburi");
        let first =
            setting.ask_as(&who, CHANGES, json!({ "id": id, "first": 2 })).await["offeringChanges"].clone();
        let amount = |amount: &str| json!({ "amount": { "amount": amount } });
        assert_eq!(first["nodes"][0]["revision"], 3);
        assert_eq!(
            (&first["nodes"][0]["officerId"], &first["nodes"][0]["reason"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(first["nodes"][0]["before"]["fee"], amount("1250.00"));
        let edit = &first["nodes"][1];
        assert_eq!(edit["officerId"], Uuid::from_u128(5).simple().to_string());
        assert_eq!(edit["reason"], "เทศบัญญัติฉบับใหม่");
        assert_eq!(edit["changedAt"], "2026-11-23T03:00:00+00:00");
        assert_eq!(edit["before"], json!({ "fee": amount("1000.00"), "legalDays": 30, "accepting": true }));
        assert_eq!(edit["after"]["fee"]["amount"]["amount"], "1250.00");
        assert_eq!(first["pageInfo"]["hasNextPage"], true);
        let rest = json!({ "id": id, "first": 2, "after": first["pageInfo"]["endCursor"] });
        let rest = setting.ask_as(&who, CHANGES, rest).await["offeringChanges"].clone();
        assert_eq!((&rest["nodes"][0]["revision"], &rest["nodes"][0]["before"]), (&json!(1), &Value::Null));
        assert_eq!(
            (rest["nodes"].as_array().unwrap().len(), &rest["pageInfo"]["hasNextPage"]),
            (1, &json!(false))
        );
        for sql in [
            "update offering_edit set reason = ''",
            "delete from offering_edit",
            "update offering_revision set revision = 9",
            "delete from public_service_revision",
        ] {
            assert!(setting.service.database().execute(sql, args![]).await.is_err(), "{sql}");
        }
    }
}

#[tokio::test]
async fn an_offering_that_stops_accepting_can_no_longer_be_found_as_fileable() {
    for setting in settings().await {
        let fileable = async || {
            let document = "{ publicServices(first: 100, filter: { fileable: true }) { nodes { code } } }";
            let found = setting.ask(document, json!({})).await;
            setting::codes(&found["publicServices"]["nodes"]).contains(&"DLT-01".to_owned())
        };
        assert!(fileable().await);
        for (revision, accepting) in [(1, false), (2, true)] {
            let input = json!({
                "idempotencyKey": format!("{accepting}"), "offeringId": offering("DLT-01", "dlt"),
                "revision": revision, "reason": "ปรับปรุงระบบ", "accepting": accepting,
            });
            let edited = edit(&setting, &officer("dlt"), input).await;
            assert_eq!(edited["offering"]["accepting"], accepting, "{edited}");
            assert_eq!(fileable().await, accepting);
        }
    }
}

#[tokio::test]
async fn production_refuses_an_edit_to_a_sample_fee() {
    for place in Engines::all().await {
        let service = Service::open(&place.target, testkit::clock(), Environment::Production).await.unwrap();
        let read = |path: &str| {
            let whole = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            SourceFile { path: path.into(), text: std::fs::read_to_string(whole).unwrap() }
        };
        let files = ["agencies/dlt.toml", "public_services/DLT-01.toml"].map(read);
        service.apply(&files, Edits::Keep).await.unwrap();
        let setting = Setting { place, service };
        let input = json!({
            "idempotencyKey": "one", "offeringId": offering("DLT-01", "dlt"), "revision": 1, "reason": "ทดลอง",
            "fee": { "amount": "1.00", "due": "SUBMISSION", "onRejection": "KEEP", "factStatus": "SAMPLE" },
        });
        let refused = edit(&setting, &officer("dlt"), input).await;
        assert_eq!(refused["fields"][0]["pointer"], "/fee/factStatus", "{refused}");
        assert_eq!(setting.service.sample_fees().await.unwrap(), [""; 0]);
    }
}
