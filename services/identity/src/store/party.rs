//! Companies and the mandates of those who act for them.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use clock::Clock;
use database::{Row, Tx, args};
use uuid::Uuid;

use super::{Error, Store, erasure};
use crate::model::mandate::{Basis, JuristicPerson, Mandate};

/// Mandates of one citizen that are read: far above what a token names.
const MANDATES_MAX: i64 = 200;

/// A company as the registry names it for one of its directors.
#[derive(Clone, Debug)]
pub struct Directorship {
    pub registration_number: String,
    pub name_th: String,
    pub name_en: Option<String>,
    pub since: NaiveDate,
}

impl Store {
    /// The mandates of a citizen that were not revoked, oldest first.
    pub async fn mandates_of(&self, citizen: Uuid) -> Result<Vec<Mandate>, Error> {
        let rows = self
            .database
            .rows(
                "select mandate.id, juristic_person_id, registration_number, name_th, name_en, basis,
                     valid_from, valid_until, confirmed_at, revoked_at
                 from mandate join juristic_person on juristic_person.id = mandate.juristic_person_id
                 where citizen_id = $1 and revoked_at is null
                 order by valid_from, mandate.id limit $2",
                args![citizen, MANDATES_MAX],
            )
            .await?;
        rows.iter().map(read).collect()
    }

    /// Makes a citizen's directorships what the registry says: new ones begin, confirmed ones go
    /// on, missing ones end now.
    pub async fn confirm_directorships(
        &self,
        citizen: Uuid,
        directorships: &[Directorship],
        clock: &Clock,
    ) -> Result<(), Error> {
        let now = clock.now();
        let mut tx = self.database.begin().await?;
        if erasure::is_closing(&mut tx, citizen).await? {
            return Ok(());
        }
        let mut confirmed = BTreeSet::new();
        // In one order: two directors of the same companies who log in at once must not lock each other out.
        let mut directorships: Vec<_> = directorships.iter().collect();
        directorships.sort_by_key(|directorship| &directorship.registration_number);
        for directorship in directorships {
            let company = save_juristic_person(&mut tx, directorship, clock.uuid(), now).await?;
            tx.execute(
                "insert into mandate (id, citizen_id, juristic_person_id, basis, valid_from, confirmed_at)
                 values ($1, $2, $3, $4, $5, $6)
                 on conflict (citizen_id, juristic_person_id, basis) where revoked_at is null
                 do update set confirmed_at = excluded.confirmed_at",
                args![clock.uuid(), citizen, company, Basis::Director.code(), directorship.since, now],
            )
            .await?;
            confirmed.insert(company);
        }
        let held = "select juristic_person_id from mandate where citizen_id = $1 and basis = $2 and revoked_at is null";
        for row in tx.rows(held, args![citizen, Basis::Director.code()]).await? {
            let company: Uuid = row.get("juristic_person_id")?;
            if !confirmed.contains(&company) {
                tx.execute(
                    "update mandate set revoked_at = $4
                     where citizen_id = $1 and juristic_person_id = $2 and basis = $3 and revoked_at is null",
                    args![citizen, company, Basis::Director.code(), now],
                )
                .await?;
            }
        }
        Ok(tx.commit().await?)
    }
}

async fn save_juristic_person(
    tx: &mut Tx,
    directorship: &Directorship,
    fresh: Uuid,
    now: DateTime<Utc>,
) -> Result<Uuid, Error> {
    let row = tx
        .row(
            "insert into juristic_person (id, registration_number, name_th, name_en, updated_at)
             values ($1, $2, $3, $4, $5)
             on conflict (registration_number) do update
                 set name_th = excluded.name_th, name_en = excluded.name_en, updated_at = excluded.updated_at
             returning id",
            args![
                fresh,
                &directorship.registration_number,
                &directorship.name_th,
                directorship.name_en.as_ref(),
                now,
            ],
        )
        .await?;
    Ok(row.ok_or(Error::Content("juristic_person"))?.get("id")?)
}

fn read(row: &Row) -> Result<Mandate, Error> {
    let basis: String = row.get("basis")?;
    Ok(Mandate {
        id: row.get("id")?,
        juristic_person: JuristicPerson {
            id: row.get("juristic_person_id")?,
            registration_number: row.get("registration_number")?,
            name_th: row.get("name_th")?,
            name_en: row.get("name_en")?,
        },
        basis: Basis::parse(&basis).ok_or(Error::Content("basis"))?,
        valid_from: row.get("valid_from")?,
        valid_until: row.get("valid_until")?,
        confirmed_at: row.get("confirmed_at")?,
        revoked_at: row.get("revoked_at")?,
    })
}
