//! A key-encryption key is changed while people write, and never dropped while a row needs it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use database::{Database, args};
use sealing::{Error, KeyError, Keys, Place, Sealer};
use testkit::{Engines, TestDatabase};
use uuid::Uuid;

const PLACE: Place<'static> = Place { table: "citizen", column: "profile", row: Uuid::from_u128(2) };
const SUBJECTS: u128 = 25;

struct World {
    database: Database,
    old_master: String,
    new_master: String,
    index: String,
}

impl World {
    /// A database with subjects sealed under the old key alone.
    async fn of(place: &TestDatabase) -> (Self, Vec<(Uuid, Vec<u8>)>) {
        let database = Database::open(&place.target, "people", &[&sealing::MIGRATIONS]).await.unwrap();
        let old_master = Keys::generate();
        let keys = Keys::from_base64(&old_master).unwrap();
        let index = keys.index_base64().to_string();
        let world = Self { database, old_master, new_master: Keys::generate(), index };
        let sealer = Sealer::new(keys);
        sealer.adopt(&world.database, testkit::clock().now()).await.unwrap();
        let mut sealed = Vec::new();
        for subject in (1..=SUBJECTS).map(Uuid::from_u128) {
            sealed.push((subject, world.seal(&sealer, subject).await.unwrap()));
        }
        (world, sealed)
    }

    fn sealer(&self, masters: &[&str]) -> Sealer {
        Sealer::new(Keys::ring(masters, Some(&self.index)).unwrap())
    }

    /// With the new key first and the old one beside it.
    fn turning(&self) -> Sealer {
        self.sealer(&[&self.new_master, &self.old_master])
    }

    async fn adopt(&self, sealer: &Sealer) -> Result<(), Error> {
        sealer.adopt(&self.database, testkit::clock().now()).await
    }

    async fn seal(&self, sealer: &Sealer, subject: Uuid) -> Result<Vec<u8>, Error> {
        let mut tx = self.database.begin().await?;
        let sealed = sealer.seal(&mut tx, subject, PLACE, b"secret", testkit::clock().now()).await?;
        tx.commit().await?;
        Ok(sealed)
    }

    async fn opens(&self, sealer: &Sealer, subject: Uuid, sealed: &[u8]) -> bool {
        let opened = sealer.open(&mut self.database.clone(), subject, PLACE, sealed).await;
        opened.is_ok_and(|opened| opened.as_deref() == Some(b"secret"))
    }
}

#[tokio::test]
async fn subject_keys_are_wrapped_anew_in_batches_and_the_old_key_can_go() {
    for place in Engines::all().await {
        let (world, sealed) = World::of(&place).await;
        let turning = world.turning();
        world.adopt(&turning).await.unwrap();
        let late = Uuid::from_u128(1_000);
        let mut all = sealed;
        let first = turning.rewrap(&world.database, 10).await.unwrap();
        // Somebody new comes while it runs, and it is stopped and begun again.
        all.push((late, world.seal(&turning, late).await.unwrap()));
        let again = world.turning();
        let mut batches = vec![first];
        while *batches.last().unwrap() > 0 {
            batches.push(again.rewrap(&world.database, 10).await.unwrap());
        }
        assert_eq!(batches, [10, 10, 5, 0], "{}", place.engine);
        assert_eq!(again.retire_old(&world.database).await.unwrap(), Vec::<String>::new());
        let new = world.sealer(&[&world.new_master]);
        world.adopt(&new).await.unwrap();
        for (subject, sealed) in &all {
            assert!(world.opens(&new, *subject, sealed).await, "{}", place.engine);
        }
        let uses = new.key_uses(&world.database).await.unwrap();
        let uses: Vec<_> = uses.iter().map(|one| (one.current, one.subject_keys)).collect();
        assert_eq!(uses, [(true, 26)], "{}", place.engine);
    }
}

#[tokio::test]
async fn a_key_that_is_still_in_use_cannot_be_dropped() {
    for place in Engines::all().await {
        let (world, _) = World::of(&place).await;
        let turning = world.turning();
        world.adopt(&turning).await.unwrap();
        assert_eq!(turning.rewrap(&world.database, 24).await.unwrap(), 24);
        assert_eq!(turning.retire_old(&world.database).await.unwrap().len(), 1, "one row is left");
        let new = world.sealer(&[&world.new_master]);
        assert!(matches!(world.adopt(&new).await, Err(Error::KeyInUse(_))), "{}", place.engine);
        turning.rewrap(&world.database, 24).await.unwrap();
        assert!(matches!(world.adopt(&new).await, Err(Error::KeyInUse(_))), "not yet struck off");
        turning.retire_old(&world.database).await.unwrap();
        world.adopt(&new).await.unwrap();
    }
}

#[tokio::test]
async fn a_process_that_missed_the_change_cannot_wrap_with_the_key_that_was_struck_off() {
    for place in Engines::all().await {
        let (world, _) = World::of(&place).await;
        let (late, turning) = (world.sealer(&[&world.old_master]), world.turning());
        world.adopt(&turning).await.unwrap();
        while turning.rewrap(&world.database, 100).await.unwrap() > 0 {}
        turning.retire_old(&world.database).await.unwrap();
        let refused = world.seal(&late, Uuid::from_u128(77)).await;
        assert!(matches!(refused, Err(Error::Database(_))), "{}: {refused:?}", place.engine);
        assert!(world.seal(&turning, Uuid::from_u128(77)).await.is_ok());
    }
}

#[tokio::test]
async fn rows_of_before_keys_had_ids_open_and_are_turned_too() {
    for place in Engines::all().await {
        let (world, sealed) = World::of(&place).await;
        world.database.execute("update subject_key set kek_version = 1", args![]).await.unwrap();
        let stranger = world.sealer(&[&world.new_master]);
        assert!(matches!(world.adopt(&stranger).await, Err(Error::KeyInUse(_))), "{}", place.engine);
        let turning = world.turning();
        world.adopt(&turning).await.unwrap();
        assert!(world.opens(&turning, sealed[0].0, &sealed[0].1).await);
        while turning.rewrap(&world.database, 100).await.unwrap() > 0 {}
        assert!(turning.retire_old(&world.database).await.unwrap().is_empty());
        let new = world.sealer(&[&world.new_master]);
        world.adopt(&new).await.unwrap();
        assert!(world.opens(&new, sealed[0].0, &sealed[0].1).await, "{}", place.engine);
    }
}

#[tokio::test]
async fn who_was_erased_stays_erased_when_keys_are_changed() {
    for place in Engines::all().await {
        let (world, sealed) = World::of(&place).await;
        let turning = world.turning();
        world.adopt(&turning).await.unwrap();
        let mut tx = world.database.begin().await.unwrap();
        turning.shred(&mut tx, sealed[0].0, testkit::clock().now()).await.unwrap();
        tx.commit().await.unwrap();
        while turning.rewrap(&world.database, 100).await.unwrap() > 0 {}
        let opened = turning.open(&mut world.database.clone(), sealed[0].0, PLACE, &sealed[0].1).await;
        assert_eq!(opened.unwrap(), None, "{}", place.engine);
        assert!(matches!(world.seal(&turning, sealed[0].0).await, Err(Error::Shredded)));
    }
}

#[tokio::test]
async fn the_blind_index_stays_when_keys_are_changed_and_another_one_is_refused() {
    for place in Engines::all().await {
        let (world, _) = World::of(&place).await;
        let old = Sealer::new(Keys::from_base64(&world.old_master).unwrap());
        let index = |sealer: &Sealer| sealer.blind_index("citizen.pid", "1100100001015");
        assert_eq!(index(&old), index(&world.turning()), "{}", place.engine);
        let other_index = Keys::generate();
        let masters = [world.new_master.as_str(), world.old_master.as_str()];
        let other = Sealer::new(Keys::ring(&masters, Some(&other_index)).unwrap());
        assert!(matches!(world.adopt(&other).await, Err(Error::OtherIndexKey)), "{}", place.engine);
    }
}

#[tokio::test]
async fn a_database_of_before_fingerprints_takes_no_index_key_but_the_one_it_was_indexed_with() {
    for place in Engines::all().await {
        let (world, _) = World::of(&place).await;
        for sql in ["update subject_key set kek_version = 1", "delete from blind_index_key"] {
            world.database.execute(sql, args![]).await.unwrap();
        }
        let other_index = Keys::generate();
        let masters = [world.new_master.as_str(), world.old_master.as_str()];
        let other = Sealer::new(Keys::ring(&masters, Some(&other_index)).unwrap());
        assert!(matches!(world.adopt(&other).await, Err(Error::OtherIndexKey)), "{}", place.engine);
        world.adopt(&world.turning()).await.unwrap();
    }
}

#[test]
fn what_a_process_sealed_for_itself_is_current_only_under_the_current_key() {
    let (one, other, index) = (Keys::generate(), Keys::generate(), Keys::generate());
    let sealer = |masters: &[&str]| Sealer::new(Keys::ring(masters, Some(&index)).unwrap());
    let sealed = sealer(&[&one]).seal_own(PLACE, b"signing key");
    let turning = sealer(&[&other, &one]);
    assert!(turning.open_own(PLACE, &sealed).is_ok() && !turning.is_current(PLACE, &sealed));
    assert!(turning.is_current(PLACE, &turning.seal_own(PLACE, b"signing key")));
}

#[test]
fn several_keys_need_the_blind_index_key_by_name_and_none_twice() {
    let (one, other) = (Keys::generate(), Keys::generate());
    let error = |masters: &[&str], index: Option<&str>| Keys::ring(masters, index).err();
    assert_eq!(error(&[&one, &other], None), Some(KeyError::IndexMissing));
    assert_eq!(error(&[&one, &other, &one], Some(&other)), Some(KeyError::Twice));
    assert_eq!(error(&[], Some(&other)), Some(KeyError::None));
    assert_eq!(error(&[&one], Some("short")), Some(KeyError::Index));
    let names = Keys::ring(&[&one, &other], Some(&other)).unwrap().names();
    assert!(names[0] != names[1] && names.iter().all(|name| name.len() == 8));
}
