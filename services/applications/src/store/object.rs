//! Objects in the store that are nobody's yet, or no longer: written down first, swept when they stay so.
//!
//! The object store knows no transactions. An object is announced here before it is written, and is
//! somebody's once the transaction that attaches it takes the announcement away. What is left is swept
//! by a timer, and so is what a draft no longer needs: no listing of the whole store is ever needed.

use chrono::{DateTime, Duration, Utc};
use database::{Tx, args};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::evidence::Evidence;
use super::{Refusal, Store};

/// A timer: is the object somebody's by now?
pub const SWEEP: &str = "applications.sweep_object";

/// How long an upload may take from its first byte to its commit: far longer than any does.
const WRITING_MINUTES: i64 = 60;

/// `applications.sweep_object`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sweep {
    pub path: String,
}

impl Store {
    /// Says that an object is about to be written.
    pub async fn announce_object(&self, path: &str, evidence_id: Uuid) -> Result<(), Refusal> {
        let mut tx = self.database.begin().await?;
        let sweep_at = self.clock.now() + Duration::minutes(WRITING_MINUTES);
        self.orphan(&mut tx, path, evidence_id, sweep_at).await?;
        Ok(tx.commit().await?)
    }

    /// Makes an announced object somebody's; `false` when it was swept meanwhile.
    pub(super) async fn attach_object(&self, tx: &mut Tx, path: &str) -> Result<bool, Refusal> {
        let sql = "delete from written_object where path = $1 and swept_at is null";
        Ok(tx.execute(sql, args![path]).await? == 1)
    }

    /// Gives up the file that a newer one of a draft replaces: nobody else ever saw it.
    pub(super) async fn discard_replaced(&self, tx: &mut Tx, newer: &Evidence) -> Result<(), Refusal> {
        let sql = "select id, object_path from evidence
                   where application_id = $1 and code = $2 and object_path is not null";
        let rows = tx.rows(sql, args![newer.application_id, &newer.code]).await?;
        self.discard(tx, rows).await
    }

    /// Gives up all files of an application.
    pub(super) async fn discard_objects(&self, tx: &mut Tx, application_id: Uuid) -> Result<(), Refusal> {
        let sql =
            "select id, object_path from evidence where application_id = $1 and object_path is not null";
        let rows = tx.rows(sql, args![application_id]).await?;
        self.discard(tx, rows).await
    }

    /// Whether an object is to be deleted; from here on nobody can attach it.
    pub async fn claim_orphan(&self, path: &str) -> Result<bool, Refusal> {
        let sql = "update written_object set swept_at = $2 where path = $1";
        Ok(self.database.execute(sql, args![path, self.clock.now()]).await? == 1)
    }

    /// The object is gone.
    pub async fn forget_object(&self, path: &str) -> Result<(), Refusal> {
        self.database.execute("delete from written_object where path = $1", args![path]).await?;
        Ok(())
    }

    async fn discard(&self, tx: &mut Tx, rows: Vec<database::Row>) -> Result<(), Refusal> {
        for row in rows {
            let (id, path): (Uuid, String) = (row.get("id")?, row.get("object_path")?);
            let sql = "update evidence set object_path = null, superseded_at = $2 where id = $1";
            tx.execute(sql, args![id, self.clock.now()]).await?;
            self.orphan(tx, &path, id, self.clock.now()).await?;
        }
        Ok(())
    }

    async fn orphan(
        &self,
        tx: &mut Tx,
        path: &str,
        evidence_id: Uuid,
        sweep_at: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        tx.execute(
            "insert into written_object (path, evidence_id, written_at) values ($1, $2, $3)
             on conflict (path) do nothing",
            args![path, evidence_id, self.clock.now()],
        )
        .await?;
        self.set_timer(tx, SWEEP, &Sweep { path: path.to_owned() }, sweep_at).await
    }
}
