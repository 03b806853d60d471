//! Triggers: set, listed, used up, cleared.

use chrono::{DateTime, Utc};
use database::{Database, Error, Queryable, Row, args};
use serde_json::json;
use uuid::Uuid;

use crate::trigger::{Effect, Lasts, Place, Scope, Trigger};

/// Triggers that hold at the same time.
pub const TRIGGERS_MAX: i64 = 100;

/// What still holds at `$1`.
const HOLDS: &str = "spent_at is null and (ends_at is null or ends_at > $1)";

/// Sets a trigger; the same effect and scope again replaces the earlier one. False when there are
/// too many others.
pub async fn set_trigger(database: &Database, trigger: &Trigger) -> Result<bool, Error> {
    let now = trigger.set_at;
    let mut tx = database.begin().await?;
    tx.execute(&format!("delete from trigger_setting where not ({HOLDS})"), args![now]).await?;
    let row = tx.row("select count(*) as held from trigger_setting", args![]).await?;
    if row.map_or(Ok(0), |row| row.get::<i64>("held"))? >= TRIGGERS_MAX {
        return Ok(false);
    }
    let ends_at = match trigger.lasts {
        Lasts::Until(ends_at) => Some(ends_at),
        Lasts::Once | Lasts::UntilCleared => None,
    };
    let scope = &trigger.scope;
    tx.execute(
        "insert into trigger_setting (id, effect, place, persona, amount_satang, reference, lasts, ends_at, set_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (effect, place, persona, amount_satang, reference) do update set
             id = excluded.id, lasts = excluded.lasts, ends_at = excluded.ends_at, set_at = excluded.set_at,
             used_count = 0, spent_at = null",
        args![
            trigger.id,
            trigger.effect.about().code,
            scope.place.map_or("", Place::code),
            scope.persona.as_deref().unwrap_or_default(),
            scope.amount_satang.unwrap_or(0),
            scope.reference.as_deref().unwrap_or_default(),
            trigger.lasts.code(),
            ends_at,
            now,
        ],
    )
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// What holds now, the newest first.
pub async fn triggers(database: &Database, now: DateTime<Utc>) -> Result<Vec<Trigger>, Error> {
    let sql = format!("select * from trigger_setting where {HOLDS} order by set_at desc, id desc limit $2");
    let rows = database.rows(&sql, args![now, TRIGGERS_MAX]).await?;
    rows.iter().map(read).collect()
}

/// The newest trigger of these effects that holds for what happens here.
pub async fn trigger_for(
    database: &Database,
    effects: &[Effect],
    happens: &Scope,
    now: DateTime<Utc>,
) -> Result<Option<Trigger>, Error> {
    let mut database = database.clone();
    let codes: Vec<&str> = effects.iter().map(|effect| effect.about().code).collect();
    let among = database.engine().in_texts("$2");
    let sql = format!(
        "select * from trigger_setting
         where {HOLDS} and effect in {among} and (place = '' or place = $3) and (persona = '' or persona = $4)
             and (amount_satang = 0 or amount_satang = $5) and (reference = '' or reference = $6)
         order by set_at desc, id desc limit 1"
    );
    let args = args![
        now,
        json!(codes),
        happens.place.map_or("", Place::code),
        happens.persona.as_deref().unwrap_or_default(),
        happens.amount_satang.unwrap_or(0),
        happens.reference.as_deref().unwrap_or_default(),
    ];
    Queryable::row(&mut database, &sql, args).await?.as_ref().map(read).transpose()
}

/// Uses a trigger; false when somebody else used it up first.
pub async fn use_trigger(database: &Database, id: Uuid, now: DateTime<Utc>) -> Result<bool, Error> {
    let sql = "update trigger_setting
               set used_count = used_count + 1, spent_at = case when lasts = 'once' then $2 end
               where id = $1 and spent_at is null";
    Ok(database.execute(sql, args![id, now]).await? == 1)
}

/// Clears one trigger; false when there is none.
pub async fn clear_trigger(database: &Database, id: Uuid) -> Result<bool, Error> {
    Ok(database.execute("delete from trigger_setting where id = $1", args![id]).await? == 1)
}

/// Clears all.
pub async fn clear_triggers(database: &Database) -> Result<(), Error> {
    database.execute("delete from trigger_setting", args![]).await.map(|_| ())
}

fn read(row: &Row) -> Result<Trigger, Error> {
    let unknown = |column: &str| Error::Column { column: column.into(), reason: "unknown word".into() };
    let text =
        |column: &str| row.get::<String>(column).map(|text| Some(text).filter(|text| !text.is_empty()));
    let amount_satang: i64 = row.get("amount_satang")?;
    let ends_at: Option<DateTime<Utc>> = row.get("ends_at")?;
    let lasts = match (row.get::<String>("lasts")?.as_str(), ends_at) {
        ("once", _) => Lasts::Once,
        ("minutes", Some(ends_at)) => Lasts::Until(ends_at),
        _ => Lasts::UntilCleared,
    };
    Ok(Trigger {
        id: row.get("id")?,
        effect: Effect::parse(&row.get::<String>("effect")?).ok_or_else(|| unknown("effect"))?,
        scope: Scope {
            place: text("place")?.and_then(|code| Place::parse(&code)),
            persona: text("persona")?,
            amount_satang: (amount_satang > 0).then_some(amount_satang),
            reference: text("reference")?,
        },
        lasts,
        set_at: row.get("set_at")?,
        used_count: row.get("used_count")?,
    })
}
