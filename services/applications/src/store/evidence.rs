//! Evidence: what is kept about each file, and the short-lived tickets to send one.

use auth::Citizen;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use database::{Row, Tx, Value, args};
use sealing::{Place, SubjectKey};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::application::visible;
use super::draft::check_editable;
use super::{Once, Reader, Refusal, Store};
use crate::model::answers;
use crate::model::evidence::{FILE_BYTES_MAX, FILE_NAME_CHARS_MAX, FileType, clean_file_name};
use crate::model::offering::EvidenceRequirement;

/// How long an upload address is good for.
pub const TICKET_MINUTES: i64 = 10;
/// Files one application may have asked addresses for: a bound, far above need.
const FILES_MAX: i64 = 100;

const COLUMNS: &str = "evidence.id, evidence.application_id, application.applicant_party_id, evidence.code,
    evidence.file_name, evidence.media_type, evidence.size_bytes, evidence.bytes_max, evidence.created_at,
    evidence.stored_at, evidence.object_path";

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

/// A file the applicant announces.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Announced {
    pub application_id: Uuid,
    pub evidence_code: String,
    pub file_name: String,
    pub media_type: String,
    pub size_bytes: i64,
}

/// A file's place and the secret that lets it be sent once.
#[derive(Clone, Debug)]
pub struct Upload {
    pub evidence: Evidence,
    /// The secret and until when it is good; `None` once the file has arrived.
    pub ticket: Option<(String, DateTime<Utc>)>,
}

/// What became of a ticket.
#[derive(Debug)]
pub enum Ticket {
    Good(Box<Evidence>),
    Unknown,
    /// Expired, or used.
    Over,
}

impl Store {
    /// Makes a place for a file. Asked again under the same key, it is the same place with a new ticket.
    pub async fn start_upload(
        &self,
        citizen: &Citizen,
        key: &str,
        announced: &Announced,
    ) -> Result<Upload, Refusal> {
        let reader = Reader::Parties(citizen.party_ids());
        let mut tx = self.database.begin().await?;
        let once = Once::new(citizen.citizen_id, "startEvidenceUpload", key);
        let again = self.begin(&mut tx, &once, announced).await?;
        let application = self.locked(&mut tx, &reader, announced.application_id).await?;
        let evidence_id = match again {
            Some(id) => id,
            None => {
                check_editable(&application, application.revision)?;
                let offering = self
                    .pinned_offering(&mut tx, application.offering_id, application.offering_revision)
                    .await?;
                let id = self.clock.uuid();
                let asked = offering.requirement(&announced.evidence_code);
                let (asked, file_name) = check_file(asked, announced)?;
                self.check_room(&mut tx, application.id).await?;
                let name = self
                    .sealer
                    .seal_json(
                        &mut tx,
                        application.applicant_party_id,
                        name_place(id),
                        &file_name,
                        self.clock.now(),
                    )
                    .await?;
                self.insert_evidence(&mut tx, id, announced, asked, name).await?;
                self.complete(&mut tx, &once, id).await?;
                id
            }
        };
        let ticket = match application.status.is_editable() {
            true => self.new_ticket(&mut tx, evidence_id).await?,
            false => None,
        };
        let sql = format!("select {COLUMNS} from evidence {JOIN} where evidence.id = $1");
        let row = tx.row(&sql, args![evidence_id]).await?.ok_or(Refusal::NotFound)?;
        let evidence = Evidence::from_row(&row)?;
        tx.commit().await?;
        Ok(Upload { evidence, ticket })
    }

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

    /// What a ticket is good for now.
    pub async fn ticket(&self, ticket: &str) -> Result<Ticket, Refusal> {
        let sql = format!(
            "select {COLUMNS}, upload_ticket.expires_at, upload_ticket.used_at
             from upload_ticket join evidence on evidence.id = upload_ticket.evidence_id {JOIN}
             where upload_ticket.ticket_hash = $1"
        );
        let Some(row) = self.database.row(&sql, args![hash(ticket)]).await? else {
            return Ok(Ticket::Unknown);
        };
        let used_at: Option<DateTime<Utc>> = row.get("used_at")?;
        let over = used_at.is_some() || row.get::<DateTime<Utc>>("expires_at")? <= self.clock.now();
        Ok(if over { Ticket::Over } else { Ticket::Good(Box::new(Evidence::from_row(&row)?)) })
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
        let application = self.locked(&mut tx, &reader, of.application_id).await?;
        let used = tx
            .execute(
                "update upload_ticket set used_at = $2
                 where ticket_hash = $1 and used_at is null and expires_at > $2",
                args![hash(ticket), now],
            )
            .await?;
        if used == 0 || !application.status.is_editable() {
            return Ok(false);
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

    async fn check_room(&self, tx: &mut Tx, application_id: Uuid) -> Result<(), Refusal> {
        let sql = "select count(*) as files from evidence where application_id = $1";
        let row = tx.row(sql, args![application_id]).await?.ok_or(Refusal::NotFound)?;
        if row.get::<i64>("files")? < FILES_MAX {
            return Ok(());
        }
        let th = format!("แนบไฟล์ได้ไม่เกิน {FILES_MAX} ครั้งต่อคำขอ");
        Err(Refusal::Invalid(vec![answers::fault(
            "/evidenceCode",
            th,
            format!("At most {FILES_MAX} files."),
        )]))
    }

    async fn insert_evidence(
        &self,
        tx: &mut Tx,
        id: Uuid,
        announced: &Announced,
        asked: &EvidenceRequirement,
        file_name: Vec<u8>,
    ) -> Result<(), Refusal> {
        let bytes_max = i64::try_from(asked.bytes_max.min(FILE_BYTES_MAX)).unwrap_or(i64::MAX);
        tx.execute(
            "insert into evidence (id, application_id, code, file_name, media_type, size_bytes, bytes_max,
                created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            args![
                id,
                announced.application_id,
                &announced.evidence_code,
                file_name,
                &announced.media_type,
                announced.size_bytes,
                bytes_max,
                self.clock.now()
            ],
        )
        .await?;
        Ok(())
    }

    /// Only the ticket's hash is kept: who reads the database can send nothing.
    async fn new_ticket(
        &self,
        tx: &mut Tx,
        evidence_id: Uuid,
    ) -> Result<Option<(String, DateTime<Utc>)>, Refusal> {
        let ticket = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let expires_at = self.clock.now() + Duration::minutes(TICKET_MINUTES);
        let made = tx
            .execute(
                "insert into upload_ticket (evidence_id, ticket_hash, expires_at) values ($1, $2, $3)
                 on conflict (evidence_id) do update set ticket_hash = $2, expires_at = $3
                    where upload_ticket.used_at is null",
                args![evidence_id, hash(&ticket), expires_at],
            )
            .await?;
        Ok((made == 1).then_some((ticket, expires_at)))
    }
}

const JOIN: &str = "join application on application.id = evidence.application_id";

impl Evidence {
    /// The file's name in the clear.
    pub fn file_name(&self, key: &SubjectKey) -> Result<String, sealing::Error> {
        key.open_json(name_place(self.id), &self.file_name)
    }

    /// The file in the clear.
    pub fn content(&self, key: &SubjectKey, sealed: &[u8]) -> Result<Vec<u8>, sealing::Error> {
        key.open(content_place(self.id), sealed)
    }

    fn from_row(row: &Row) -> Result<Self, Refusal> {
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

/// Holds an announced file against what the offering asks for.
fn check_file<'a>(
    asked: Option<&'a EvidenceRequirement>,
    announced: &Announced,
) -> Result<(&'a EvidenceRequirement, String), Refusal> {
    let refuse =
        |pointer: &str, th: String, en: String| Err(Refusal::Invalid(vec![answers::fault(pointer, th, en)]));
    let Some(asked) = asked.filter(|asked| !asked.held_by_state) else {
        let en = "This service does not ask for such a document.".into();
        return refuse("/evidenceCode", "บริการนี้ไม่ได้ขอเอกสารนี้".into(), en);
    };
    let known = FileType::from_media_type(&announced.media_type).is_some();
    let listed = asked.media_types.is_empty() || asked.media_types.contains(&announced.media_type);
    if !known || !listed {
        let taken = if asked.media_types.is_empty() {
            "application/pdf, image/png, image/jpeg".to_owned()
        } else {
            asked.media_types.join(", ")
        };
        return refuse("/mediaType", format!("รับเฉพาะไฟล์ชนิด {taken}"), format!("Files taken: {taken}."));
    }
    let bytes_max = asked.bytes_max.min(FILE_BYTES_MAX);
    if !u64::try_from(announced.size_bytes).is_ok_and(|size| (1..=bytes_max).contains(&size)) {
        let th = format!("ขนาดไฟล์ต้องอยู่ระหว่าง 1 ถึง {bytes_max} ไบต์");
        return refuse("/sizeBytes", th, format!("The file must have 1 to {bytes_max} bytes."));
    }
    match clean_file_name(&announced.file_name) {
        Some(name) => Ok((asked, name)),
        None => {
            let th = format!("ชื่อไฟล์ต้องมี 1 ถึง {FILE_NAME_CHARS_MAX} ตัวอักษร");
            let en = format!("The file name must have 1 to {FILE_NAME_CHARS_MAX} characters.");
            refuse("/fileName", th, en)
        }
    }
}

fn hash(ticket: &str) -> Vec<u8> {
    Sha256::digest(ticket.as_bytes()).to_vec()
}

fn name_place(id: Uuid) -> Place<'static> {
    Place { table: "evidence", column: "file_name", row: id }
}

fn content_place(id: Uuid) -> Place<'static> {
    Place { table: "evidence", column: "content", row: id }
}
