//! Copies of offerings, every revision, as catalogue published them.

use database::{Queryable, Tx, args};
use uuid::Uuid;

use super::{Refusal, Store};
use crate::model::offering::Offering;

impl Store {
    /// Keeps one revision; a revision already kept never changes.
    pub async fn keep_offering(&self, tx: &mut Tx, offering: &Offering) -> Result<(), Refusal> {
        tx.execute(
            "insert into offering_copy (offering_id, revision, content, received_at) values ($1, $2, $3, $4)
             on conflict (offering_id, revision) do nothing",
            args![offering.offering_id, offering.revision, serde_json::to_value(offering)?, self.clock.now()],
        )
        .await?;
        Ok(())
    }

    /// The newest revision of an offering.
    pub async fn current_offering(
        &self,
        database: &mut impl Queryable,
        offering_id: Uuid,
    ) -> Result<Offering, Refusal> {
        let sql = "select content from offering_copy where offering_id = $1 order by revision desc limit 1";
        let row = database.row(sql, args![offering_id]).await?.ok_or(Refusal::NotFound)?;
        Ok(serde_json::from_value(row.get("content")?)?)
    }

    /// The revision an application pinned.
    pub async fn pinned_offering(
        &self,
        database: &mut impl Queryable,
        offering_id: Uuid,
        revision: i32,
    ) -> Result<Offering, Refusal> {
        let sql = "select content from offering_copy where offering_id = $1 and revision = $2";
        let row = database.row(sql, args![offering_id, revision]).await?.ok_or(Refusal::NotFound)?;
        Ok(serde_json::from_value(row.get("content")?)?)
    }
}
