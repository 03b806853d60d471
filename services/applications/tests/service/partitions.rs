//! Events lie in partitions by month, and none was lost on the way there.

use chrono::{DateTime, Duration, Utc};
use database::{Database, Migrations, args};
use testkit::TestDatabase;
use uuid::Uuid;

use crate::world::{id, worlds};

/// An id as it is made at an instant.
fn id_at(instant: &str, number: u64) -> Uuid {
    let instant: DateTime<Utc> = instant.parse().unwrap();
    let millis = u64::try_from(instant.timestamp_millis()).unwrap();
    let rest: [u8; 10] = [&[0; 2][..], &number.to_be_bytes()].concat().try_into().unwrap();
    uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}

/// The tables as they were before there were partitions.
fn before() -> Vec<&'static Migrations> {
    let mut all = applications::migrations().to_vec();
    let own = all.pop().unwrap();
    let shorter = Migrations { name: own.name, sqlite: own.sqlite, postgres: &own.postgres[..2] };
    all.push(Box::leak(Box::new(shorter)));
    all
}

const OFFERING: &str = "insert into offering_copy (offering_id, revision, content, received_at)
    values ($1, 1, '{}', now())";
const APPLICATION: &str = "insert into application (id, applicant_party_id, offering_id, offering_revision,
        service_code, agency_code, status, revision, applicant_name, answers, answer_sources, last_sequence,
        document_requests, decision_automatic, created_at)
    values ($1, $2, $2, 1, 'LAO-01', 'LAO-1201', 'DRAFT', 1, '', '', '[]', 2, 0, false, now())";
const EVENT: &str =
    "insert into application_event (id, application_id, sequence, kind, at, actor_kind, party_id,
        status_after, detail)
    values ($1, $2, $3, 'STARTED', now(), 'SYSTEM', $2, 'DRAFT', '{}')";

async fn insert(database: &Database, application_id: Uuid, offering_id: Uuid) {
    database.execute(APPLICATION, args![application_id, offering_id]).await.unwrap();
    for sequence in 1..=2_i64 {
        let event_id = Uuid::from_u128(rand::random());
        database.execute(EVENT, args![event_id, application_id, sequence]).await.unwrap();
    }
}

#[tokio::test]
async fn events_of_before_are_all_there_and_new_ones_lie_in_their_months() {
    let Some(place) = TestDatabase::postgres().await else { return };
    let old = Database::open(&place.target, "applications", &before()).await.unwrap();
    let (long_ago, ahead) = (id_at("2024-02-03T04:05:06Z", 1), id_at("2031-07-31T23:59:59Z", 2));
    old.execute(OFFERING, args![id(5)]).await.unwrap();
    // One whose clock was ahead when the tables were changed.
    for application in [long_ago, ahead] {
        insert(&old, application, id(5)).await;
    }
    old.close().await;
    let now = Database::open(&place.target, "applications", &applications::migrations()).await.unwrap();
    let count = async |sql: &str| now.rows(sql, args![]).await.unwrap().len();
    assert_eq!(count("select id from application_event").await, 4);
    assert_eq!(count("select id from application_event_first").await, 4);
    let in_2031 = "2031-08-01T00:00:00Z".parse().unwrap();
    now.make_partitions("make_event_partitions", in_2031).await.unwrap();
    let later = id_at("2031-08-01T00:00:00Z", 3);
    insert(&now, later, id(5)).await;
    assert_eq!(count("select id from application_event_2031_08").await, 2, "it lies in its own month");
    let far = id_at("2040-01-01T00:00:00Z", 4);
    insert(&now, far, id(5)).await;
    assert_eq!(count("select id from application_event_rest").await, 2, "what has no month is kept as well");
    let again = now.execute(EVENT, args![id(77), long_ago, 2_i64]).await;
    assert!(again.unwrap_err().is_unique_violation(), "a sequence number is given once");
    for sql in [
        "delete from application_event",
        "truncate application_event",
        "update application_event_2031_08 set kind = 'REJECTED'",
        "delete from application_event_first",
        "truncate application_event_2031_08",
    ] {
        assert!(now.execute(sql, args![]).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn months_get_their_partitions_ahead_and_only_once() {
    let Some(place) = TestDatabase::postgres().await else { return };
    let database = Database::open(&place.target, "applications", &applications::migrations()).await.unwrap();
    let make =
        async |now: DateTime<Utc>| database.make_partitions("make_event_partitions", now).await.unwrap();
    let ends = async || {
        let row = database.row("select max(ends_at) as ends_at from event_partition", args![]).await;
        row.unwrap().unwrap().get::<DateTime<Utc>>("ends_at").unwrap()
    };
    let covered = ends().await;
    // Rows that came before their partition did stay where they are, and what comes after goes on.
    let offering = id(5);
    database.execute(OFFERING, args![offering]).await.unwrap();
    let early = uuid::Builder::from_unix_timestamp_millis(
        u64::try_from((covered + Duration::days(40)).timestamp_millis()).unwrap(),
        &[0; 10],
    );
    insert(&database, early.into_uuid(), offering).await;
    let now = covered;
    let (first, second) = (make(now).await, make(now).await);
    assert!(first >= 3, "{first}");
    assert_eq!(second, 0);
    assert!(ends().await >= now + Duration::days(92));
    let gaps = "select 1 as one from event_partition as one where begins_at <> '-infinity'
        and not exists (select 1 from event_partition as other where other.ends_at = one.begins_at)";
    assert!(database.rows(gaps, args![]).await.unwrap().is_empty());
    let kept = "select id from application_event_rest";
    assert_eq!(database.rows(kept, args![]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn one_timeline_is_read_from_one_partition() {
    for world in worlds().await {
        if world.place.engine == "sqlite" {
            continue;
        }
        world.draft_of(5).await;
        let database = world.service.database();
        let row = database.row("select id from application", args![]).await.unwrap().unwrap();
        let sql = format!(
            "explain (format json) select * from application_event where application_id = '{}'",
            row.get::<Uuid>("id").unwrap()
        );
        let plan = database.row(&sql, args![]).await.unwrap().unwrap();
        let plan = plan.get::<serde_json::Value>("QUERY PLAN").unwrap().to_string();
        assert_eq!(plan.matches("Relation Name").count(), 1, "{plan}");
    }
}
