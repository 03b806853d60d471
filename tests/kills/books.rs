//! What must hold when all is delivered: our books are the bank's, and nothing is lost or doubled.

use std::collections::{BTreeMap, BTreeSet};

use database::{Database, Row};
use serde_json::Value;
use uuid::Uuid;

use super::journey::Journey;
use super::world::World;

/// Everything that is false; an empty list is what a drill wants to see.
pub async fn faults(world: &World, done: &[(Journey, Value)]) -> Vec<String> {
    let mut faults = Vec::new();
    let payments = world.database("payments").await;
    let applications = world.database("applications").await;
    against_the_bank(&payments, &world.bank_books().await, &mut faults).await;
    our_own_books(&payments, &mut faults).await;
    let series = "select agency_code, year, last_number from receipt_series";
    let numbers = "select agency_code, year, number from receipt";
    numbered(&rows(&payments, series).await, &rows(&payments, numbers).await, &mut faults);
    each_application(&applications, &payments, done, &mut faults).await;
    for (name, database) in [("payments", &payments), ("applications", &applications)] {
        let dead =
            rows(database, "select topic, last_error from outbox_message where dead_at is not null").await;
        faults.extend(dead.iter().map(|row| format!("a dead message of {name}: {}", text(row, "topic"))));
    }
    // The system's own comparison with the bank, day by day.
    let open = rows(&payments, "select kind, subject from finding where status = 'OPEN'").await;
    faults
        .extend(open.iter().map(|row| format!("a finding: {} {}", text(row, "kind"), text(row, "subject"))));
    payments.close().await;
    applications.close().await;
    faults
}

/// Each transfer at the bank is one settlement of ours, each refund there one of ours, to the satang.
async fn against_the_bank(payments: &Database, bank: &Value, faults: &mut Vec<String>) {
    let sql = "select payment.reference, settlement.amount_satang from settlement
               join payment on payment.id = settlement.payment_id";
    let mut settled: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in rows(payments, sql).await {
        settled.entry(text(&row, "reference")).or_default().push(number(&row, "amount_satang"));
    }
    let sql = "select id, amount_satang, status from refund";
    let mut refunded: BTreeMap<String, i64> = BTreeMap::new();
    for row in rows(payments, sql).await {
        let id: Uuid = row.get("id").expect("an id");
        if text(&row, "status") != "REFUNDED" {
            faults.push(format!("refund {id} stands at {}", text(&row, "status")));
        }
        refunded.insert(id.to_string(), number(&row, "amount_satang"));
    }
    assert_eq!(bank["truncated"], false, "the bank shows all of its books");
    for order in bank["transactions"].as_array().expect("the bank has books") {
        let reference = order["reference1"].as_str().expect("a reference").to_owned();
        let paid: Vec<i64> = order["paid_satang"].as_i64().into_iter().collect();
        let ours = settled.remove(&reference).unwrap_or_default();
        if ours != paid {
            faults.push(format!("{reference}: the bank took {paid:?}, we have {ours:?}"));
        }
        for refund in order["refunds"].as_array().expect("a list") {
            let id = refund["refund_id"].as_str().expect("an id").to_owned();
            let ours = refunded.remove(&id);
            if ours != refund["amount_satang"].as_i64() {
                faults.push(format!("the bank paid back {refund}, we have {ours:?}"));
            }
        }
    }
    faults.extend(settled.keys().map(|reference| format!("{reference}: settled here, unknown to the bank")));
    faults.extend(refunded.keys().map(|id| format!("refund {id}: unknown to the bank")));
}

/// The ledger holds what was settled less what was refunded, and owes nobody but agencies.
async fn our_own_books(payments: &Database, faults: &mut Vec<String>) {
    let sql = "select debit_account, credit_account, amount_satang from ledger_transfer";
    let mut balances: BTreeMap<String, i64> = BTreeMap::new();
    for row in rows(payments, sql).await {
        *balances.entry(text(&row, "debit_account")).or_default() += number(&row, "amount_satang");
        *balances.entry(text(&row, "credit_account")).or_default() -= number(&row, "amount_satang");
    }
    let total = async |sql| number(&rows(payments, sql).await[0], "satang");
    let came =
        total("select cast(coalesce(sum(amount_satang), 0) as bigint) as satang from settlement").await;
    let went = total("select cast(coalesce(sum(amount_satang), 0) as bigint) as satang from refund").await;
    let of = |prefix: &str| -> i64 {
        balances.iter().filter(|(account, _)| account.starts_with(prefix)).map(|(_, satang)| satang).sum()
    };
    if of("clearing/") != came - went {
        faults.push(format!("the ledger holds {} where {} came and {} went", of("clearing/"), came, went));
    }
    if of("refundable") != 0 {
        faults.push(format!("{} satang are still owed to payers", -of("refundable")));
    }
}

/// Each series counts from one without gaps or doubles, up to its last number.
fn numbered(series: &[Row], numbers: &[Row], faults: &mut Vec<String>) {
    let mut used: BTreeMap<(String, i64), Vec<i64>> = BTreeMap::new();
    for row in numbers {
        let key = (text(row, "agency_code"), number(row, "year"));
        used.entry(key).or_default().push(number(row, "number"));
    }
    for row in series {
        let key = (text(row, "agency_code"), number(row, "year"));
        let mut found = used.remove(&key).unwrap_or_default();
        found.sort_unstable();
        let last = number(row, "last_number");
        if found != (1..=last).collect::<Vec<_>>() {
            faults.push(format!("the receipts of {key:?} are {found:?}, and the last is {last}"));
        }
    }
    faults.extend(used.keys().map(|key| format!("receipts of {key:?} stand in no series")));
}

/// Each journey left one application, where it must stand, with each event and its money once.
async fn each_application(
    applications: &Database,
    payments: &Database,
    done: &[(Journey, Value)],
    faults: &mut Vec<String>,
) {
    let rows_of_applications = rows(applications, "select id, status, receipt_number from application").await;
    let known: BTreeSet<String> = rows_of_applications
        .iter()
        .map(|row| graphql::ApplicationId::from(row.get::<Uuid>("id").expect("an id")).to_string())
        .collect();
    if known.len() != done.len() {
        faults.push(format!("{} journeys left {} applications", done.len(), known.len()));
    }
    let mut numbers: Vec<String> =
        rows_of_applications.iter().map(|row| text(row, "receipt_number")).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() != rows_of_applications.len() {
        faults.push("two applications have one receipt number".to_owned());
    }
    let kept = "select cast(coalesce(sum(amount_satang), 0) as bigint) as satang
                from ledger_transfer where credit_account like 'payable/%' and bill_id = $1";
    let back = "select cast(coalesce(sum(amount_satang), 0) as bigint) as satang
                from ledger_transfer where debit_account like 'payable/%' and bill_id = $1";
    for row in &rows_of_applications {
        let id: Uuid = row.get("id").expect("an id");
        let shown = graphql::ApplicationId::from(id).to_string();
        let Some((journey, _)) = done.iter().find(|(_, application)| *application == shown.as_str()) else {
            faults.push(format!("nobody filed {shown}"));
            continue;
        };
        if text(row, "status") != journey.status() {
            faults.push(format!("{journey:?}: the application stands at {}", text(row, "status")));
        }
        let events =
            "select sequence, kind from application_event where application_id = $1 order by sequence";
        let events = applications.rows(events, database::args![id]).await.expect("events can be read");
        let dense = events.iter().enumerate().all(|(at, row)| number(row, "sequence") == at as i64 + 1);
        let kinds: BTreeSet<String> = events.iter().map(|row| text(row, "kind")).collect();
        if !dense || kinds.len() != events.len() {
            faults.push(format!("{journey:?}: its events are {kinds:?}, in {} rows", events.len()));
        }
        let bills = "select id, status from bill where application_id = $1";
        let bills = payments.rows(bills, database::args![id]).await.expect("bills can be read");
        let [bill] = &bills[..] else {
            faults.push(format!("{journey:?}: {} bills", bills.len()));
            continue;
        };
        let bill: Uuid = bill.get("id").expect("an id");
        let sum = async |sql| {
            let row = payments.row(sql, database::args![bill]).await.expect("the ledger can be read");
            number(&row.expect("a sum"), "satang")
        };
        let left = sum(kept).await - sum(back).await;
        if left != journey.kept_satang() {
            faults.push(format!("{journey:?}: {left} satang are kept, not {}", journey.kept_satang()));
        }
    }
}

async fn rows(database: &Database, sql: &str) -> Vec<Row> {
    database.rows(sql, Vec::new()).await.expect("the database can be read")
}

fn text(row: &Row, column: &str) -> String {
    row.get::<Option<String>>(column).expect("a text").unwrap_or_default()
}

fn number(row: &Row, column: &str) -> i64 {
    row.get(column).expect("a number")
}
