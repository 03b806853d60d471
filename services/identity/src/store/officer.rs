//! Officers, found by the blind index of their number.

use chrono::{DateTime, Utc};
use database::{Row, args};
use uuid::Uuid;

use super::{Error, Store};
use crate::model::national_id::NationalId;
use crate::model::officer::Officer;

const PID_INDEX: &str = "officer.pid";

impl Store {
    /// The officer with this number.
    pub async fn officer_with(&self, pid: &NationalId) -> Result<Option<Officer>, Error> {
        let index = self.sealer.blind_index(PID_INDEX, pid.digits());
        let row = self
            .database
            .row("select id, agency, roles from officer where pid_index = $1", args![index])
            .await?;
        row.map(read).transpose()
    }

    pub async fn officer(&self, id: Uuid) -> Result<Option<Officer>, Error> {
        let row = self.database.row("select id, agency, roles from officer where id = $1", args![id]).await?;
        row.map(read).transpose()
    }

    /// Gives a person an agency and roles, or other ones.
    pub async fn save_officer(
        &self,
        pid: &NationalId,
        officer: &Officer,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let index = self.sealer.blind_index(PID_INDEX, pid.digits());
        self.database
            .execute(
                "insert into officer (id, pid_index, agency, roles, created_at) values ($1, $2, $3, $4, $5)
                 on conflict (pid_index) do update set agency = excluded.agency, roles = excluded.roles",
                args![officer.id, index, &officer.agency, serde_json::to_value(&officer.roles)?, now],
            )
            .await?;
        Ok(())
    }
}

fn read(row: Row) -> Result<Officer, Error> {
    Ok(Officer {
        id: row.get("id")?,
        agency: row.get("agency")?,
        roles: serde_json::from_value(row.get("roles")?)?,
    })
}
