//! Closing a public service: who may, what everybody sees of it, and what others are told.

mod setting;

use auth::Principal;
use database::args;
use serde_json::{Value, json};
use setting::{Setting, settings};
use uuid::Uuid;

const CLOSE: &str = "mutation($input: ClosePublicServiceInput!) { it: closePublicService(input: $input) {
    __typename ... on Switched { change { number code closed reason changedBy } }
    ... on InvalidInput { fields { pointer } } } }";
const OPEN: &str = "mutation($input: OpenPublicServiceInput!) { it: openPublicService(input: $input) {
    __typename ... on Switched { change { number closed } } } }";
const SEEN: &str = "{ publicService(code: \"LAO-01\") { fileable
    availability { open text { th en } opensAt }
    offering(area: \"1201\") { availability { open } } } }";

fn operator() -> Principal {
    testkit::operator(Uuid::from_u128(7), "dga", testkit::clock().now())
}

fn closing(key: &str, code: &str) -> Value {
    let closure = json!({
        "textTh": "ปิดปรับปรุงแบบฟอร์ม", "textEn": "The form is being mended", "reason": "wrong fee in the form",
        "until": "2026-11-24T03:00:00Z",
    });
    json!({ "input": { "idempotencyKey": key, "code": code, "closure": closure } })
}

async fn availability(setting: &Setting) -> Value {
    setting.ask(SEEN, json!({})).await["publicService"].clone()
}

#[tokio::test]
async fn a_closed_service_says_so_to_everybody_until_it_is_opened_again() {
    for setting in settings().await {
        let closed = setting.ask_as(&operator(), CLOSE, closing("one", "LAO-01")).await["it"].clone();
        let subject = operator().subject();
        assert_eq!(
            closed["change"],
            json!({ "number": 1, "code": "LAO-01", "closed": true, "reason": "wrong fee in the form",
                "changedBy": subject })
        );
        let seen = availability(&setting).await;
        assert_eq!(seen["availability"]["open"], false, "{}", setting.place.engine);
        assert_eq!(seen["availability"]["text"]["en"], "The form is being mended");
        assert_eq!(seen["availability"]["opensAt"], "2026-11-24T03:00:00+00:00");
        assert_eq!(seen["offering"]["availability"]["open"], false);
        // Sent again it is done once.
        let again = setting.ask_as(&operator(), CLOSE, closing("one", "LAO-01")).await["it"].clone();
        assert_eq!(again, closed);
        let input = json!({ "input": { "idempotencyKey": "two", "code": "LAO-01", "reason": "mended" } });
        let opened = setting.ask_as(&operator(), OPEN, input).await["it"].clone();
        assert_eq!(opened["change"], json!({ "number": 2, "closed": false }));
        assert_eq!(availability(&setting).await["availability"]["open"], true);
        // Others are told at once, when every process has felt it, and when the closure would have ended.
        let sql = "select payload from outbox_message where topic = 'catalogue.availability_changed'";
        let told = setting.service.database().rows(sql, args![]).await.expect("the outbox is there");
        assert_eq!(told.len(), 5, "{}", setting.place.engine);
        let payload: Value = told[0].get("payload").expect("a payload");
        assert!(!payload.to_string().contains("wrong fee"), "the reason stays in the record: {payload}");
    }
}

#[tokio::test]
async fn only_those_who_run_the_platform_close_and_read_the_record() {
    let changes = "{ publicServiceSwitchChanges(code: \"LAO-01\") { nodes { number reason closed } } }";
    for setting in settings().await {
        let approver = testkit::officer(Uuid::from_u128(5), "nonthaburi", testkit::clock().now());
        let citizen = testkit::citizen(Uuid::from_u128(6), &[], testkit::clock().now());
        for (who, code) in
            [(approver, "FORBIDDEN"), (citizen, "FORBIDDEN"), (Principal::Nobody, "UNAUTHENTICATED")]
        {
            let answer = setting.answer_as(&who, CLOSE, closing("no", "LAO-01")).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
            let answer = setting.answer_as(&who, changes, json!({})).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
        }
        let unknown = setting.ask_as(&operator(), CLOSE, closing("typo", "LAO-1")).await;
        assert_eq!(unknown["it"]["__typename"], "NotFoundProblem");
        setting.ask_as(&operator(), CLOSE, closing("yes", "LAO-01")).await;
        let record = setting.ask_as(&operator(), changes, json!({})).await;
        let nodes = json!([{ "number": 1, "reason": "wrong fee in the form", "closed": true }]);
        assert_eq!(record["publicServiceSwitchChanges"]["nodes"], nodes);
    }
}
