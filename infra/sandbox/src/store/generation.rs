//! Which generation of each persona is the present one.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use database::{Database, Error, args};

/// Far above the number of personas there are.
const PERSONAS_MAX: i64 = 1_000;

/// How often a persona was reset; zero when never.
pub async fn generation(database: &Database, persona: &str) -> Result<i64, Error> {
    let sql = "select generation from persona_generation where persona = $1";
    let row = database.row(sql, args![persona]).await?;
    Ok(row.map(|row| row.get("generation")).transpose()?.unwrap_or(0))
}

/// Those that were reset at least once.
pub async fn generations(database: &Database) -> Result<BTreeMap<String, i64>, Error> {
    let sql = "select persona, generation from persona_generation order by persona limit $1";
    let rows = database.rows(sql, args![PERSONAS_MAX]).await?;
    rows.iter().map(|row| Ok((row.get("persona")?, row.get("generation")?))).collect()
}

/// Moves the persona from generation `from` to the next, ending its logins at the providers, and
/// gives the present one: of several who reset at once, one moves it.
pub async fn advance(
    database: &Database,
    persona: &str,
    from: i64,
    code: &str,
    now: DateTime<Utc>,
) -> Result<i64, Error> {
    let mut tx = database.begin().await?;
    let sql = "insert into persona_generation (persona, generation, reset_at) values ($1, $2, $3)
               on conflict (persona) do update set generation = $2, reset_at = $3
               where persona_generation.generation < $2";
    tx.execute(sql, args![persona, from + 1, now]).await?;
    tx.execute("delete from authorization_code where persona = $1", args![code]).await?;
    tx.execute("delete from access_token where persona = $1", args![code]).await?;
    let present =
        tx.row("select generation from persona_generation where persona = $1", args![persona]).await?;
    tx.commit().await?;
    Ok(present.map(|row| row.get("generation")).transpose()?.unwrap_or(from))
}
