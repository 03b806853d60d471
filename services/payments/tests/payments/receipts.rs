//! Receipt numbers: one series per agency and year, without gaps, whatever fails.

use futures::future::join_all;
use payments::store::receipt::next_number;

use crate::world::{AGENCY, World};

async fn take(world: &World, keep: bool) -> Option<i64> {
    let mut tx = world.service.database().begin().await.unwrap();
    let number = next_number(&mut tx, AGENCY, 2569).await.unwrap();
    if keep {
        tx.commit().await.unwrap();
        return Some(number);
    }
    tx.rollback().await.unwrap();
    None
}

#[tokio::test]
async fn a_number_that_was_rolled_back_is_given_to_the_next() {
    for world in World::all().await {
        let taken = join_all((0..24).map(|turn| take(&world, turn % 3 != 0))).await;
        let mut numbers: Vec<i64> = taken.into_iter().flatten().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=16).collect::<Vec<i64>>());
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "G_WALLET").await;
        world.pay(&payment, "").await;
        assert_eq!(world.until_settled(&who, &bill).await["receipt"]["number"], "BMA-2569-000017");
    }
}

#[tokio::test]
async fn each_agency_and_each_buddhist_year_has_its_own_series() {
    for world in World::all().await {
        let mut tx = world.service.database().begin().await.unwrap();
        for (agency, year, expected) in [("A", 2569, 1), ("A", 2569, 2), ("B", 2569, 1), ("A", 2570, 1)] {
            assert_eq!(next_number(&mut tx, agency, year).await.unwrap(), expected);
        }
        tx.commit().await.unwrap();
        // On new year's eve in Thailand it is still the day before in Greenwich.
        world.pass(chrono::Duration::days(38).num_seconds() + 15 * 3_600).await;
        assert_eq!(world.clock.now().to_string(), "2026-12-31 18:00:00 UTC");
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "G_WALLET").await;
        world.pay(&payment, "").await;
        assert_eq!(world.until_settled(&who, &bill).await["receipt"]["number"], "BMA-2570-000001");
    }
}

#[tokio::test]
async fn receipts_and_settlements_are_never_rewritten() {
    for world in World::all().await {
        let who = world.citizen();
        let (bill, _) = world.bill(&who).await;
        let payment = world.started(&who, &bill, "G_WALLET").await;
        world.pay(&payment, "").await;
        world.until_settled(&who, &bill).await;
        for table in ["receipt", "settlement", "ledger_transfer"] {
            for sql in [format!("update {table} set amount_satang = 1"), format!("delete from {table}")] {
                assert!(world.service.database().execute(&sql, Vec::new()).await.is_err(), "{sql}");
            }
        }
    }
}
