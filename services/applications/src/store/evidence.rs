//! Evidence: what is kept about each file, how it is sealed, and which file stands for which document.

use chrono::{DateTime, Utc};
use database::{Row, Tx, Value, args};
use sealing::{Place, SubjectKey};
use serde_json::json;
use uuid::Uuid;

use super::application::visible;
use super::upload::hash;
use super::{Reader, Refusal, Store};
use crate::model::ApplicationStatus;

pub(super) const COLUMNS: &str = "evidence.id, evidence.application_id, application.applicant_party_id,
    evidence.code, evidence.file_name, evidence.media_type, evidence.size_bytes, evidence.bytes_max, evidence.created_at,
    evidence.stored_at, evidence.object_path";

pub(super) const JOIN: &str = "join application on application.id = evidence.application_id";

/// A piece of evidence; its name is sealed, its content is in the object store, sealed too.
#[derive(Clone, Debug)]
pub struct Evidence {
    pub id: Uuid,
    pub application_id: Uuid,
    pub applicant_party_id: Uuid,
    pub code: String,
    pub file_name: Vec<u8>,
    pub media_type: String,
    pub size_bytes: i32,
    pub bytes_max: i64,
    pub created_at: DateTime<Utc>,
    pub stored_at: Option<DateTime<Utc>>,
    pub object_path: Option<String>,
}

impl Store {
    /// Files of applications that are there and not replaced: one of each kind of document.
    pub async fn evidence_of(&self, application_ids: &[Uuid]) -> Result<Vec<Evidence>, Refusal> {
        let sql = format!(
            "select {COLUMNS} from evidence {JOIN}
             where evidence.application_id in {} and evidence.stored_at is not null
                and evidence.superseded_at is null
             order by evidence.id",
            self.database.engine().in_uuids("$1")
        );
        let rows = self.database.rows(&sql, args![json!(application_ids)]).await?;
        rows.iter().map(Evidence::from_row).collect()
    }

    /// A stored file, for someone who may see its application.
    pub async fn evidence(&self, reader: &Reader, id: Uuid) -> Result<Evidence, Refusal> {
        let (theirs, reader) = visible(reader, self.database.engine());
        let sql = format!(
            "select {COLUMNS} from evidence {JOIN}
             where evidence.id = $1 and evidence.stored_at is not null and {theirs}"
        );
        let row = self.database.row(&sql, vec![Value::from(id), reader]).await?;
        Evidence::from_row(&row.ok_or(Refusal::NotFound)?)
    }

    /// Encrypts a file for its applicant: outside the transaction, for it may be large.
    pub async fn seal_file(&self, of: &Evidence, content: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut tx = self.database.begin().await?;
        let key = self.sealer.key_or_new(&mut tx, of.applicant_party_id, self.clock.now()).await?;
        tx.commit().await?;
        Ok(key.seal(content_place(of.id), content))
    }

    /// Uses up the ticket and shows the file, in place of an earlier one of the same code. `false`
    /// when the ticket was used or ran out meanwhile, or the application can no longer be changed.
    pub async fn store_evidence(
        &self,
        of: &Evidence,
        ticket: &str,
        object_path: &str,
        size_bytes: i64,
    ) -> Result<bool, Refusal> {
        let now = self.clock.now();
        let mut tx = self.database.begin().await?;
        let reader = Reader::Parties(vec![of.applicant_party_id]);
        let mut application = self.locked(&mut tx, &reader, of.application_id).await?;
        let used = tx
            .execute(
                "update upload_ticket set used_at = $2
                 where ticket_hash = $1 and used_at is null and expires_at > $2",
                args![hash(ticket), now],
            )
            .await?;
        if used == 0 || !application.status.is_editable() || !self.attach_object(&mut tx, object_path).await?
        {
            return Ok(false);
        }
        if application.status == ApplicationStatus::Draft {
            self.discard_replaced(&mut tx, of).await?;
            self.prolong(&mut tx, &mut application).await?;
            self.update_application(&mut tx, &application).await?;
        }
        tx.execute(
            "update evidence set superseded_at = $3
             where application_id = $1 and code = $2 and stored_at is not null and superseded_at is null",
            args![of.application_id, &of.code, now],
        )
        .await?;
        tx.execute(
            "update evidence set stored_at = $2, object_path = $3, size_bytes = $4 where id = $1",
            args![of.id, now, object_path, size_bytes],
        )
        .await?;
        tx.execute(
            "update requested_document set evidence_id = $3 where application_id = $1 and evidence_code = $2",
            args![of.application_id, &of.code, of.id],
        )
        .await?;
        self.wake_after_commit(&mut tx, of.application_id);
        tx.commit().await?;
        Ok(true)
    }

    /// Codes of the evidence an application has.
    pub(super) async fn stored_evidence_codes(
        &self,
        tx: &mut Tx,
        application_id: Uuid,
    ) -> Result<Vec<String>, Refusal> {
        let sql = "select distinct code from evidence
                   where application_id = $1 and stored_at is not null and superseded_at is null";
        let rows = tx.rows(sql, args![application_id]).await?;
        rows.iter().map(|row| Ok(row.get("code")?)).collect()
    }
}

impl Evidence {
    /// The file's name in the clear.
    pub fn file_name(&self, key: &SubjectKey) -> Result<String, sealing::Error> {
        key.open_json(name_place(self.id), &self.file_name)
    }

    /// The file in the clear.
    pub fn content(&self, key: &SubjectKey, sealed: &[u8]) -> Result<Vec<u8>, sealing::Error> {
        key.open(content_place(self.id), sealed)
    }

    pub(super) fn from_row(row: &Row) -> Result<Self, Refusal> {
        Ok(Self {
            id: row.get("id")?,
            application_id: row.get("application_id")?,
            applicant_party_id: row.get("applicant_party_id")?,
            code: row.get("code")?,
            file_name: row.get("file_name")?,
            media_type: row.get("media_type")?,
            size_bytes: row.get("size_bytes")?,
            bytes_max: row.get("bytes_max")?,
            created_at: row.get("created_at")?,
            stored_at: row.get("stored_at")?,
            object_path: row.get("object_path")?,
        })
    }
}

pub(super) fn name_place(id: Uuid) -> Place<'static> {
    Place { table: "evidence", column: "file_name", row: id }
}

fn content_place(id: Uuid) -> Place<'static> {
    Place { table: "evidence", column: "content", row: id }
}
