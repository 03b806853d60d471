//! Lists of applications: mine, or the queue of an agency.

use chrono::{DateTime, NaiveDate, Utc};
use database::Value;
use uuid::Uuid;

use super::application::{Application, COLUMNS, visible};
use super::{Reader, Refusal, Store};
use crate::model::ApplicationStatus;

/// Which applications to list: newest first, unless asked otherwise.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    pub status: Option<ApplicationStatus>,
    pub party_id: Option<Uuid>,
    pub service_code: Option<String>,
    /// Submitted at or after the first instant, and before the second.
    pub submitted: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    /// Still to be decided, the last day being before this one.
    pub late_on: Option<NaiveDate>,
    /// The applicant's national or registration number.
    pub applicant_number: Option<String>,
    /// The id the previous page ended with.
    pub beyond: Option<Uuid>,
    /// In the order in which they were submitted, as an agency works them off.
    pub as_queue: bool,
    pub limit: i64,
}

/// Behind the application with this id, of the same agency; the bracket is closed behind the id.
const QUEUE_BEYOND: &str = "(submitted_at, id) > (select place.submitted_at, place.id
    from application as place where place.agency_code = $2 and place.id =";

impl Store {
    /// Applications someone may see.
    pub async fn applications(
        &self,
        reader: &Reader,
        listing: &Listing,
    ) -> Result<Vec<Application>, Refusal> {
        let of_agency = matches!(reader, Reader::Agency(_));
        let (theirs, reader) = visible(reader, self.database.engine());
        let mut sql = format!("select {COLUMNS} from application where {theirs}");
        // `$1` is left to the id elsewhere: here it carries the limit.
        let mut bound = vec![Value::from(listing.limit), reader];
        let mut also = |condition: &str, value: Value| {
            bound.push(value);
            sql.push_str(&format!(" and {condition} ${}", bound.len()));
        };
        if let Some(status) = listing.status {
            also("status =", status.word().into());
        }
        if let Some(party_id) = listing.party_id {
            also("applicant_party_id =", party_id.into());
        }
        if let Some(code) = &listing.service_code {
            also("service_code =", code.into());
        }
        if let Some(from) = listing.submitted.0 {
            also("submitted_at >=", from.into());
        }
        if let Some(before) = listing.submitted.1 {
            also("submitted_at <", before.into());
        }
        if let Some(day) = listing.late_on {
            also("status in ('SUBMITTED', 'UNDER_REVIEW') and due_on <", day.into());
        }
        if let Some(number) = &listing.applicant_number {
            also("applicant_index =", self.applicant_index(number).into());
        }
        // The cursor is an id in both orders: what was submitted meanwhile comes behind it, never before.
        let (beyond, order) = match listing.as_queue {
            true => (QUEUE_BEYOND, "submitted_at, id"),
            // Ids are uuids of version 7: they sort by the time the draft was begun.
            false => ("id <", "id desc"),
        };
        if let Some(id) = listing.beyond {
            also(beyond, id.into());
        }
        if listing.beyond.is_some() && listing.as_queue {
            sql.push(')');
        }
        sql.push_str(&format!(" order by {order} limit $1"));
        // An agency's list may be a moment old: who takes a case from it does so by the case itself. What
        // applicants have just sent is in theirs at once.
        let rows = match of_agency {
            true => self.database.rows_maybe_stale(&sql, bound).await?,
            false => self.database.rows(&sql, bound).await?,
        };
        rows.iter().map(Application::from_row).collect()
    }

    /// What an applicant is found by: nothing can be read from it.
    pub(super) fn applicant_index(&self, number: &str) -> Vec<u8> {
        // Identity makes the same of a person's number: `Citizen.nationalIdIndex`.
        self.sealer.blind_index("party.number", number)
    }
}
