//! Every SQL statement of the catalogue: here what requests read, in `store/listing.rs` what reads all of
//! it, in `store/publication.rs` and `store/edit.rs` what writes.

mod edit;
mod listing;
mod publication;

use clock::Clock;
use database::{Database, Row, args};
use outbox::Outbox;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Error;
use crate::model::{Agency, LifeEvent, OfferingContent, PublicService};

pub use edit::{Edit, EditRefusal, OfferingChange, Terms};
pub use listing::{ListedService, Listing};
pub use publication::{Applied, Edits};

/// Services whose offerings are read in one statement: times a page, it stays below the rows of one answer.
const SERVICES_PER_STATEMENT: usize = 50;
const SAMPLE_FEES_MAX: i64 = 1_000;

const SERVICE: &str = "select s.code, s.revision, s.fileable, r.form_revision, r.content
    from public_service s
    join public_service_revision r on r.public_service_code = s.code and r.revision = s.revision";
const OFFERING: &str = "from offering o
    join offering_revision r on r.offering_id = o.id and r.revision = o.revision";
/// Whether an offering serves the area asked for: the same, one that holds it, or the whole country.
const COVERS: &str = "(o.area_code is null or substr($2, 1, length(o.area_code)) = o.area_code)";

/// The catalogue's database and what publishing needs.
#[derive(Clone)]
pub struct Store {
    database: Database,
    outbox: Outbox,
    clock: Clock,
}

/// A public service at its present revision.
pub struct ServiceRecord {
    pub code: String,
    pub revision: i64,
    pub form_revision: i64,
    pub fileable: bool,
    pub content: PublicService,
}

/// An offering at its present revision.
pub struct OfferingRecord {
    pub id: Uuid,
    pub revision: i64,
    pub content: OfferingContent,
}

/// An agency.
pub struct AgencyRecord {
    pub code: String,
    pub content: Agency,
}

/// A life event.
pub struct LifeEventRecord {
    pub code: String,
    pub content: LifeEvent,
}

impl Store {
    pub fn new(database: Database, outbox: Outbox, clock: Clock) -> Self {
        Self { database, outbox, clock }
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The number of the latest publication.
    pub async fn publication(&self) -> Result<i64, Error> {
        let row = self.database.row("select number from publication where id = 1", args![]).await?;
        Ok(row.map(|row| row.get("number")).transpose()?.unwrap_or(0))
    }

    /// Whether this set of embedded files was published before.
    pub async fn embedded_set_was_published(&self, fingerprint: &str) -> Result<bool, Error> {
        let sql = "select 1 as one from embedded_set where fingerprint = $1";
        Ok(self.database.row(sql, args![fingerprint]).await?.is_some())
    }

    /// The offerings with a sample fee, as `LAO-01 by nonthaburi`.
    pub async fn sample_fees(&self) -> Result<Vec<String>, Error> {
        let sql = format!(
            "select o.public_service_code, o.agency_code {OFFERING}
             where r.content->'fee'->>'status' = 'sample'
             order by o.public_service_code, o.agency_code limit $1"
        );
        let rows = self.database.rows(&sql, args![SAMPLE_FEES_MAX]).await?;
        let name = |row: &Row| {
            let service: String = row.get("public_service_code")?;
            Ok(format!("{service} by {}", row.get::<String>("agency_code")?))
        };
        rows.iter().map(name).collect()
    }

    /// The present revisions of these services.
    pub async fn services(&self, codes: &[String]) -> Result<Vec<ServiceRecord>, Error> {
        let sql = format!("{SERVICE} where s.code in {}", self.database.engine().in_texts("$1"));
        self.database.rows(&sql, args![json!(codes)]).await?.iter().map(service).collect()
    }

    /// Agencies in order of code.
    pub async fn agencies(&self, after: Option<&str>, limit: i64) -> Result<Vec<AgencyRecord>, Error> {
        let sql = "select code, content from agency where code > $1 order by code limit $2";
        let rows = self.database.rows(sql, args![after.unwrap_or_default(), limit]).await?;
        rows.iter().map(agency).collect()
    }

    /// These agencies.
    pub async fn agencies_by_code(&self, codes: &[String]) -> Result<Vec<AgencyRecord>, Error> {
        let sql = format!(
            "select code, content from agency where code in {}",
            self.database.engine().in_texts("$1")
        );
        self.database.rows(&sql, args![json!(codes)]).await?.iter().map(agency).collect()
    }

    /// The present revisions of these offerings.
    pub async fn offerings(&self, ids: &[Uuid]) -> Result<Vec<OfferingRecord>, Error> {
        let sql = format!(
            "select o.id, o.revision, r.content {OFFERING} where o.id in {}",
            self.database.engine().in_uuids("$1")
        );
        self.database.rows(&sql, args![json!(ids)]).await?.iter().map(offering).collect()
    }

    /// A page of the offerings of each of these services, in order of agency.
    pub async fn offerings_of(
        &self,
        services: &[String],
        area: Option<&str>,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<OfferingRecord>, Error> {
        let sql = format!(
            "select * from (
                 select o.id, o.revision, r.content, o.agency_code, row_number() over (
                     partition by o.public_service_code order by o.agency_code) as place
                 {OFFERING}
                 where o.public_service_code in {} and ($2 is null or {COVERS}) and o.agency_code > $3
             ) as page where place <= $4 order by agency_code",
            self.database.engine().in_texts("$1")
        );
        let mut offerings = Vec::new();
        for services in services.chunks(SERVICES_PER_STATEMENT) {
            let args = args![json!(services), area, after.unwrap_or_default(), limit];
            for row in self.database.rows(&sql, args).await? {
                offerings.push(offering(&row)?);
            }
        }
        Ok(offerings)
    }

    /// Of each of these services, the offering for an area: the one of the smallest area that holds it.
    pub async fn offerings_for_area(
        &self,
        services: &[String],
        area: &str,
    ) -> Result<Vec<OfferingRecord>, Error> {
        let sql = format!(
            "select * from (
                 select o.id, o.revision, r.content, row_number() over (
                     partition by o.public_service_code
                     order by length(coalesce(o.area_code, '')) desc, o.agency_code) as place
                 {OFFERING}
                 where o.public_service_code in {} and {COVERS}
             ) as nearest where place = 1",
            self.database.engine().in_texts("$1")
        );
        self.database.rows(&sql, args![json!(services), area]).await?.iter().map(offering).collect()
    }

    /// Life events in order of code.
    pub async fn life_events(&self, after: Option<&str>, limit: i64) -> Result<Vec<LifeEventRecord>, Error> {
        let sql = "select code, content from life_event where code > $1 order by code limit $2";
        let rows = self.database.rows(sql, args![after.unwrap_or_default(), limit]).await?;
        rows.iter().map(life_event).collect()
    }

    /// One life event.
    pub async fn life_event(&self, code: &str) -> Result<Option<LifeEventRecord>, Error> {
        let sql = "select code, content from life_event where code = $1";
        self.database.row(sql, args![code]).await?.as_ref().map(life_event).transpose()
    }

    /// The life events that each of these services belongs to: pairs of a service's code and an event.
    pub async fn life_events_of(&self, services: &[String]) -> Result<Vec<(String, LifeEventRecord)>, Error> {
        let sql = format!(
            "select s.public_service_code, e.code, e.content
             from life_event_service s join life_event e on e.code = s.life_event_code
             where s.public_service_code in {} order by e.code",
            self.database.engine().in_texts("$1")
        );
        let rows = self.database.rows(&sql, args![json!(services)]).await?;
        rows.iter().map(|row| Ok((row.get("public_service_code")?, life_event(row)?))).collect()
    }
}

fn service(row: &Row) -> Result<ServiceRecord, Error> {
    Ok(ServiceRecord {
        code: row.get("code")?,
        revision: row.get("revision")?,
        form_revision: row.get("form_revision")?,
        fileable: row.get("fileable")?,
        content: content(row)?,
    })
}

fn offering(row: &Row) -> Result<OfferingRecord, Error> {
    Ok(OfferingRecord { id: row.get("id")?, revision: row.get("revision")?, content: content(row)? })
}

fn agency(row: &Row) -> Result<AgencyRecord, Error> {
    Ok(AgencyRecord { code: row.get("code")?, content: content(row)? })
}

fn life_event(row: &Row) -> Result<LifeEventRecord, Error> {
    Ok(LifeEventRecord { code: row.get("code")?, content: content(row)? })
}

fn content<T: DeserializeOwned>(row: &Row) -> Result<T, Error> {
    Ok(serde_json::from_value(row.get::<Value>("content")?)?)
}

/// Whether there is a public service with this code, for who has no more than the database.
pub async fn is_published(database: &Database, code: &str) -> Result<bool, Error> {
    let sql = "select 1 as one from public_service where code = $1";
    Ok(database.row(sql, args![code]).await?.is_some())
}
