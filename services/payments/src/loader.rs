//! Batched reads: a list of bills asks the database once per kind of thing, not once per bill.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use database::{Database, Error};
use uuid::Uuid;

use crate::store::bill::{self, Bill, BillItem, Reader};
use crate::store::payment::{self, Payment};
use crate::store::proposal::{self, Proposal};
use crate::store::receipt::{self, Receipt};
use crate::store::refund::{self, Refund};
use crate::store::settlement::{self, Settlement};

/// Loads what belongs together; it keeps nothing between batches, so that nothing is stale.
pub type Loads = DataLoader<Rows>;

/// The source of all batches.
pub struct Rows {
    database: Database,
}

/// A loader over the service's database.
pub fn loads(database: &Database) -> Loads {
    DataLoader::new(Rows { database: database.clone() }, tokio::spawn)
}

/// The bill with this id, as far as the reader may see it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BillWithId(pub Uuid, pub Reader);

/// The bill of this application, as far as the reader may see it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BillOf(pub Uuid, pub Reader);

/// Things of one bill, or of one payment.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ItemsOf(pub Uuid);
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PaymentsOf(pub Uuid);
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RefundsOf(pub Uuid);
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReceiptOf(pub Uuid);
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SettlementsOf(pub Uuid);
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProposalsAbout(pub Uuid);

impl Loader<BillWithId> for Rows {
    type Value = Bill;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[BillWithId]) -> Result<HashMap<BillWithId, Bill>, Arc<Error>> {
        let mut found = HashMap::new();
        for (reader, ids) in by_reader(keys.iter().map(|key| (&key.1, key.0))) {
            for bill in bill::bills_with_ids(&self.database, &ids, reader).await? {
                found.insert(BillWithId(bill.id, reader.clone()), bill);
            }
        }
        Ok(found)
    }
}

impl Loader<BillOf> for Rows {
    type Value = Bill;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[BillOf]) -> Result<HashMap<BillOf, Bill>, Arc<Error>> {
        let mut found = HashMap::new();
        for (reader, ids) in by_reader(keys.iter().map(|key| (&key.1, key.0))) {
            for bill in bill::bills_of_applications(&self.database, &ids, reader).await? {
                found.insert(BillOf(bill.application_id, reader.clone()), bill);
            }
        }
        Ok(found)
    }
}

/// Many rows per key.
macro_rules! many {
    ($($key:ident => $row:ident, $read:path, $of:ident;)+) => {$(
        impl Loader<$key> for Rows {
            type Value = Vec<$row>;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Vec<$row>>, Arc<Error>> {
                let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
                Ok(grouped($read(&self.database, &ids).await?, |row| $key(row.$of)))
            }
        }
    )+};
}

many! {
    ItemsOf => BillItem, bill::items_of, bill_id;
    PaymentsOf => Payment, payment::payments_of, bill_id;
    RefundsOf => Refund, refund::refunds_of, bill_id;
    ReceiptOf => Receipt, receipt::receipts_of, bill_id;
    SettlementsOf => Settlement, settlement::settlements_of, payment_id;
    ProposalsAbout => Proposal, proposal::proposals_about, subject_id;
}

fn grouped<K: Hash + Eq, R>(rows: Vec<R>, key: impl Fn(&R) -> K) -> HashMap<K, Vec<R>> {
    let mut groups: HashMap<K, Vec<R>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

fn by_reader<'a>(keys: impl Iterator<Item = (&'a Reader, Uuid)>) -> HashMap<&'a Reader, Vec<Uuid>> {
    let mut groups: HashMap<&Reader, Vec<Uuid>> = HashMap::new();
    for (reader, id) in keys {
        groups.entry(reader).or_default().push(id);
    }
    groups
}
