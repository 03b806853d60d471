//! At the size of a country: no statement of a request reads a large table from end to end. A command of its own:
//! `make scale` (`ROWS=` bills; the more, the longer it takes to make them).

use std::time::Instant;

use database::{Database, args};
use serde_json::json;
use testkit::{Plans, TestDatabase, excesses};
use uuid::Uuid;

use crate::world::World;

/// Pages one statement may read: what a page of 100 rows of a list needs, three levels of index for each.
const PAGES_MAX: u64 = 600;
/// Tables that stay small however many people come.
const SMALL_TABLES: [&str; 7] = [
    "receipt_series",
    "ledger_account",
    "ledger_partition",
    "reconciliation",
    "switch_change",
    "finding",
    "proposal",
];

/// Ids as they are made in the year before, one after the other.
fn made_id(kind: &str) -> String {
    format!(
        "(lpad(to_hex((1764000000000 + n * 31536000000 / $1)::bigint), 12, '0') || '7{kind}8000' || \
         lpad(to_hex(n), 12, '0'))::uuid"
    )
}

/// As many bills as asked for, most of them paid, by statements that make all rows at once.
async fn fill(database: &Database, rows: i64) {
    let [bill, payment, settlement, other] = ["001", "002", "003", "004"].map(made_id);
    let at = "to_timestamp(1764000000 + n * 31536000.0 / $1)";
    let all = "generate_series(0, $1 - 1) as n";
    let (paid, returned) = (format!("{all} where n % 10 > 0"), format!("{all} where n % 100 = 1"));
    let agency = "case when n % 100 < 35 then 'BMA' else 'LAO-' || 2000 + n % 900 end";
    let statements = [
        "set session_replication_role = replica".to_owned(),
        "insert into ledger_account (code, kind) select 'made/' || n, 'asset' from generate_series(0, 99) as n"
            .to_owned(),
        format!(
            "insert into bill (id, application_id, purpose, party_id, agency_code, service_code, title_th, \
             amount_satang, status, issued_at) select {bill}, {bill}, 'FEE', {other}, {agency}, 'S', 'ค่าธรรมเนียม', \
             50500, case when n % 10 > 0 then 'SETTLED' else 'OPEN' end, {at} from {all}"
        ),
        format!(
            "insert into bill_item (id, bill_id, position, description_th, amount_satang) \
             select {other}, {bill}, 1, 'ค่าธรรมเนียม', 50500 from {all}"
        ),
        format!(
            "insert into payment (id, bill_id, method, provider, reference, amount_satang, status, created_at, \
             expires_at, presented_at, ended_at) select {payment}, {bill}, 'PROMPTPAY_QR', 'scb', 'made' || n, 50500, \
             'SUCCEEDED', {at}, {at}, {at}, {at} from {paid}"
        ),
        format!(
            "insert into settlement (id, payment_id, bill_id, provider, provider_txn_id, trust, classification, \
             amount_satang, kept_satang, returned_satang, occurred_at, recorded_at) select {settlement}, {payment}, \
             {bill}, 'scb', 'made' || n, 'SIGNED', 'SETTLES', 50500, 50500, 0, {at}, {at} from {paid}"
        ),
        format!(
            "insert into bill_success (bill_id, settlement_id, payment_id) select {bill}, {settlement}, {payment} \
             from {paid}"
        ),
        format!(
            "insert into receipt (id, bill_id, agency_code, year, number, amount_satang, issued_at) \
             select {other}, {bill}, 'MADE', 2569, n, 50500, {at} from {paid}"
        ),
        format!(
            "insert into refund (id, bill_id, settlement_id, reason, amount_satang, status, created_at) \
             select {other}, {bill}, {settlement}, 'APPLICATION_CLOSED', 50500, \
             case when n % 1000 = 1 then 'MANUAL' else 'REFUNDED' end, {at} from {returned}"
        ),
        format!(
            "insert into ledger_transfer (id, debit_account, credit_account, amount_satang, kind, \
             external_reference, bill_id, occurred_at, posted_at) select {other}, 'made/' || n % 50, \
             'made/' || 50 + n % 50, 50500, 'SETTLEMENT', 'made' || n, {bill}, {at}, {at} from {paid}"
        ),
        format!("insert into ledger_reference (external_reference, transfer_id) select 'made' || n, {other} from {paid}"),
        format!("insert into application (id) select {bill} from {all}"),
        format!(
            "insert into idempotency_key (subject, operation, key, fingerprint, created_at) \
             select {other}::text, 'startPayment', n::text, '', {at} from {all}"
        ),
        format!(
            "insert into outbox_message (id, topic, payload, created_at, not_before, attempts, delivered_at) \
             select {other}, 'payments.bill_settled', '{{}}', {at}, {at}, 1, {at} from {all}"
        ),
        format!(
            "insert into inbox_message (consumer, message_id, received_at) select 'payments', {other}, {at} from {all}"
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

/// Everything payers and officers do all day.
async fn a_day(world: &World) {
    let who = world.citizen();
    let (bill, application_id) = world.bill(&who).await;
    let payment = world.started(&who, &bill, "G_WALLET").await;
    world.pay(&payment, "").await;
    world.until_settled(&who, &bill).await;
    world.check(&who, &payment).await;
    world.payment(&who, &payment).await;
    let detail = "query($id: ID!) { bill(id: $id) { items { description { th } } payments { settlements {
        classification } } receipt { number } refunds { status } } }";
    world.ask(&who, detail, json!({ "id": bill })).await;
    let bills =
        "query($after: String, $filter: BillFilter) { bills(first: 50, after: $after, filter: $filter) {
        nodes { id status } pageInfo { endCursor } } }";
    let officer = world.officer(7);
    for reader in [&who, &officer] {
        for filter in [json!({}), json!({ "status": "OPEN" })] {
            let first = world.ask(reader, bills, json!({ "filter": filter })).await;
            let after = &first["bills"]["pageInfo"]["endCursor"];
            world.ask(reader, bills, json!({ "filter": filter, "after": after })).await;
        }
    }
    world.findings(&officer).await;
    let closed = json!({ "application_id": application_id, "outcome": "rejected", "refund": true });
    world.publish("applications.closed", closed).await;
    world.drain().await;
    let asked = json!({ "erasure_id": Uuid::nil(), "citizen_id": Uuid::from_u128(1), "round": 1 });
    world.publish("identity.erasure_asked", asked).await;
}

#[tokio::test]
#[ignore = "makes many rows: make scale"]
async fn no_statement_about_money_reads_a_large_table_whole() {
    let Some(mut place) = TestDatabase::postgres().await else { panic!("it needs PRATU_TEST_POSTGRES") };
    let (rows, begun) = (Plans::rows_wanted(), Instant::now());
    let unhurried = Plans::target(&place, "auto");
    let filling = Database::open(&unhurried, "payments", &payments::migrations()).await.unwrap();
    fill(&filling, rows).await;
    filling.close().await;
    println!("{rows} bills made in {:.0} s", begun.elapsed().as_secs_f64());
    let plans = Plans::watched();
    let mut found = Vec::new();
    let as_it_was = place.target.clone();
    for cache_mode in ["force_custom_plan", "force_generic_plan"] {
        place.target = as_it_was.clone();
        place.target = Plans::target(&place, cache_mode);
        let world = World::open(place).await;
        plans.taken();
        a_day(&world).await;
        let carried_out = plans.taken();
        assert!(carried_out.len() > 100, "only {} plans were seen", carried_out.len());
        println!("{cache_mode}: {} statements", carried_out.len());
        found.extend(excesses(&carried_out, &SMALL_TABLES, PAGES_MAX));
        place = world.into_place();
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
