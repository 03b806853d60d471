//! What the catalogue tells others: that an offering has a new revision, with all they need to pin.

use outbox::Message;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::model::{Evidence, OfferingContent};

/// Topics of what readers can see the change of.
pub const TOPICS_OF_CHANGES: &[&str] = &[OFFERING_PUBLISHED, CHANGED, "catalogue.availability_changed"];

const OFFERING_PUBLISHED: &str = "catalogue.offering_published";
const CHANGED: &str = "catalogue.changed";

/// Something was published: agencies, public services, offerings or life events.
pub fn changed() -> Message {
    Message::new(CHANGED, json!({}))
}

/// An offering was published: new, or changed in anything an application pins.
pub fn offering_published(id: Uuid, revision: i64, content: &OfferingContent) -> Message {
    let evidence: Vec<Value> = content.evidence.iter().map(evidence).collect();
    Message::new(
        OFFERING_PUBLISHED,
        json!({
            "offering_id": id,
            "revision": revision,
            "service_code": content.service_code,
            "service_title": content.service_title,
            "agency_code": content.agency_code,
            "agency_name": content.agency_name,
            "area": content.area_code(),
            "audience": content.audience,
            "ial": content.ial.to_string(),
            "aal": content.aal.to_string(),
            "fee_satang": content.fee.billed_satang(),
            "fee_due": content.fee.billed_due(),
            "fee_on_rejection": content.fee.on_rejection,
            "legal_days": content.legal_days.days,
            "legal_days_counted": content.legal_days.counted,
            "decision": content.decision,
            "accepting": content.accepting,
            "form": content.form,
            "evidence": evidence,
        }),
    )
}

/// What the state holds has no media types and no size: it cannot be uploaded.
fn evidence(evidence: &Evidence) -> Value {
    let upload = evidence.upload.as_ref();
    json!({
        "code": evidence.code,
        "title": evidence.title,
        "required": evidence.required,
        "media_types": upload.map(|upload| upload.media_types.as_slice()).unwrap_or_default(),
        "bytes_max": upload.map_or(0, |upload| upload.bytes_max),
        "held_by_state": evidence.held_by.is_some(),
    })
}
