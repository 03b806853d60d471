//! Reading all of a table, some rows at a time: what the search index is made of.

use std::collections::HashMap;

use database::args;
use graphql::LocalizedText;

use super::{Store, agency};
use crate::Error;

/// Rows read at a time. A query for more than the database allows would fail.
pub(super) const CHUNK_ROWS: i64 = 1_000;

/// All services without their content, as new as a publication or newer.
pub struct Listing {
    pub publication: i64,
    pub services: Vec<ListedService>,
    pub agency_names: HashMap<String, LocalizedText>,
}

/// A service without its content.
pub struct ListedService {
    pub code: String,
    pub revision: i64,
    pub fileable: bool,
    /// The agency and the area of each offering; no area for the whole country.
    pub offered_by: Vec<(String, Option<String>)>,
}

impl Store {
    /// Lists all services.
    pub async fn listing(&self) -> Result<Listing, Error> {
        let publication = self.publication().await?;
        let mut offered = self.agencies_and_areas().await?;
        let sql =
            "select code, revision, fileable from public_service where code > $1 order by code limit $2";
        let mut services: Vec<ListedService> = Vec::new();
        loop {
            let after = services.last().map_or("", |service| service.code.as_str());
            let rows = self.database.rows(sql, args![after, CHUNK_ROWS]).await?;
            for row in &rows {
                let code: String = row.get("code")?;
                services.push(ListedService {
                    revision: row.get("revision")?,
                    fileable: row.get("fileable")?,
                    offered_by: offered.remove(&code).unwrap_or_default(),
                    code,
                });
            }
            if is_last(rows.len()) {
                return Ok(Listing { publication, services, agency_names: self.agency_names().await? });
            }
        }
    }

    async fn agency_names(&self) -> Result<HashMap<String, LocalizedText>, Error> {
        let sql = "select code, content from agency where code > $1 order by code limit $2";
        let mut names = HashMap::new();
        let mut after = String::new();
        loop {
            let rows = self.database.rows(sql, args![&after, CHUNK_ROWS]).await?;
            for row in &rows {
                let record = agency(row)?;
                after.clone_from(&record.code);
                names.insert(record.code, record.content.name);
            }
            if is_last(rows.len()) {
                return Ok(names);
            }
        }
    }

    /// Who offers each service, and where.
    async fn agencies_and_areas(&self) -> Result<HashMap<String, Vec<(String, Option<String>)>>, Error> {
        let sql = "select public_service_code, agency_code, area_code from offering
                   where public_service_code > $1 or (public_service_code = $1 and agency_code > $2)
                   order by public_service_code, agency_code limit $3";
        let mut offered: HashMap<String, Vec<_>> = HashMap::new();
        let mut after = (String::new(), String::new());
        loop {
            let rows = self.database.rows(sql, args![&after.0, &after.1, CHUNK_ROWS]).await?;
            for row in &rows {
                after = (row.get("public_service_code")?, row.get("agency_code")?);
                offered.entry(after.0.clone()).or_default().push((after.1.clone(), row.get("area_code")?));
            }
            if is_last(rows.len()) {
                return Ok(offered);
            }
        }
    }
}

pub(super) fn is_last(rows: usize) -> bool {
    rows < usize::try_from(CHUNK_ROWS).unwrap_or(usize::MAX)
}
