//! Every root field and every entity has a row: who may, and what the others get.
//!
//! A new root field or entity without a row fails `every_root_field_and_entity_has_a_row`. A row's
//! document is sent by nobody, another citizen, another agency's officer, a token without the scope
//! and the one who may; fields inherit their root's row unless they tighten it.

use std::collections::BTreeSet;

use graphql_tools::parser::schema::{Definition, TypeDefinition, parse_schema};
use serde_json::{Value, json};

use crate::filing::{bill, decide, key, offering, parties, start_payment, submitted_food_premises};
use crate::installation::Installation;
use crate::person::Person;

/// What a caller may get out of a row's document.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Gets {
    /// The thing itself.
    It,
    /// What is not there: null, an empty list, or a `NotFoundProblem`.
    Nothing,
    /// An error with this code.
    Refused(&'static str),
}

const NO_SCOPE: Gets = Gets::Refused("UNAUTHORIZED_FIELD_OR_TYPE");

/// One root field: a document that uses it, and what each caller gets.
struct Row {
    field: &'static str,
    document: &'static str,
    nobody: Gets,
    applicant: Gets,
    other_citizen: Gets,
    officer: Gets,
    other_officer: Gets,
}

/// Open to all: the catalogue and how to log in.
const fn public(field: &'static str, document: &'static str) -> Row {
    let it = Gets::It;
    Row { field, document, nobody: it, applicant: it, other_citizen: it, officer: it, other_officer: it }
}

/// For the applicant, and the officers of that agency.
const fn case(field: &'static str, document: &'static str) -> Row {
    Row {
        field,
        document,
        nobody: NO_SCOPE,
        applicant: Gets::It,
        other_citizen: Gets::Nothing,
        officer: Gets::It,
        other_officer: Gets::Nothing,
    }
}

/// For the applicant alone.
const fn own(field: &'static str, document: &'static str) -> Row {
    Row { officer: NO_SCOPE, other_officer: NO_SCOPE, ..case(field, document) }
}

/// For the officers of that agency alone.
const fn desk(field: &'static str, document: &'static str) -> Row {
    Row { applicant: NO_SCOPE, other_citizen: NO_SCOPE, ..case(field, document) }
}

/// For officers who see to data protection, and none of these is one: `tests/erasure.rs` has them.
const fn data_protection(field: &'static str, document: &'static str) -> Row {
    let role = Gets::Refused("FORBIDDEN");
    Row { officer: role, other_officer: role, ..desk(field, document) }
}

/// For those who run this platform, and none of these is one: `tests/switches.rs` has one.
const fn operator(field: &'static str, document: &'static str) -> Row {
    data_protection(field, document)
}

/// `$app`, `$bill`, `$pay`, `$off`, `$party` and `$key` stand for the ids of one case.
const ROWS: &[Row] = &[
    public("Query.publicServices", "{ publicServices(first: 1) { nodes { code } } }"),
    public("Query.publicService", "{ publicService(code: \"LAO-01\") { code } }"),
    public("Query.lifeEvents", "{ lifeEvents(first: 1) { nodes { code } } }"),
    public("Query.lifeEvent", "{ lifeEvent(code: \"open-a-restaurant\") { code } }"),
    public("Query.agencies", "{ agencies(first: 1) { nodes { code } } }"),
    public("Query.agency", "{ agency(code: \"dbd\") { code } }"),
    public("Query.offering", "{ offering(id: \"$off\") { id } }"),
    desk(
        "Query.offeringChanges",
        "{ offeringChanges(offeringId: \"$off\", first: 1) { nodes { revision } } }",
    ),
    desk(
        "Mutation.editOffering",
        "mutation { editOffering(input: {idempotencyKey: \"$key\", offeringId: \"$off\", revision: 0, reason: \"?\", accepting: true}) { __typename } }",
    ),
    public("Query.identityProviders", "{ identityProviders { code } }"),
    Row { nobody: Gets::Nothing, ..public("Query.viewer", "{ viewer { identityAssuranceLevel } }") },
    case("Query.application", "{ application(id: \"$app\") { id answers } }"),
    own("Query.applications", "{ applications(first: 1) { nodes { id } } }"),
    desk("Query.officerQueue", "{ officerQueue(first: 1) { nodes { id } } }"),
    case("Query.bill", "{ bill(id: \"$bill\") { id amount { amount } } }"),
    case("Query.bills", "{ bills(first: 1) { nodes { id } } }"),
    case("Query.payment", "{ payment(id: \"$pay\") { id } }"),
    own(
        "Mutation.startApplication",
        "mutation { startApplication(input: {idempotencyKey: \"$key\", offeringId: \"$off\", partyId: \"$party\"}) { __typename } }",
    ),
    own(
        "Mutation.saveApplicationDraft",
        "mutation { saveApplicationDraft(input: {idempotencyKey: \"$key\", applicationId: \"$app\", revision: 1, answers: {}}) { __typename } }",
    ),
    own(
        "Mutation.startEvidenceUpload",
        "mutation { startEvidenceUpload(input: {idempotencyKey: \"$key\", applicationId: \"$app\", evidenceCode: \"map\", fileName: \"a.png\", mediaType: \"image/png\", sizeBytes: 10}) { __typename } }",
    ),
    own(
        "Mutation.submitApplication",
        "mutation { submitApplication(input: {idempotencyKey: \"$key\", applicationId: \"$app\", revision: 1}) { __typename } }",
    ),
    own(
        "Mutation.withdrawApplication",
        "mutation { withdrawApplication(input: {idempotencyKey: \"$key\", applicationId: \"$app\"}) { __typename } }",
    ),
    desk(
        "Mutation.takeApplication",
        "mutation { takeApplication(input: {idempotencyKey: \"$key\", applicationId: \"$app\"}) { __typename } }",
    ),
    desk(
        "Mutation.requestMoreDocuments",
        "mutation { requestMoreDocuments(input: {idempotencyKey: \"$key\", applicationId: \"$app\", items: [], message: \"?\"}) { __typename } }",
    ),
    desk(
        "Mutation.explainDelay",
        "mutation { explainDelay(input: {idempotencyKey: \"$key\", applicationId: \"$app\", reason: \"?\"}) { __typename } }",
    ),
    desk(
        "Mutation.approveApplication",
        "mutation { approveApplication(input: {idempotencyKey: \"$key\", applicationId: \"$app\"}) { __typename } }",
    ),
    desk(
        "Mutation.rejectApplication",
        "mutation { rejectApplication(input: {idempotencyKey: \"$key\", applicationId: \"$app\", reason: \"?\"}) { __typename } }",
    ),
    own(
        "Mutation.startPayment",
        "mutation { startPayment(input: {idempotencyKey: \"$key\", billId: \"$bill\", method: G_WALLET}) { __typename } }",
    ),
    own(
        "Mutation.checkPayment",
        "mutation { checkPayment(input: {idempotencyKey: \"$key\", paymentId: \"$pay\"}) { __typename } }",
    ),
    data_protection("Query.erasures", "{ erasures(first: 1) { nodes { id } } }"),
    data_protection(
        "Mutation.proposeErasure",
        "mutation { proposeErasure(input: {idempotencyKey: \"$key\", citizenId: \"$party\"}) { __typename } }",
    ),
    data_protection(
        "Mutation.confirmErasure",
        "mutation { confirmErasure(input: {idempotencyKey: \"$key\", erasureId: \"era_0\"}) { __typename } }",
    ),
    public("Query.serviceClosures", "{ serviceClosures { availability { open } } }"),
    public("Query.paymentMethods", "{ paymentMethods { method } }"),
    operator(
        "Query.publicServiceSwitchChanges",
        "{ publicServiceSwitchChanges(code: \"LAO-01\", first: 1) { nodes { number } } }",
    ),
    operator(
        "Query.identityProviderSwitchChanges",
        "{ identityProviderSwitchChanges(code: \"thaid\", first: 1) { nodes { number } } }",
    ),
    operator(
        "Query.paymentSwitchChanges",
        "{ paymentSwitchChanges(of: METHOD, code: \"G_WALLET\", first: 1) { nodes { number } } }",
    ),
    operator(
        "Mutation.closePublicService",
        "mutation { closePublicService(input: {idempotencyKey: \"$key\", code: \"LAO-01\", closure: {textTh: \"?\", textEn: \"?\", reason: \"?\"}}) { __typename } }",
    ),
    operator(
        "Mutation.openPublicService",
        "mutation { openPublicService(input: {idempotencyKey: \"$key\", code: \"LAO-01\", reason: \"?\"}) { __typename } }",
    ),
    operator(
        "Mutation.closeIdentityProvider",
        "mutation { closeIdentityProvider(input: {idempotencyKey: \"$key\", code: \"thaid\", closure: {textTh: \"?\", textEn: \"?\", reason: \"?\"}}) { __typename } }",
    ),
    operator(
        "Mutation.openIdentityProvider",
        "mutation { openIdentityProvider(input: {idempotencyKey: \"$key\", code: \"thaid\", reason: \"?\"}) { __typename } }",
    ),
    operator(
        "Mutation.closePayments",
        "mutation { closePayments(input: {idempotencyKey: \"$key\", of: METHOD, code: \"G_WALLET\", closure: {textTh: \"?\", textEn: \"?\", reason: \"?\"}}) { __typename } }",
    ),
    operator(
        "Mutation.openPayments",
        "mutation { openPayments(input: {idempotencyKey: \"$key\", of: METHOD, code: \"G_WALLET\", reason: \"?\"}) { __typename } }",
    ),
    // Every agency's officers have a desk for money; what it shows is their agency's, as payments' own tests say.
    Row {
        other_officer: Gets::It,
        ..desk("Query.refunds", "{ refunds(first: 1) { pageInfo { hasNextPage } } }")
    },
    Row {
        other_officer: Gets::It,
        ..desk("Query.findings", "{ findings(first: 1) { pageInfo { hasNextPage } } }")
    },
    Row {
        officer: Gets::Nothing,
        ..desk(
            "Mutation.proposeRefundCompletion",
            "mutation { proposeRefundCompletion(input: {idempotencyKey: \"$key\", refundId: \"rfd_0\", completion: NOT_OWED, reference: \"R-1\"}) { __typename } }",
        )
    },
    Row {
        officer: Gets::Nothing,
        ..desk(
            "Mutation.proposeFindingResolution",
            "mutation { proposeFindingResolution(input: {idempotencyKey: \"$key\", findingId: \"fnd_0\", resolution: EXPLAINED, reference: \"R-1\"}) { __typename } }",
        )
    },
    Row {
        officer: Gets::Nothing,
        ..desk(
            "Mutation.decideProposal",
            "mutation { decideProposal(input: {idempotencyKey: \"$key\", proposalId: \"prp_0\", confirm: true}) { __typename } }",
        )
    },
    // Last: it ends the sessions of those who send it.
    Row {
        nobody: NO_SCOPE,
        ..public(
            "Mutation.endSession",
            "mutation { endSession(input: {idempotencyKey: \"$key\"}) { __typename } }",
        )
    },
];

/// Subscriptions are opened, not answered: their row is the test named after it.
const SUBSCRIPTIONS: &[&str] = &["Subscription.applicationEvents"];

/// Entities, and the root field or path whose row shows what strangers get of them.
const ENTITIES: &[(&str, &str)] = &[
    ("PublicService", "public: Query.publicService"),
    ("Offering", "public: Query.offering"),
    ("Agency", "public: Query.agency"),
    ("Application", "Query.application; from a bill in another_person_s_entities_stay_theirs"),
    ("Bill", "Query.bill"),
    ("Party", "one's own parties alone: another_person_s_entities_stay_theirs"),
];

fn subgraphs() -> Vec<(String, String)> {
    pratu::subgraph_schemas().into_iter().map(|(name, sdl)| (name.to_owned(), sdl)).collect()
}

#[test]
fn every_root_field_and_entity_has_a_row() {
    let (mut fields, mut entities) = (BTreeSet::new(), BTreeSet::new());
    for (_, sdl) in subgraphs() {
        // The parser does not know `extend schema`, which stands last.
        let sdl = sdl.split("extend schema").next().unwrap_or_default();
        let schema = parse_schema::<String>(sdl).expect("the SDL parses").into_static();
        for definition in schema.definitions {
            let (name, directives, own_fields) = match definition {
                Definition::TypeDefinition(TypeDefinition::Object(object)) => {
                    (object.name, object.directives, object.fields)
                }
                Definition::TypeExtension(graphql_tools::parser::schema::TypeExtension::Object(object)) => {
                    (object.name, object.directives, object.fields)
                }
                _ => continue,
            };
            if ["Query", "Mutation", "Subscription"].contains(&name.as_str()) {
                let own_fields = own_fields.iter().filter(|field| !field.name.starts_with('_'));
                fields.extend(own_fields.map(|field| format!("{name}.{}", field.name)));
            } else if directives.iter().any(|directive| {
                directive.name == "key" && !directive.arguments.iter().any(|(name, _)| name == "resolvable")
            }) {
                entities.insert(name);
            }
        }
    }
    let rows: BTreeSet<String> =
        ROWS.iter().map(|row| row.field).chain(SUBSCRIPTIONS.iter().copied()).map(str::to_owned).collect();
    assert_eq!(fields, rows, "root fields and rows differ");
    let known: BTreeSet<String> = ENTITIES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(entities, known, "entities and rows differ");
}

fn got(answer: &Value) -> Gets {
    if let Some(code) = answer["errors"][0]["extensions"]["code"].as_str() {
        let known = ["UNAUTHENTICATED", "FORBIDDEN", "UNAUTHORIZED_FIELD_OR_TYPE", "IDENTITY_LEVEL_TOO_LOW"];
        return Gets::Refused(known.into_iter().find(|known| *known == code).unwrap_or("another code"));
    }
    let root = answer["data"].as_object().and_then(|data| data.values().next()).unwrap_or(&Value::Null);
    let empty = root.is_null() || root["nodes"] == json!([]) || root["__typename"] == "NotFoundProblem";
    if empty { Gets::Nothing } else { Gets::It }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_gets_what_the_row_says() {
    let place = Installation::start().await;
    let applicant = Person::citizen(&place, "somchai", "thaid").await;
    let party = parties(&applicant).await.remove(0);
    let application = submitted_food_premises(&place, &applicant, &party).await;
    let officer = Person::officer(&place, "officer-nonthaburi").await;
    decide(&officer, "TakeApplication", &application, json!({})).await;
    decide(&officer, "ApproveApplication", &application, json!({"reason": "ครบ"})).await;
    let bill = bill(&applicant, &application).await;
    let payment = start_payment(&applicant, &bill["id"], "G_WALLET").await;
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    let ids = [
        ("$app", text(&application)),
        ("$bill", text(&bill["id"])),
        ("$pay", text(&payment["id"])),
        ("$off", offering(&place, "LAO-01", "1201").await),
        ("$party", party),
    ];
    let nobody = Person::nobody(&place);
    let other_citizen = Person::citizen(&place, "malee", "thaid").await;
    let other_officer = Person::officer(&place, "officer-chiangmai").await;
    let mut wrong = Vec::new();
    for row in ROWS {
        let document = ids.iter().fold(row.document.to_owned(), |text, (name, id)| text.replace(name, id));
        for (who, caller, may) in [
            ("nobody", &nobody, row.nobody),
            ("another citizen", &other_citizen, row.other_citizen),
            ("another agency's officer", &other_officer, row.other_officer),
            ("the agency's officer", &officer, row.officer),
            ("the applicant", &applicant, row.applicant),
        ] {
            let answer = caller.query(&document.replace("$key", &key()), json!({})).await;
            if got(&answer) != may {
                wrong.push(format!("{} as {who}: {may:?} was due, but: {answer}", row.field));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_scope_is_refused_before_any_service_is_asked() {
    let place = Installation::start().await;
    let bare = Person::citizen_with_scopes(&place, "somchai", "openid").await;
    for row in ROWS.iter().filter(|row| row.applicant == Gets::It && row.nobody == NO_SCOPE) {
        if row.field == "Mutation.endSession" {
            continue; // asks for a login, not for a scope
        }
        let answer = bare.query(&row.document.replace('$', ""), json!({})).await;
        assert_eq!(got(&answer), NO_SCOPE, "{}: {answer}", row.field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_person_s_entities_stay_theirs() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    // The agency's officer sees the case, but not through it the person's profile.
    let officer = Person::officer(&place, "officer-nonthaburi").await;
    let query = "query($id: ID!) { application(id: $id) { id applicant { id displayName { th } } applicantName { th } } }";
    let seen = officer.query(query, json!({"id": application})).await;
    assert!(seen["data"]["application"]["applicant"].is_null(), "{seen}");
    assert!(seen["data"]["application"]["applicantName"]["th"].is_string());
    // Another citizen finds no party but their own.
    let malee = Person::citizen(&place, "malee", "thaid").await;
    assert!(!parties(&malee).await.contains(&me));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_an_application_go_to_its_applicant_and_its_agency_alone() {
    let place = Installation::start().await;
    let somchai = Person::citizen(&place, "somchai", "thaid").await;
    let me = parties(&somchai).await.remove(0);
    let application = submitted_food_premises(&place, &somchai, &me).await;
    let variables = json!({"id": application, "after": 0});
    let own = Person::officer(&place, "officer-nonthaburi").await;
    let events = own.events("ApplicationEvents", variables.clone(), |events| !events.is_empty()).await;
    assert_eq!(events[0]["data"]["applicationEvents"]["kind"], "STARTED");
    let malee = Person::citizen(&place, "malee", "thaid").await;
    let other = Person::officer(&place, "officer-chiangmai").await;
    for stranger in [&malee, &other, &Person::nobody(&place)] {
        let answer = stranger.refused_subscription("ApplicationEvents", variables.clone()).await;
        let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
        assert!(["NOT_FOUND", "UNAUTHORIZED_FIELD_OR_TYPE", "FORBIDDEN"].contains(&code), "{answer}");
        assert!(!answer.to_string().contains("STARTED"));
    }
}
