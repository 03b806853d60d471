//! Public services that take no applications now, or are not going to: told to everybody.

use async_graphql::{Context, SimpleObject};
use graphql::{ErrorCode, Failure, LocalizedText};
use switches::door::Availability;
use switches::{Closure, Kind};

use super::foreign::PublicService;
use super::service;

/// Closures shown at once; more is a system that is closed.
const CLOSURES_SHOWN_MAX: usize = 200;

/// A public service that is closed to new applications (ปิดรับคำขอชั่วคราว), or is going to be.
#[derive(SimpleObject)]
pub struct ServiceClosure {
    /// The public service; null when the catalogue does not answer.
    public_service: Option<PublicService>,
    /// From when, until when, and why.
    availability: Availability,
}

/// What is closed, from this service's own copy.
pub async fn closures(ctx: &Context<'_>) -> Result<Vec<ServiceClosure>, Failure> {
    let closures = service(ctx).store.switches.closures().await;
    let closures = closures.map_err(|error| {
        tracing::warn!(%error, "closures cannot be read");
        Failure::unavailable("What is closed cannot be read now.")
    })?;
    let shown = closures.all(Kind::PublicService).take(CLOSURES_SHOWN_MAX);
    let shown = shown.map(|(code, _)| ServiceClosure {
        public_service: Some(PublicService { code: code.to_owned() }),
        availability: Availability::of(&closures, Kind::PublicService, code),
    });
    Ok(shown.collect())
}

/// The public service is closed for the moment: nothing is begun or submitted. Drafts are kept.
#[derive(SimpleObject)]
pub struct ServiceClosedProblem {
    /// A stable code of the published catalogue.
    pub code: String,
    /// What happened, for developers.
    pub message: String,
    /// Whether the same request may succeed later, unchanged.
    pub retryable: bool,
    /// Why it is closed, for the citizen to read.
    text: LocalizedText,
    /// What becomes of what was begun, for the citizen to read.
    drafts: LocalizedText,
    /// When it opens again; null when that is not known.
    opens_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl From<Closure> for ServiceClosedProblem {
    fn from(closure: Closure) -> Self {
        Self {
            code: ErrorCode::Unavailable.as_str().to_owned(),
            message: "The public service is closed for the moment.".to_owned(),
            retryable: true,
            text: closure.text,
            drafts: LocalizedText::new(
                "แบบร่างที่เริ่มไว้ยังอยู่ครบถ้วน แก้ไขต่อได้ และยื่นได้เมื่อเปิดให้บริการอีกครั้ง คำขอที่ยื่นแล้วดำเนินการต่อตามปกติ",
                "A draft you have begun is kept: you can go on with it, and submit it when the service opens again. What was submitted goes on as usual.",
            ),
            opens_at: closure.until,
        }
    }
}
