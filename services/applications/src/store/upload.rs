//! Sending a file: where it belongs, and the short-lived ticket that lets it be sent once.

use auth::Citizen;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use database::{Tx, args};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::application::Application;
use super::draft::check_editable;
use super::evidence::{COLUMNS, Evidence, JOIN, name_place};
use super::{Once, Reader, Refusal, Store};
use crate::model::answers;
use crate::model::evidence::{FILE_BYTES_MAX, FILE_NAME_CHARS_MAX, clean_file_name};
use crate::model::file_type::FileType;
use crate::model::offering::EvidenceRequirement;

/// How long an upload address is good for.
pub const TICKET_MINUTES: i64 = 10;
/// Files one application may have asked addresses for: a bound, far above need. A request for documents
/// makes room for as many again, or who used it up before could never answer.
const FILES_MAX: i64 = 100;

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
                self.check_room(&mut tx, &application).await?;
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

    async fn check_room(&self, tx: &mut Tx, application: &Application) -> Result<(), Refusal> {
        let sql = "select count(*) as files from evidence where application_id = $1";
        let row = tx.row(sql, args![application.id]).await?.ok_or(Refusal::NotFound)?;
        let files_max = FILES_MAX * (1 + application.document_requests);
        if row.get::<i64>("files")? < files_max {
            return Ok(());
        }
        let th = format!("แนบไฟล์ได้ไม่เกิน {files_max} ครั้งต่อคำขอ");
        Err(Refusal::Invalid(vec![answers::fault(
            "/evidenceCode",
            th,
            format!("At most {files_max} files."),
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

pub(super) fn hash(ticket: &str) -> Vec<u8> {
    Sha256::digest(ticket.as_bytes()).to_vec()
}
