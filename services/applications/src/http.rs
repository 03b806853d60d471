//! Files over HTTP: `PUT /uploads/{ticket}` takes one, `GET /evidence/{id}` gives one back.

use auth::Principal;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Extension, Json, Router};
use graphql::{ErrorCode, EvidenceId, Failure};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStoreExt, PutPayload};
use serde_json::json;

use crate::Service;
use crate::model::file_type::FileType;
use crate::schema::reader_of;
use crate::store::Refusal;
use crate::store::evidence::Evidence;
use crate::store::upload::Ticket;

/// A ticket is 43 characters; longer ones are not looked up.
const TICKET_CHARS_MAX: usize = 64;

/// The routes; the gateway puts the caller's [`Principal`] on the request.
pub fn routes(service: Service) -> Router {
    Router::new()
        .route("/uploads/{ticket}", put(upload))
        .route("/evidence/{id}", get(download))
        .with_state(service)
}

/// An answer that is not a file.
struct Refused(StatusCode, &'static str, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        let body = json!({ "error": { "code": code, "message": message } });
        (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let status = match failure.code() {
            ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorCode::Forbidden => StatusCode::FORBIDDEN,
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => {
                tracing::error!(?failure, "a file request failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self(status, failure.code().as_str(), failure.message().to_owned())
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Failure::from(refusal).into()
    }
}

impl From<object_store::Error> for Refused {
    fn from(error: object_store::Error) -> Self {
        if matches!(error, object_store::Error::NotFound { .. }) {
            return Failure::internal(error).into(); // a file that should be there
        }
        tracing::error!(%error, "the store for evidence failed");
        Failure::unavailable("Files cannot be kept or read now.").into()
    }
}

/// Takes a file. The ticket says which one; who has it needs no token, so that a background
/// upload of a phone can go on by itself.
async fn upload(
    State(service): State<Service>,
    Path(ticket): Path<String>,
    body: Body,
) -> Result<StatusCode, Refused> {
    let evidence = expected(&service, &ticket).await?;
    let content = content(&evidence, body).await?;
    let sealed = service.store.seal_file(&evidence, &content).await?;
    // The path changes with each try: two senders of one ticket never write the same object.
    let path = format!("{}/{}-{}", evidence.application_id, evidence.id, service.store.clock.uuid());
    let object = ObjectPath::from(path.as_str());
    service.store.announce_object(&path, evidence.id).await?;
    service.files.put(&object, PutPayload::from(sealed)).await?;
    let size_bytes = i64::try_from(content.len()).unwrap_or(i64::MAX);
    // After an error the object stays: the commit may have happened and only its answer been lost. If it
    // did not, the object is swept in time.
    if service.store.store_evidence(&evidence, &ticket, &path, size_bytes).await? {
        return Ok(StatusCode::CREATED);
    }
    service.files.delete(&object).await?;
    Err(over())
}

/// Gives a file to the applicant and to the agency, as an attachment and never to be interpreted.
async fn download(
    State(service): State<Service>,
    principal: Option<Extension<Principal>>,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let reader = reader_of(&principal.map(|Extension(principal)| principal).unwrap_or_default())?;
    let id: EvidenceId = id.parse().unwrap_or_else(|never| match never {});
    let evidence = service.store.evidence(&reader, id.uuid()).await?;
    let path = evidence.object_path.as_deref().ok_or(Refusal::NotFound)?;
    let sealed = service.files.get(&ObjectPath::from(path)).await?.bytes().await?;
    let party = evidence.applicant_party_id;
    let mut keys = service.store.subject_keys(&[party]).await.map_err(Refusal::from)?;
    let key = keys.remove(&party).ok_or(Refusal::NotFound)?;
    let content = evidence.content(&key, &sealed).map_err(Refusal::from)?;
    let name = evidence.file_name(&key).map_err(Refusal::from)?;
    let mut headers = HeaderMap::new();
    let mut say = |name, value: &str| HeaderValue::from_str(value).map(|value| headers.insert(name, value));
    let said = [
        say(header::CONTENT_TYPE, &evidence.media_type),
        say(header::CONTENT_DISPOSITION, &format!("attachment; filename*=UTF-8''{}", percent_encoded(&name))),
        say(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        say(header::CACHE_CONTROL, "private, no-store"),
    ];
    said.into_iter().collect::<Result<Vec<_>, _>>().map_err(Failure::from)?;
    Ok((headers, content).into_response())
}

async fn expected(service: &Service, ticket: &str) -> Result<Evidence, Refused> {
    if ticket.len() > TICKET_CHARS_MAX {
        return Err(Refusal::NotFound.into());
    }
    match service.store.ticket(ticket).await? {
        Ticket::Good(evidence) => Ok(*evidence),
        Ticket::Over => Err(over()),
        Ticket::Unknown => Err(Refusal::NotFound.into()),
    }
}

/// Reads the body up to what the evidence may have, and believes only its content.
async fn content(evidence: &Evidence, body: Body) -> Result<bytes::Bytes, Refused> {
    let bytes_max = usize::try_from(evidence.bytes_max).unwrap_or(0);
    let code = ErrorCode::BadUserInput.as_str();
    let content = axum::body::to_bytes(body, bytes_max).await.map_err(|_| {
        let message = format!("The file is larger than {bytes_max} bytes, or did not arrive whole.");
        Refused(StatusCode::PAYLOAD_TOO_LARGE, code, message)
    })?;
    if usize::try_from(evidence.size_bytes) != Ok(content.len()) {
        let message =
            format!("The file has {} bytes, not the {} announced.", content.len(), evidence.size_bytes);
        return Err(Refused(StatusCode::BAD_REQUEST, code, message));
    }
    match FileType::of(&content) {
        Some(found) if found.media_type() == evidence.media_type => Ok(content),
        _ => {
            let message = format!("The content is not {}.", evidence.media_type);
            Err(Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, message))
        }
    }
}

fn over() -> Refused {
    let message = "The upload address was used or is over; ask for a new one.".to_owned();
    Refused(StatusCode::GONE, ErrorCode::NotFound.as_str(), message)
}

/// RFC 8187: what is not plain in a header is written as percent and two digits.
fn percent_encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") };
    name.bytes().map(encode).collect()
}
