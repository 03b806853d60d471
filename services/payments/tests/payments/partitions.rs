//! The ledger lies in partitions by month, stays append-only, and no reference is posted twice.

use database::{Database, Error, Migrations, args};
use testkit::TestDatabase;
use uuid::Uuid;

/// The tables as they were before there were partitions.
fn before() -> Vec<&'static Migrations> {
    let mut all = payments::migrations().to_vec();
    let own = all.pop().unwrap();
    let shorter = Migrations { name: own.name, sqlite: own.sqlite, postgres: &own.postgres[..3] };
    all.push(Box::leak(Box::new(shorter)));
    all
}

const BILL: &str =
    "insert into bill (id, application_id, purpose, party_id, agency_code, service_code, title_th,
        amount_satang, status, issued_at)
    values ($1, $1, 'FEE', $1, 'BMA', 'LAO-01', 'ค่าธรรมเนียม', 100, 'OPEN', now())";
const TRANSFER: &str = "insert into ledger_transfer (id, debit_account, credit_account, amount_satang, kind,
        external_reference, bill_id, occurred_at, posted_at)
    values ($1, 'clearing/scb', 'payable/BMA', 100, 'SETTLEMENT', $2, $3, now(), now())";

/// An id as it is made so many months from a day in 2026.
fn id_in(months: u32) -> Uuid {
    let day = chrono::NaiveDate::from_ymd_opt(2026, 11, 15).unwrap() + chrono::Months::new(months);
    let millis = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis();
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap(), &rand::random()).into_uuid()
}

#[tokio::test]
async fn transfers_of_before_are_all_there_and_a_reference_is_posted_once_in_all_months() {
    let Some(place) = TestDatabase::postgres().await else { return };
    let bill = id_in(0);
    let post = async |database: &Database, id: Uuid, reference: &str| {
        database.execute(TRANSFER, args![id, reference, bill]).await
    };
    let old = Database::open(&place.target, "payments", &before()).await.unwrap();
    for code in ["clearing/scb", "payable/BMA"] {
        old.execute("insert into ledger_account (code, kind) values ($1, 'asset')", args![code])
            .await
            .unwrap();
    }
    old.execute(BILL, args![bill]).await.unwrap();
    post(&old, id_in(0), "in/1").await.unwrap();
    post(&old, id_in(0), "in/2").await.unwrap();
    old.close().await;
    let now = Database::open(&place.target, "payments", &payments::migrations()).await.unwrap();
    now.make_partitions("make_ledger_partitions", "2027-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
    post(&now, id_in(3), "in/3").await.unwrap();
    post(&now, id_in(400), "in/4").await.unwrap();
    let sum = now.row("select cast(sum(amount_satang) as bigint) as sum from ledger_transfer", args![]).await;
    assert_eq!(sum.unwrap().unwrap().get::<i64>("sum").unwrap(), 400);
    let in_month = now.rows("select id from ledger_transfer_2027_02", args![]).await.unwrap();
    assert_eq!(in_month.len(), 1);
    for reference in ["in/1", "in/3", "in/4"] {
        let again = post(&now, id_in(2), reference).await;
        assert!(again.is_err_and(|error| error.is_unique_violation()), "{reference}");
    }
    for sql in [
        "update ledger_transfer set amount_satang = 1",
        "update ledger_transfer_2027_02 set amount_satang = 1",
        "delete from ledger_transfer_first",
        "truncate ledger_transfer",
        "truncate ledger_transfer_2027_02",
        "delete from ledger_reference",
    ] {
        let refused = now.execute(sql, args![]).await;
        assert!(
            matches!(&refused, Err(Error::Sqlx(error)) if error.to_string().contains("append-only")),
            "{sql}"
        );
    }
}
