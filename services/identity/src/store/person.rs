//! Citizens and the accounts that lead to them.

use auth::Ial;
use chrono::{DateTime, Utc};
use database::{Tx, args};
use sealing::Place;
use uuid::Uuid;

use super::{Error, Store, erasure, word};
use crate::model::citizen::{Citizen, Profile};
use crate::model::joining::{AccountHolder, Joining, Known, join};
use crate::model::national_id::NationalId;

const PID_INDEX: &str = "citizen.pid";
const SUBJECT_INDEX: &str = "account.subject";

/// A person as a provider sent them.
#[derive(Debug)]
pub struct Arrival {
    pub issuer: String,
    pub subject: String,
    /// The number, only where the proofing makes it believable.
    pub pid: Option<NationalId>,
    pub proofing: Ial,
    pub profile: Profile,
    /// Who it must be, at a step-up.
    pub only: Option<Uuid>,
}

impl Store {
    /// Books an arrival: finds or makes its citizen, brings the profile up to date.
    /// `None`, with nothing booked, when the account now names another person, or is not of the one
    /// it must be.
    pub async fn arrive(
        &self,
        arrival: &Arrival,
        fresh: [Uuid; 2],
        now: DateTime<Utc>,
    ) -> Result<Option<Uuid>, Error> {
        match self.try_arrive(arrival, fresh, now).await {
            // Two first logins of one person at once: the second finds what the first wrote.
            Err(Error::Database(error)) if error.is_unique_violation() => {
                self.try_arrive(arrival, fresh, now).await
            }
            outcome => outcome,
        }
    }

    /// A citizen, with the profile if it has not been erased.
    pub async fn citizen(&self, id: Uuid) -> Result<Option<Citizen>, Error> {
        let row = self.database.row("select profile from citizen where id = $1", args![id]).await?;
        let Some(row) = row else { return Ok(None) };
        let sealed: Vec<u8> = row.get("profile")?;
        let profile = self.sealer.open_json(&mut self.database.clone(), id, place(id), &sealed).await?;
        Ok(Some(Citizen { id, profile: profile.unwrap_or_default() }))
    }

    async fn try_arrive(
        &self,
        arrival: &Arrival,
        [fresh_citizen, fresh_account]: [Uuid; 2],
        now: DateTime<Utc>,
    ) -> Result<Option<Uuid>, Error> {
        let subject_index = self.sealer.blind_index(SUBJECT_INDEX, &arrival.subject);
        let pid_index = arrival.pid.as_ref().map(|pid| self.sealer.blind_index(PID_INDEX, pid.digits()));
        let mut tx = self.database.begin().await?;
        let known = known(&mut tx, &arrival.issuer, &subject_index, pid_index.as_deref()).await?;
        let joining = join(known);
        let (citizen, claims_pid) = match joining {
            Joining::Account { citizen, claims_pid } => (citizen, claims_pid),
            Joining::SamePerson { citizen } | Joining::Moved { citizen } => (citizen, false),
            Joining::NewPerson { claims_pid } => (fresh_citizen, claims_pid),
            Joining::AnotherPerson => return Ok(None),
        };
        if arrival.only.is_some_and(|only| only != citizen) {
            return Ok(None);
        }
        if erasure::is_closing(&mut tx, citizen).await? {
            return Ok(None);
        }
        if matches!(joining, Joining::NewPerson { .. }) {
            let sealed =
                self.sealer.seal_json(&mut tx, citizen, place(citizen), &arrival.profile, now).await?;
            tx.execute(
                "insert into citizen (id, profile_ial, profile, created_at, updated_at) values ($1, $2, $3, $4, $4)",
                args![citizen, arrival.proofing.to_string(), sealed, now],
            )
            .await?;
        } else {
            self.update_profile(&mut tx, citizen, arrival, now).await?;
        }
        if claims_pid {
            tx.execute("update citizen set pid_index = $2 where id = $1", args![citizen, pid_index]).await?;
        }
        tx.execute(
            "insert into account (id, issuer, subject_index, citizen_id, created_at, last_login_at)
             values ($1, $2, $3, $4, $5, $5)
             on conflict (issuer, subject_index) do update set citizen_id = excluded.citizen_id, last_login_at = $5",
            args![fresh_account, &arrival.issuer, subject_index, citizen, now],
        )
        .await?;
        tx.commit().await?;
        Ok(Some(citizen))
    }

    async fn update_profile(
        &self,
        tx: &mut Tx,
        citizen: Uuid,
        arrival: &Arrival,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let sql =
            format!("select profile, profile_ial from citizen where id = $1{}", tx.engine().for_update());
        let row = tx.row(&sql, args![citizen]).await?.ok_or(Error::Content("account"))?;
        let before: Ial = word(&row, "profile_ial")?;
        let sealed: Vec<u8> = row.get("profile")?;
        let Some(profile) = self.sealer.open_json::<Profile>(tx, citizen, place(citizen), &sealed).await?
        else {
            // Erased: an erased citizen's profile does not come back by logging in.
            return Ok(());
        };
        let profile = profile.updated(arrival.profile.clone(), arrival.proofing >= before);
        let sealed = self.sealer.seal_json(tx, citizen, place(citizen), &profile, now).await?;
        tx.execute(
            "update citizen set profile = $2, profile_ial = $3, updated_at = $4 where id = $1",
            args![citizen, sealed, before.max(arrival.proofing).to_string(), now],
        )
        .await?;
        Ok(())
    }
}

async fn known(
    tx: &mut Tx,
    issuer: &str,
    subject_index: &[u8],
    pid_index: Option<&[u8]>,
) -> Result<Known, Error> {
    let account = tx
        .row(
            "select citizen.id, pid_index from account join citizen on citizen.id = account.citizen_id
             where issuer = $1 and subject_index = $2",
            args![issuer, subject_index],
        )
        .await?;
    let account = match account {
        Some(row) => Some(AccountHolder {
            citizen: row.get("id")?,
            holds_pid: row.get::<Option<Vec<u8>>>("pid_index")?.is_some(),
        }),
        None => None,
    };
    let pid_holder = match pid_index {
        Some(index) => tx.row("select id from citizen where pid_index = $1", args![index]).await?,
        None => None,
    };
    let pid_holder = pid_holder.map(|row| row.get("id")).transpose()?;
    Ok(Known { account, pid_holder, pid_believed: pid_index.is_some() })
}

fn place(citizen: Uuid) -> Place<'static> {
    Place { table: "citizen", column: "profile", row: citizen }
}
