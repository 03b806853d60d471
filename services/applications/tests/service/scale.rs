//! At the size of a country: no statement of a request reads a large table from end to end. A command of its own:
//! `make scale` (`ROWS=` applications; the more, the longer it takes to make them).

use std::time::Instant;

use auth::Principal;
use database::{Database, args};
use serde_json::{Value as Json, json};
use testkit::{Plans, TestDatabase};

use crate::files::attach;
use crate::messages::settled;
use crate::world::{World, id};

/// Pages one statement may read: what a page of 100 rows of a list needs, three levels of index for each.
const PAGES_MAX: u64 = 600;
/// The first page of the largest inbox against that of a small one.
const INBOX_RATIO_MAX: f64 = 1.5;
/// The agency that has 35 in 100 of all applications, and one that has 350 in all.
const LARGE: &str = "LAO-1201";
const SMALL: &str = "LAO-0350";

/// Ids as they are made in the year before, one after the other.
fn made_id(number: &str, kind: &str) -> String {
    format!(
        "(lpad(to_hex((1764000000000 + ({number}) * 31536000000 / $1)::bigint), 12, '0') || '7{kind}8000' || \
         lpad(to_hex({number}), 12, '0'))::uuid"
    )
}

/// As many applications as asked for, with all that hangs on them, by statements that make all rows at once.
async fn fill(database: &Database, rows: i64) {
    let (application, event) = (made_id("n", "001"), made_id("n * 2 + step", "002"));
    let party = made_id("n / 2", "003");
    let agency = format!(
        "case when n < 350 then '{SMALL}' when n % 100 < 35 then '{LARGE}' else 'LAO-' || 2000 + n % 900 end"
    );
    let status = "case n % 20 when 0 then 'DRAFT' when 1 then 'SUBMITTED' when 2 then 'UNDER_REVIEW' \
                  when 3 then 'RETURNED' when 4 then 'AWAITING_PAYMENT' else 'APPROVED' end";
    let at = "to_timestamp(1764000000 + n * 31536000.0 / $1)";
    let all = "generate_series(0, $1 - 1) as n";
    let sealed = "decode(repeat('5a', 400), 'hex')";
    let statements = [
        "set session_replication_role = replica".to_owned(),
        format!(
            "insert into application (id, applicant_party_id, offering_id, offering_revision, service_code, \
             agency_code, status, revision, receipt_number, applicant_name, answers, answer_sources, \
             last_sequence, document_requests, decision_automatic, created_at, submitted_at, due_on, \
             expires_at, applicant_index) \
             select {application}, {party}, '{}', 1, 'S-' || n % 50, {agency}, {status}, 1, 'made-' || n, \
             {sealed}, {sealed}, '[]', 2, 0, false, {at}, case when n % 20 <> 0 then {at} end, \
             {at}::date + 30, null, decode(md5((n / 2)::text), 'hex') from {all}",
            id(5)
        ),
        format!(
            "insert into application_event (id, application_id, sequence, kind, at, actor_kind, party_id, \
             status_after, detail) select {event}, {application}, step + 1, 'STARTED', {at}, 'SYSTEM', {party}, \
             'DRAFT', '{{}}' from {all}, generate_series(0, 1) as step"
        ),
        format!(
            "insert into evidence (id, application_id, code, file_name, media_type, size_bytes, bytes_max, \
             created_at) select {}, {application}, 'map', {sealed}, 'image/png', 1, 1, {at} from {all}",
            made_id("n", "004")
        ),
        format!(
            "insert into subject_key (subject, kek_version, wrapped, created_at) \
             select distinct {party}, (select min(kek_version) from subject_key), {sealed}, now() from {all}"
        ),
        format!(
            "insert into idempotency_key (subject, operation, key, fingerprint, created_at) \
             select {party}::text, 'submitApplication', n::text, '', {at} from {all}"
        ),
        format!(
            "insert into outbox_message (id, topic, payload, created_at, not_before, attempts, delivered_at) \
             select {}, 'applications.submitted', '{{}}', {at}, {at}, 1, {at} from {all}",
            made_id("n", "005")
        ),
        format!(
            "insert into inbox_message (consumer, message_id, received_at) \
             select 'applications', {}, {at} from {all}",
            made_id("n", "006")
        ),
    ];
    let mut tx = database.begin().await.unwrap();
    for sql in statements {
        let values = if sql.contains("$1") { args![rows] } else { args![] };
        tx.execute(&sql.replace("$1", "$1::bigint"), values).await.unwrap();
    }
    tx.execute("set session_replication_role = default", args![]).await.unwrap();
    tx.commit().await.unwrap();
    database.execute("vacuum analyze", args![]).await.unwrap();
}

const QUEUE: &str =
    "query($after: String, $filter: OfficerQueueFilter) { officerQueue(first: 50, after: $after,
    filter: $filter) { nodes { id status receiptNumber } pageInfo { endCursor hasNextPage } } }";

/// Everything citizens and officers do all day.
async fn a_day(world: &World) {
    let fine = async |who: &Principal, document: &str, variables: Json| {
        let answer = world.ask(who, document, variables).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer
    };
    let mine = "query($after: String) { applications(first: 50, after: $after) {
        nodes { id status timeline { nodes { kind } } evidence { code } } pageInfo { endCursor } } }";
    for filter in [
        json!({}),
        json!({ "status": "UNDER_REVIEW" }),
        json!({ "serviceCode": "S-1" }),
        json!({ "late": true }),
        json!({ "submittedFrom": "2026-03-01", "submittedUntil": "2026-03-02" }),
        json!({ "status": "RETURNED", "serviceCode": "S-43" }),
        json!({ "applicantNumber": "1100100001015" }),
    ] {
        let first = fine(&world.officer, QUEUE, json!({ "filter": filter })).await;
        let after = &first["data"]["officerQueue"]["pageInfo"]["endCursor"];
        fine(&world.officer, QUEUE, json!({ "filter": filter, "after": after })).await;
    }
    let submitted = world.submitted(5).await;
    let first = fine(&world.citizen, mine, json!({})).await;
    fine(&world.citizen, mine, json!({ "after": first["data"]["applications"]["pageInfo"]["endCursor"] }))
        .await;
    let draft = world.complete_draft(5).await;
    attach(world, &draft).await;
    world.see(&world.citizen, &submitted).await;
    world.officer_does("takeApplication", &submitted, json!({})).await;
    world.officer_does("explainDelay", &submitted, json!({ "reason": "เหตุผล" })).await;
    world.officer_does("approveApplication", &submitted, json!({})).await;
    world.hear("payments.bill_settled", settled(&submitted)).await;
    world.see(&world.officer, &submitted).await;
    world.tick().await;
    world
        .hear("identity.erasure_asked", json!({ "erasure_id": id(600), "citizen_id": id(1), "round": 1 }))
        .await;
}

/// Tables that stay small however many people come.
const SMALL_TABLES: [&str; 6] = [
    "offering_copy",
    "receipt_series",
    "switch_change",
    "event_partition",
    "upload_ticket",
    "requested_document",
];

#[tokio::test]
#[ignore = "makes many rows: make scale"]
async fn no_statement_of_a_request_reads_a_large_table_whole() {
    let Some(place) = TestDatabase::postgres().await else { panic!("it needs PRATU_TEST_POSTGRES") };
    let (rows, begun) = (Plans::rows_wanted(), Instant::now());
    let mut world = World::new(place).await;
    // Its key is the installation's, as those that are made will say of theirs.
    world.draft_of(5).await;
    let unhurried = Plans::target(&world.place, "auto");
    let filling = Database::open(&unhurried, "applications", &applications::migrations()).await.unwrap();
    fill(&filling, rows).await;
    filling.close().await;
    println!("{rows} applications made in {:.0} s", begun.elapsed().as_secs_f64());

    let [large, small] = inboxes(&world, [LARGE, SMALL]).await;
    println!(
        "first page of an inbox: {large:.2} ms of {LARGE}, {small:.2} ms of {SMALL}: {:.2}",
        large / small
    );

    let plans = Plans::watched();
    let mut found = Vec::new();
    for cache_mode in ["force_custom_plan", "force_generic_plan"] {
        let target = Plans::target(&world.place, cache_mode);
        world = world.restarted_at(&target).await;
        plans.taken();
        a_day(&world).await;
        let carried_out = plans.taken();
        assert!(carried_out.len() > 100, "only {} plans were seen", carried_out.len());
        println!("{cache_mode}: {} statements", carried_out.len());
        found.extend(testkit::excesses(&carried_out, &SMALL_TABLES, PAGES_MAX));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(large / small <= INBOX_RATIO_MAX, "a large inbox opens slower than a small one");
}

/// Milliseconds for the first page of each agency's queue, asked in turn: the medians of many.
async fn inboxes(world: &World, agencies: [&str; 2]) -> [f64; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..150 {
        for (times, agency) in times.iter_mut().zip(agencies) {
            let officer = testkit::officer(id(9), agency, world.clock.now());
            let begun = Instant::now();
            let answer = world.ask(&officer, QUEUE, json!({})).await;
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            let page = &answer["data"]["officerQueue"]["nodes"];
            assert_eq!(page.as_array().map(Vec::len), Some(50), "{answer}");
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}
