//! Evidence: what is attached, and an address to send a file to.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use graphql::{
    ApplicationId, ConflictProblem, EvidenceId, Failure, InvalidInput, NotFoundProblem, StateProblem,
};

use super::problem::payload;
use super::{key_of, service};
use crate::model::evidence::EvidenceStatus;
use crate::store::evidence as stored;
use crate::store::upload::Announced;

/// A file attached to an application (หลักฐาน).
pub struct Evidence(pub stored::Evidence);

/// A file attached to an application (หลักฐาน).
#[Object]
impl Evidence {
    /// Its id.
    async fn id(&self) -> EvidenceId {
        self.0.id.into()
    }

    /// Which of the service's documents it is.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// The file's name.
    async fn file_name(&self, ctx: &Context<'_>) -> Result<Option<String>, Failure> {
        let key = key_of(ctx, self.0.applicant_party_id).await?;
        Ok(key.map(|key| self.0.file_name(&key)).transpose()?)
    }

    /// Its media type, checked by content.
    async fn media_type(&self) -> &str {
        &self.0.media_type
    }

    /// Its size in bytes.
    async fn size_bytes(&self) -> i32 {
        self.0.size_bytes
    }

    /// How far it has come.
    async fn status(&self) -> EvidenceStatus {
        if self.0.stored_at.is_some() { EvidenceStatus::Stored } else { EvidenceStatus::AwaitingUpload }
    }

    /// When it arrived.
    async fn stored_at(&self) -> Option<DateTime<Utc>> {
        self.0.stored_at
    }

    /// Where to read it, with the same access token. Null until it arrived.
    async fn url(&self, ctx: &Context<'_>) -> Option<String> {
        let id = EvidenceId::from(self.0.id);
        self.0.stored_at.map(|_| format!("{}/evidence/{id}", service(ctx).public_url))
    }
}

/// A file to attach.
#[derive(InputObject)]
pub struct StartEvidenceUploadInput {
    /// Made by the client, the same when the call is repeated.
    idempotency_key: String,
    /// The application.
    application_id: ApplicationId,
    /// Which of the service's documents it is.
    evidence_code: String,
    /// The file's name.
    file_name: String,
    /// Its media type: `application/pdf`, `image/png` or `image/jpeg`.
    media_type: String,
    /// Its size in bytes.
    size_bytes: i32,
}

/// Where to send a file: `PUT` its bytes as they are, once, within ten minutes.
#[derive(SimpleObject)]
pub struct EvidenceUpload {
    /// The address; who knows it can send the file, so keep it to yourself. Null once the file has
    /// arrived.
    url: Option<String>,
    /// Until when it is good.
    expires_at: Option<DateTime<Utc>>,
    /// The evidence the file will be.
    evidence: Evidence,
}

payload! {
    /// The file can be sent.
    EvidenceUploadStarted {
        /// Where to send it.
        upload: EvidenceUpload
    }
    /// What came of `startEvidenceUpload`.
    StartEvidenceUploadPayload = InvalidInput | StateProblem | NotFoundProblem | ConflictProblem
}

/// Writes about evidence.
#[derive(Default)]
pub struct EvidenceMutation;

/// A file attached to an application (หลักฐาน).
#[Object]
impl EvidenceMutation {
    /// Asks for an address to send a file to. Repeated under the same key, it is the same evidence
    /// with a new address.
    #[graphql(requires_scopes = "applications:write")]
    async fn start_evidence_upload(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which file, for which application.")] input: StartEvidenceUploadInput,
    ) -> Result<Option<StartEvidenceUploadPayload>, Failure> {
        let citizen = auth::citizen(ctx)?;
        auth::principal(ctx).require_scope("applications:write")?;
        let announced = Announced {
            application_id: input.application_id.uuid(),
            evidence_code: input.evidence_code,
            file_name: input.file_name,
            media_type: input.media_type,
            size_bytes: input.size_bytes.into(),
        };
        let service = service(ctx);
        let key = &input.idempotency_key;
        let started = service.store.start_upload(citizen, key, &announced).await;
        StartEvidenceUploadPayload::answer(started.map(|started| {
            let (ticket, expires_at) = started.ticket.unzip();
            let url = ticket.map(|ticket| format!("{}/uploads/{ticket}", service.public_url));
            EvidenceUpload { url, expires_at, evidence: Evidence(started.evidence) }
        }))
    }
}
