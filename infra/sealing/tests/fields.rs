//! Sealed fields open for their subject, in their place, until the key is shredded.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use database::{Database, args};
use sealing::{Error, Keys, Place, Sealer};
use testkit::{Engines, TestDatabase};
use uuid::Uuid;

const SUBJECT: Uuid = Uuid::from_u128(1);
const PLACE: Place<'static> = Place { table: "citizen", column: "profile", row: Uuid::from_u128(2) };

async fn open(place: &TestDatabase) -> (Database, Sealer) {
    let database = Database::open(&place.target, "people", &[&sealing::MIGRATIONS]).await.unwrap();
    let sealer = sealer();
    sealer.adopt(&database, testkit::clock().now()).await.unwrap();
    (database, sealer)
}

fn sealer() -> Sealer {
    Sealer::new(Keys::from_base64(&Keys::generate()).unwrap())
}

async fn seal(database: &Database, sealer: &Sealer, subject: Uuid, text: &str) -> Vec<u8> {
    let now = testkit::clock().now();
    let mut tx = database.begin().await.unwrap();
    let sealed = sealer.seal(&mut tx, subject, PLACE, text.as_bytes(), now).await.unwrap();
    tx.commit().await.unwrap();
    sealed
}

#[tokio::test]
async fn a_field_opens_only_for_its_subject_in_its_place_with_its_key() {
    for place in Engines::all().await {
        let (mut database, sealer) = open(&place).await;
        let sealed = seal(&database, &sealer, SUBJECT, "สมชาย").await;
        assert!(!String::from_utf8_lossy(&sealed).contains("สมชาย"));
        let opened = sealer.open(&mut database, SUBJECT, PLACE, &sealed).await.unwrap();
        assert_eq!(opened.as_deref(), Some("สมชาย".as_bytes()), "{}", place.engine);

        let elsewhere = Place { row: Uuid::from_u128(3), ..PLACE };
        assert!(matches!(sealer.open(&mut database, SUBJECT, elsewhere, &sealed).await, Err(Error::Damaged)));
        seal(&database, &sealer, Uuid::from_u128(9), "other").await;
        let for_other = sealer.open(&mut database, Uuid::from_u128(9), PLACE, &sealed).await;
        assert!(matches!(for_other, Err(Error::Damaged)));
        for at in [0, 5, sealed.len() - 1] {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(sealer.open(&mut database, SUBJECT, PLACE, &damaged).await.is_err(), "byte {at}");
        }
        let other_master = self::sealer().open(&mut database, SUBJECT, PLACE, &sealed).await;
        assert!(matches!(other_master, Err(Error::Damaged)));
    }
}

#[tokio::test]
async fn after_shredding_nothing_opens_and_nothing_is_sealed_again() {
    for place in Engines::all().await {
        let (mut database, sealer) = open(&place).await;
        let sealed = seal(&database, &sealer, SUBJECT, "secret").await;
        let now = testkit::clock().now();
        let mut tx = database.begin().await.unwrap();
        sealer.shred(&mut tx, SUBJECT, now).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(
            sealer.open(&mut database, SUBJECT, PLACE, &sealed).await.unwrap(),
            None,
            "{}",
            place.engine
        );
        let mut tx = database.begin().await.unwrap();
        let again = sealer.seal(&mut tx, SUBJECT, PLACE, b"new", now).await;
        assert!(matches!(again, Err(Error::Shredded)));
        drop(tx);
        let kept = database.rows("select wrapped from subject_key where wrapped is not null", args![]).await;
        assert!(kept.unwrap().is_empty());
    }
}

#[tokio::test]
async fn keys_of_many_subjects_are_read_at_once_without_the_shredded() {
    for place in Engines::all().await {
        let (mut database, sealer) = open(&place).await;
        let other = Uuid::from_u128(9);
        let sealed = seal(&database, &sealer, SUBJECT, "สมชาย").await;
        seal(&database, &sealer, other, "gone").await;
        let mut tx = database.begin().await.unwrap();
        sealer.shred(&mut tx, other, testkit::clock().now()).await.unwrap();
        tx.commit().await.unwrap();
        let asked = [SUBJECT, other, Uuid::from_u128(404)];
        let keys = sealer.subject_keys(&mut database, &asked).await.unwrap();
        assert_eq!(keys.keys().collect::<Vec<_>>(), [&SUBJECT], "{}", place.engine);
        assert_eq!(keys[&SUBJECT].open(PLACE, &sealed).unwrap(), "สมชาย".as_bytes());
        let again = keys[&SUBJECT].seal(PLACE, b"new");
        assert_eq!(
            sealer.open(&mut database, SUBJECT, PLACE, &again).await.unwrap().as_deref(),
            Some(&b"new"[..])
        );
    }
}

#[test]
fn a_blind_index_finds_equal_values_of_one_column_and_shows_nothing() {
    let sealer = sealer();
    let index = sealer.blind_index("citizen.pid", "1100100001015");
    assert_eq!(index, sealer.blind_index("citizen.pid", "1100100001015"));
    assert_ne!(index, sealer.blind_index("officer.pid", "1100100001015"));
    assert_ne!(index, sealer.blind_index("citizen.pid", "1100100001016"));
    assert_ne!(index, self::sealer().blind_index("citizen.pid", "1100100001015"));
    assert_eq!(index.len(), 16);
}

#[test]
fn a_master_key_of_the_wrong_length_is_refused() {
    for wrong in ["", "c2hvcnQ=", "not base64!"] {
        assert!(Keys::from_base64(wrong).is_err());
    }
}
