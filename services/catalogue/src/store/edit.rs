//! Editing one offering without a file, and the record of all its changes.

use auth::Officer;
use chrono::{DateTime, Utc};
use database::{Row, Tx, args};
use graphql::FieldProblem;
use idempotency::{Begin, Key};
use serde_json::{Value, json};
use uuid::Uuid;

use super::publication::{count, lock, publish_offering};
use super::{OFFERING, OfferingRecord, Store, offering};
use crate::Error;
use crate::model::{Contact, Fee, LegalDays, OfferingEdit};

/// An officer's wish to change an offering of their agency.
pub struct Edit<'a> {
    pub officer: &'a Officer,
    /// The officer as a subject of idempotency keys.
    pub subject: &'a str,
    pub key: &'a str,
    pub offering: Uuid,
    /// The revision that the officer read.
    pub revision: i64,
    pub change: &'a OfferingEdit,
    pub reason: &'a str,
}

/// Why an offering was not edited.
pub enum EditRefusal {
    /// There is none, or it is another agency's.
    NotFound,
    /// The idempotency key was used for another input, or is empty or too long.
    KeyReused,
    /// It was changed since: as it stands now.
    OldRevision(Box<OfferingRecord>),
    Invalid(Vec<FieldProblem>),
    Failed(Error),
}

impl From<Error> for EditRefusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<database::Error> for EditRefusal {
    fn from(error: database::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// One revision of an offering as its record tells it.
pub struct OfferingChange {
    pub revision: i64,
    pub changed_at: DateTime<Utc>,
    /// None where a file was published.
    pub edit: Option<EditRecord>,
    /// None for the first revision.
    pub before: Option<Terms>,
    pub after: Terms,
}

/// Who edited, and why.
pub struct EditRecord {
    pub officer: Uuid,
    pub reason: String,
}

/// What an edit can change.
pub struct Terms {
    pub fee: Fee,
    pub legal_days: LegalDays,
    pub contacts: Vec<Contact>,
    pub accepting: bool,
}

impl Store {
    /// Makes a new revision of an offering of the officer's own agency, with its message and the record of
    /// who made it. Content that is as it was makes none.
    pub async fn edit_offering(
        &self,
        edit: &Edit<'_>,
        sample_fees_refused: bool,
    ) -> Result<OfferingRecord, EditRefusal> {
        let mut tx = self.database.begin().await?;
        let key = Key { subject: edit.subject, operation: "editOffering", key: edit.key };
        let input = json!({
            "offering": edit.offering, "revision": edit.revision, "change": edit.change, "reason": edit.reason,
        });
        let begun = idempotency::begin(&mut tx, &key, &input, self.clock.now()).await?;
        if begun == Begin::Conflict {
            return Err(EditRefusal::KeyReused);
        }
        lock(&mut tx).await?;
        let before = own_offering(&mut tx, edit).await?.ok_or(EditRefusal::NotFound)?;
        if let Begin::Replay(_) = begun {
            return Ok(before);
        }
        if before.revision != edit.revision {
            return Err(EditRefusal::OldRevision(Box::new(before)));
        }
        let content = edit.change.of(&before.content, sample_fees_refused).map_err(EditRefusal::Invalid)?;
        let published = publish_offering(&mut tx, &self.outbox, self.clock.now(), &content).await?;
        if let Some(published) = published {
            self.record(&mut tx, edit, published.revision).await?;
        }
        if content.accepting != before.content.accepting {
            follow_accepting(&mut tx, &content.service_code).await?;
        }
        let edited = own_offering(&mut tx, edit).await?.ok_or(EditRefusal::NotFound)?;
        idempotency::complete(&mut tx, &key, json!({ "offering": edited.id })).await?;
        tx.commit().await?;
        Ok(edited)
    }

    /// All that an offering of this agency ever was, the latest first; none when it is not the agency's.
    pub async fn offering_changes(
        &self,
        offering: Uuid,
        agency: &str,
        before_revision: Option<i64>,
        limit: i64,
    ) -> Result<Option<Vec<OfferingChange>>, Error> {
        let sql = "select 1 as one from offering where id = $1 and agency_code = $2";
        if self.database.row(sql, args![offering, agency]).await?.is_none() {
            return Ok(None);
        }
        // Of each revision only what an edit can change: a form may be large.
        let sql = "select r.revision, r.published_at, e.officer_id, e.reason,
                r.content->'fee' as fee, r.content->'legal_days' as legal_days,
                r.content->'contacts' as contacts, r.content->'accepting' as accepting,
                b.content->'fee' as fee_before, b.content->'legal_days' as legal_days_before,
                b.content->'contacts' as contacts_before, b.content->'accepting' as accepting_before
            from offering_revision r
            left join offering_revision b on b.offering_id = r.offering_id and b.revision = r.revision - 1
            left join offering_edit e on e.offering_id = r.offering_id and e.revision = r.revision
            where r.offering_id = $1 and r.revision < $2 order by r.revision desc limit $3";
        let args = args![offering, before_revision.unwrap_or(i64::MAX), limit];
        let rows = self.database.rows(sql, args).await?;
        rows.iter().map(change).collect::<Result<_, Error>>().map(Some)
    }

    async fn record(&self, tx: &mut Tx, edit: &Edit<'_>, revision: i64) -> Result<(), Error> {
        let sql = "insert into offering_edit
                   (offering_id, revision, officer_id, agency_code, client_id, reason, edited_at)
                   values ($1, $2, $3, $4, $5, $6, $7)";
        let Officer { officer_id, agency, client_id, .. } = edit.officer;
        let args =
            args![edit.offering, revision, officer_id, agency, client_id, edit.reason, self.clock.now()];
        tx.execute(sql, args).await?;
        Ok(())
    }
}

async fn own_offering(tx: &mut Tx, edit: &Edit<'_>) -> Result<Option<OfferingRecord>, Error> {
    let sql = format!("select o.id, o.revision, r.content {OFFERING} where o.id = $1 and o.agency_code = $2");
    let row = tx.row(&sql, args![edit.offering, &edit.officer.agency]).await?;
    row.as_ref().map(offering).transpose()
}

/// A service can be filed here while one of its offerings accepts. Searches filter by it.
async fn follow_accepting(tx: &mut Tx, service: &str) -> Result<(), Error> {
    let sql = format!(
        "select 1 as one {OFFERING} where o.public_service_code = $1 and r.content->'accepting' = 'true' limit 1"
    );
    let fileable = tx.row(&sql, args![service]).await?.is_some();
    let sql = "update public_service set fileable = $2 where code = $1 and fileable <> $2";
    if tx.execute(sql, args![service, fileable]).await? > 0 {
        count(tx).await?;
    }
    Ok(())
}

fn change(row: &Row) -> Result<OfferingChange, Error> {
    let edit = match row.get::<Option<Uuid>>("officer_id")? {
        Some(officer) => Some(EditRecord { officer, reason: row.get("reason")? }),
        None => None,
    };
    let before = match row.get::<Option<Value>>("fee_before")? {
        Some(_) => Some(terms(row, "_before")?),
        None => None,
    };
    Ok(OfferingChange {
        revision: row.get("revision")?,
        changed_at: row.get("published_at")?,
        edit,
        before,
        after: terms(row, "")?,
    })
}

fn terms(row: &Row, which: &str) -> Result<Terms, Error> {
    let value = |name: &str| row.get::<Option<Value>>(&format!("{name}{which}"));
    let given = |name: &str| Ok::<_, Error>(value(name)?.unwrap_or_default());
    let contacts = value("contacts")?.map(serde_json::from_value).transpose()?;
    Ok(Terms {
        fee: serde_json::from_value(given("fee")?)?,
        legal_days: serde_json::from_value(given("legal_days")?)?,
        contacts: contacts.unwrap_or_default(),
        accepting: serde_json::from_value(given("accepting")?)?,
    })
}
