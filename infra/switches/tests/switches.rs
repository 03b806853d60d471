//! A switch moved is felt everywhere at once, is done once, and is never forgotten.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clock::Clock;
use database::{Database, args};
use outbox::Outbox;
use switches::{Change, Kind, Notice, Order, Ordered, Switches, Target};
use testkit::{Engines, TestDatabase};

const SERVICE: Kind = Kind::PublicService;

async fn open(place: &TestDatabase) -> Database {
    let migrations = [&outbox::MIGRATIONS, &idempotency::MIGRATIONS, &switches::MIGRATIONS];
    Database::open(&place.target, "things", &migrations).await.unwrap()
}

/// The switches as one process has them.
fn process(database: &Database, clock: &Clock) -> Switches {
    Switches::new(database.clone(), clock.clone(), Outbox::new(clock.clone()))
}

fn notice(from: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Option<Notice> {
    Some(Notice {
        text_th: "ปิดปรับปรุง".into(), text_en: "Closed for repair".into(), from, until
    })
}

fn order(key: &str, notice: Option<Notice>) -> Order<'_> {
    let target = Target::new(SERVICE, "LAO-01");
    Order { by: "officer:1", key, target, notice, reason: "the form is wrong" }
}

async fn done(switches: &Switches, order: Order<'_>) -> Change {
    match switches.order(&order).await.unwrap() {
        Ordered::Done(change) => change,
        other => panic!("{other:?}"),
    }
}

async fn is_closed(switches: &Switches) -> bool {
    switches.closures().await.unwrap().of(SERVICE, "LAO-01").is_some()
}

#[tokio::test]
async fn a_switch_moved_in_one_process_is_felt_in_another_within_a_second() {
    for place in Engines::all().await {
        let (database, clock) = (open(&place).await, testkit::clock());
        let (one, other) = (process(&database, &clock), process(&database, &clock));
        assert!(!is_closed(&other).await, "{}", place.engine);
        done(&one, order("close", notice(None, None))).await;
        let moved_at = Instant::now();
        assert!(is_closed(&one).await, "at once where it was moved");
        while !is_closed(&other).await {
            assert!(moved_at.elapsed() < Duration::from_secs(1), "{}", place.engine);
            tokio::task::yield_now().await;
        }
        done(&other, order("open", None)).await;
        let moved_at = Instant::now();
        while is_closed(&one).await {
            assert!(moved_at.elapsed() < Duration::from_secs(1), "{}", place.engine);
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn an_order_is_done_once_however_often_it_is_sent() {
    for place in Engines::all().await {
        let (database, clock) = (open(&place).await, testkit::clock());
        let switches = process(&database, &clock);
        let first = done(&switches, order("k", notice(None, None))).await;
        let again = done(&switches, order("k", notice(None, None))).await;
        assert_eq!((first.number, again.number), (1, 1), "{}", place.engine);
        let other = switches.order(&order("k", None)).await.unwrap();
        assert!(matches!(other, Ordered::KeyReused), "{other:?}");
        assert!(is_closed(&switches).await);
    }
}

#[tokio::test]
async fn an_order_sent_again_after_its_end_is_told_as_it_was_done() {
    let place = TestDatabase::sqlite();
    let (database, clock) = (open(&place).await, testkit::clock());
    let switches = process(&database, &clock);
    let until = Some(clock.now() + chrono::Duration::hours(1));
    let first = done(&switches, order("k", notice(None, until))).await;
    clock.advance(chrono::Duration::hours(2));
    assert_eq!(done(&switches, order("k", notice(None, until))).await.number, first.number);
    assert!(!is_closed(&switches).await, "it is over all the same");
}

#[tokio::test]
async fn of_many_who_move_a_switch_at_once_each_is_recorded_with_a_number_of_its_own() {
    for place in Engines::all().await {
        let (database, clock) = (open(&place).await, testkit::clock());
        let switches = process(&database, &clock);
        let keys: Vec<String> = (0..8).map(|number| format!("at once {number}")).collect();
        let orders = keys.iter().map(|key| done(&switches, order(key, notice(None, None))));
        let mut numbers: Vec<i64> =
            futures::future::join_all(orders).await.iter().map(|change| change.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=8).collect::<Vec<_>>(), "{}", place.engine);
    }
}

#[tokio::test]
async fn what_is_closed_is_not_opened_by_a_plan_to_close_it_later() {
    for place in Engines::all().await {
        let (database, clock) = (open(&place).await, testkit::clock());
        let switches = process(&database, &clock);
        done(&switches, order("close", notice(None, None))).await;
        let later = Some(clock.now() + chrono::Duration::hours(5));
        let planned = switches.order(&order("plan", notice(later, None))).await.unwrap();
        let Ordered::Invalid(faults) = planned else { panic!("{planned:?}") };
        assert_eq!(faults[0].pointer, "/from");
        assert!(is_closed(&switches).await, "{}", place.engine);
        done(&switches, order("open", None)).await;
        done(&switches, order("plan", notice(later, None))).await;
        assert!(!is_closed(&switches).await, "{}", place.engine);
    }
}

#[tokio::test]
async fn a_planned_closure_begins_and_ends_by_itself_and_tells_so_each_time() {
    for place in Engines::all().await {
        let (database, clock) = (open(&place).await, testkit::clock());
        let switches = process(&database, &clock);
        let hours = |hours| clock.now() + chrono::Duration::hours(hours);
        let (from, until) = (hours(1), hours(3));
        done(&switches, order("plan", notice(Some(from), Some(until)))).await;
        let closures = switches.closures().await.unwrap();
        assert_eq!(closures.planned(&[(SERVICE, "LAO-01")]).unwrap().from, from);
        let mut seen = vec![is_closed(&switches).await];
        for _ in 0..3 {
            clock.advance(chrono::Duration::hours(1));
            seen.push(is_closed(&switches).await);
        }
        assert_eq!(seen, [false, true, true, false], "{}", place.engine);
        let sql = "select not_before from outbox_message where topic = $1 order by not_before";
        let told = database.rows(sql, args!["catalogue.availability_changed"]).await.unwrap();
        let told: Vec<DateTime<Utc>> = told.iter().map(|row| row.get("not_before").unwrap()).collect();
        let felt_everywhere_at = told[0] + chrono::Duration::milliseconds(500);
        assert_eq!(told[1..], [felt_everywhere_at, from, until], "{}", place.engine);
    }
}

#[tokio::test]
async fn the_record_is_only_added_to() {
    for place in Engines::all().await {
        let (database, clock) = (open(&place).await, testkit::clock());
        let switches = process(&database, &clock);
        done(&switches, order("close", notice(None, None))).await;
        done(&switches, order("open", None)).await;
        for sql in ["update switch_change set reason = 'another'", "delete from switch_change"] {
            assert!(database.execute(sql, args![]).await.is_err(), "{}: {sql}", place.engine);
        }
        let record = switches.changes(&Target::new(SERVICE, "LAO-01"), None, 10).await.unwrap();
        let told: Vec<_> =
            record.iter().map(|c| (c.number, c.closure.is_some(), c.changed_by.as_str())).collect();
        assert_eq!(told, [(2, false, "officer:1"), (1, true, "officer:1")], "{}", place.engine);
        let older = switches.changes(&Target::new(SERVICE, "LAO-01"), Some(2), 10).await.unwrap();
        assert_eq!(older.len(), 1);
    }
}

#[tokio::test]
async fn what_is_heard_in_the_wrong_order_or_twice_ends_as_it_was_ordered() {
    for place in Engines::all().await {
        let (database, clock) = (open(&place).await, testkit::clock());
        let elsewhere = TestDatabase::sqlite();
        let theirs = open(&elsewhere).await;
        let (sender, receiver) = (process(&theirs, &clock), process(&database, &clock));
        let closed = done(&sender, order("close", notice(None, None))).await;
        let opened = done(&sender, order("open", None)).await;
        for heard in [&opened, &closed, &opened] {
            let mut tx = database.begin().await.unwrap();
            receiver.hear(&mut tx, heard).await.unwrap();
            tx.commit().await.unwrap();
            assert!(!is_closed(&receiver).await, "{}", place.engine);
        }
        // Two relays bring the same at once: neither fails.
        let again = done(&sender, order("close again", notice(None, None))).await;
        let hear = async || {
            let mut tx = database.begin().await.unwrap();
            receiver.hear(&mut tx, &again).await.unwrap();
            tx.commit().await.unwrap();
        };
        futures::future::join_all((0..4).map(|_| hear())).await;
        assert!(is_closed(&receiver).await, "{}", place.engine);
    }
}

#[tokio::test]
async fn others_are_not_told_who_moved_a_switch_and_why() {
    let place = TestDatabase::sqlite();
    let (database, clock) = (open(&place).await, testkit::clock());
    done(&process(&database, &clock), order("close", notice(None, None))).await;
    let rows = database.rows("select payload from outbox_message", args![]).await.unwrap();
    let told = rows[0].get::<serde_json::Value>("payload").unwrap().to_string();
    assert!(!told.contains("officer:1") && !told.contains("the form is wrong"), "{told}");
}

#[tokio::test]
async fn of_two_switches_that_keep_something_closed_the_one_that_ends_last_is_told() {
    let place = TestDatabase::sqlite();
    let (database, clock) = (open(&place).await, testkit::clock());
    let switches = process(&database, &clock);
    let hours = |hours| Some(clock.now() + chrono::Duration::hours(hours));
    for (name, until) in [("one", hours(1)), ("two", hours(2)), ("endless", None)] {
        let order = Order { target: Target::new(SERVICE, name), ..order(name, notice(None, until)) };
        done(&switches, order).await;
    }
    let closures = switches.closures().await.unwrap();
    let of_any =
        |names: [&'static str; 2]| closures.of_any(&names.map(|name| (SERVICE, name))).unwrap().until;
    assert_eq!(of_any(["one", "two"]), hours(2));
    assert_eq!(of_any(["endless", "two"]), None);
    assert_eq!(of_any(["one", "open"]), hours(1));
}

#[tokio::test]
async fn an_order_that_says_nothing_or_ends_before_it_begins_is_refused_with_the_place() {
    let place = TestDatabase::sqlite();
    let (database, clock) = (open(&place).await, testkit::clock());
    let switches = process(&database, &clock);
    let mut wrong = order("k", notice(None, Some(clock.now())));
    wrong.reason = " ";
    let Ordered::Invalid(faults) = switches.order(&wrong).await.unwrap() else { panic!("it was taken") };
    let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/reason", "/until"]);
    // Such a year would be stored as text that sorts before every other.
    let far = "+10000-01-01T00:00:00Z".parse().ok();
    assert!(far.is_some());
    for wrong in [notice(None, far), notice(Some(DateTime::UNIX_EPOCH), None)] {
        let refused = switches.order(&order("far", wrong)).await.unwrap();
        assert!(matches!(refused, Ordered::Invalid(_)), "{refused:?}");
    }
    assert!(!is_closed(&switches).await);
}

#[tokio::test]
async fn while_the_database_is_away_what_was_closed_stays_closed() {
    let place = TestDatabase::sqlite();
    let (database, clock) = (open(&place).await, testkit::clock());
    let switches = process(&database, &clock);
    done(&switches, order("close", notice(None, None))).await;
    assert!(is_closed(&switches).await);
    database.close().await;
    let closed_at = Instant::now();
    while closed_at.elapsed() < Duration::from_millis(2 * switches::MEMORY_MS) {
        assert!(is_closed(&switches).await);
        tokio::task::yield_now().await;
    }
}
