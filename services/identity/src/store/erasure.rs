//! Forgetting a person: the proposal, the answers of other services, and the act itself.

use chrono::{DateTime, Utc};
use database::{Queryable, Row, Tx, args};
use idempotency::{Begin, Key};
use outbox::{Message, Outbox};
use serde_json::{Value, json};
use uuid::Uuid;

use super::session::STEPPED_UP;
use super::{Error, Store};
use crate::model::erasure::{Answer, Erasure, NotNow, Obstacle, Status};

/// The name under which identity takes in messages once.
pub const CONSUMER: &str = "identity";
/// Asks a service whether anything stands in the way of an erasure.
const ASKED: &str = "identity.erasure_asked";
/// Tells every service to forget a person.
const ERASED: &str = "identity.citizen_erased";

/// An officer's write: who, under which key.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    pub officer_id: Uuid,
    pub subject: &'a str,
    pub key: &'a str,
}

/// What became of an officer's write.
#[derive(Debug)]
pub enum Outcome {
    Erasure(Box<Erasure>),
    NotFound,
    /// The key was used for something else.
    Conflict,
    NotNow(NotNow, Box<Erasure>),
}

/// What a service answered.
#[derive(Debug, serde::Deserialize)]
pub struct Answered {
    erasure_id: Uuid,
    round: i64,
    service: String,
    obstacles: Vec<String>,
}

impl Store {
    /// Proposes to forget a citizen; once proposed, it stays the same proposal whoever asks again.
    pub async fn propose_erasure(
        &self,
        outbox: &Outbox,
        act: Act<'_>,
        citizen_id: Uuid,
        fresh: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Outcome, Error> {
        let mut tx = self.database.begin().await?;
        let key = Key { subject: act.subject, operation: "proposeErasure", key: act.key };
        match idempotency::begin(&mut tx, &key, &citizen_id, now).await? {
            Begin::Conflict => return Ok(Outcome::Conflict),
            Begin::Replay(id) => return found(&mut tx, id).await,
            Begin::First => {}
        }
        if !hold(&mut tx, citizen_id).await? {
            return Ok(Outcome::NotFound);
        }
        let inserted = tx
            .execute(
                "insert into erasure (id, citizen_id, status, round, proposed_by, proposed_at)
                 values ($1, $2, $3, 0, $4, $5) on conflict (citizen_id) do nothing",
                args![fresh, citizen_id, Status::Proposed.word(), act.officer_id, now],
            )
            .await?;
        let row = tx.row("select id from erasure where citizen_id = $1", args![citizen_id]).await?;
        let id: Uuid = row.ok_or(Error::Content("erasure"))?.get("id")?;
        if inserted == 1 {
            ask(&mut tx, outbox, id, citizen_id, 1).await?;
        }
        idempotency::complete(&mut tx, &key, json!(id)).await?;
        let erasure = locked(&mut tx, id).await?.ok_or(Error::Content("erasure"))?;
        tx.commit().await?;
        tracing::info!(erasure = %id, officer = %act.officer_id, "an erasure is proposed");
        Ok(Outcome::Erasure(Box::new(erasure)))
    }

    /// The second officer's word: ends the person's sessions, closes their logins and asks the services
    /// a last time. What stands in the way is asked for anew, so that it may be tried again.
    pub async fn confirm_erasure(
        &self,
        outbox: &Outbox,
        act: Act<'_>,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Outcome, Error> {
        let mut tx = self.database.begin().await?;
        let key = Key { subject: act.subject, operation: "confirmErasure", key: act.key };
        match idempotency::begin(&mut tx, &key, &id, now).await? {
            Begin::Conflict => return Ok(Outcome::Conflict),
            Begin::Replay(id) => return found(&mut tx, id).await,
            Begin::First => {}
        }
        let Some(erasure) = locked(&mut tx, id).await? else { return Ok(Outcome::NotFound) };
        if let Err(reason) = erasure.confirmed_by(act.officer_id) {
            // The key goes with this transaction: the same call may succeed later.
            tx.rollback().await?;
            if reason == NotNow::Obstructed {
                self.ask_again(outbox, id).await?;
            }
            return Ok(Outcome::NotNow(reason, Box::new(erasure)));
        }
        tx.execute(
            "update erasure set status = $2, confirmed_by = $3, confirmed_at = $4 where id = $1",
            args![id, Status::Confirmed.word(), act.officer_id, now],
        )
        .await?;
        end_logins(&mut tx, erasure.citizen_id, now).await?;
        ask(&mut tx, outbox, id, erasure.citizen_id, erasure.round + 1).await?;
        idempotency::complete(&mut tx, &key, json!(id)).await?;
        let erasure = locked(&mut tx, id).await?.ok_or(Error::Content("erasure"))?;
        tx.commit().await?;
        tracing::info!(erasure = %id, officer = %act.officer_id, "an erasure is confirmed");
        Ok(Outcome::Erasure(Box::new(erasure)))
    }

    /// Takes in what a service answered. When all have, a confirmed erasure is done, or falls back to
    /// a proposal when something came in its way; tells whether it was done now, or, to who asks again
    /// because they were cut off, by then.
    pub async fn hear_of_obstacles(
        &self,
        outbox: &Outbox,
        message_id: Uuid,
        answered: &Answered,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let mut tx = self.database.begin().await?;
        let first_time = outbox::first_time(&mut tx, CONSUMER, message_id, now).await?;
        // Locked before the answer is written, which holds on to its row: two services answer at once.
        let Some(mut erasure) = locked(&mut tx, answered.erasure_id).await? else { return Ok(false) };
        if !first_time {
            return Ok(erasure.status == Status::Erased);
        }
        tx.execute(
            "insert into erasure_answer (erasure_id, round, service, obstacles, answered_at)
             values ($1, $2, $3, $4, $5) on conflict (erasure_id, round, service) do nothing",
            args![answered.erasure_id, answered.round, &answered.service, json!(answered.obstacles), now],
        )
        .await?;
        erasure.answers = answers(&mut tx, &erasure).await?;
        let mut done = false;
        if erasure.status == Status::Confirmed && erasure.is_answered() {
            if erasure.obstacles().is_empty() {
                self.erase(&mut tx, outbox, &erasure, now).await?;
                done = true;
            } else {
                tx.execute(
                    "update erasure set status = $2, confirmed_by = null, confirmed_at = null where id = $1",
                    args![erasure.id, Status::Proposed.word()],
                )
                .await?;
            }
        }
        tx.commit().await?;
        Ok(done)
    }

    /// Erasures, newest first, beyond the id a page ended with.
    pub async fn erasures(&self, beyond: Option<Uuid>, limit: i64) -> Result<Vec<Erasure>, Error> {
        let sql = "select * from erasure where id < $1 order by id desc limit $2";
        let rows = self.database.rows(sql, args![beyond.unwrap_or(Uuid::max()), limit]).await?;
        let mut erasures = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut erasure = read(row)?;
            erasure.answers = answers(&mut self.database.clone(), &erasure).await?;
            erasures.push(erasure);
        }
        Ok(erasures)
    }

    async fn ask_again(&self, outbox: &Outbox, id: Uuid) -> Result<(), Error> {
        let mut tx = self.database.begin().await?;
        let found = locked(&mut tx, id).await?;
        if let Some(erasure) = found.filter(|erasure| erasure.status == Status::Proposed) {
            ask(&mut tx, outbox, id, erasure.citizen_id, erasure.round + 1).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The act: the key is shredded, no login leads to the person any more, every service is told.
    async fn erase(
        &self,
        tx: &mut Tx,
        outbox: &Outbox,
        erasure: &Erasure,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let citizen = erasure.citizen_id;
        end_logins(tx, citizen, now).await?;
        self.sealer.shred(tx, citizen, now).await?;
        tx.execute("delete from account where citizen_id = $1", args![citizen]).await?;
        tx.execute("update citizen set pid_index = null where id = $1", args![citizen]).await?;
        let mandates = "update mandate set revoked_at = $2 where citizen_id = $1 and revoked_at is null";
        tx.execute(mandates, args![citizen, now]).await?;
        let sql = "update erasure set status = $2, erased_at = $3 where id = $1";
        tx.execute(sql, args![erasure.id, Status::Erased.word(), now]).await?;
        let told = json!({ "citizen_id": citizen, "erasure_id": erasure.id });
        outbox.publish(tx, Message::new(ERASED, told)).await?;
        tracing::info!(erasure = %erasure.id, "a person is erased");
        Ok(())
    }
}

/// Whether a citizen is being forgotten, so that no login may begin. Who asks holds the citizen until the
/// transaction ends: a decision meanwhile waits, and sees what this one wrote.
pub(super) async fn is_closing(tx: &mut Tx, citizen: Uuid) -> Result<bool, Error> {
    hold(tx, citizen).await?;
    let sql = "select 1 as one from erasure where citizen_id = $1 and status <> 'PROPOSED'";
    Ok(tx.row(sql, args![citizen]).await?.is_some())
}

async fn ask(tx: &mut Tx, outbox: &Outbox, id: Uuid, citizen_id: Uuid, round: i64) -> Result<(), Error> {
    tx.execute("update erasure set round = $2 where id = $1", args![id, round]).await?;
    let asked = json!({ "erasure_id": id, "citizen_id": citizen_id, "round": round });
    outbox.publish(tx, Message::new(ASKED, asked)).await?;
    Ok(())
}

/// Locks a citizen's row; before any other that is theirs, so that nobody waits for each other.
async fn hold(tx: &mut Tx, citizen: Uuid) -> Result<bool, Error> {
    let sql = format!("select id from citizen where id = $1{}", tx.engine().for_update());
    Ok(tx.row(&sql, args![citizen]).await?.is_some())
}

/// Ends the sessions of a citizen, and for good those that a step-up replaced: their access tokens may
/// still be alive. A code that is still under way makes none.
async fn end_logins(tx: &mut Tx, citizen: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
    tx.execute(
        "update session set ended_at = $2, end_reason = 'erased'
         where citizen_id = $1 and (ended_at is null or end_reason = $3)",
        args![citizen, now, STEPPED_UP],
    )
    .await?;
    let sql = "delete from refresh_token where session_id in (select id from session where citizen_id = $1)";
    tx.execute(sql, args![citizen]).await?;
    Ok(())
}

async fn found(tx: &mut Tx, id: Value) -> Result<Outcome, Error> {
    let id: Uuid = serde_json::from_value(id)?;
    Ok(locked(tx, id).await?.map_or(Outcome::NotFound, |erasure| Outcome::Erasure(Box::new(erasure))))
}

async fn locked(tx: &mut Tx, id: Uuid) -> Result<Option<Erasure>, Error> {
    let row = tx.row("select citizen_id from erasure where id = $1", args![id]).await?;
    let Some(row) = row else { return Ok(None) };
    hold(tx, row.get("citizen_id")?).await?;
    let sql = format!("select * from erasure where id = $1{}", tx.engine().for_update());
    let Some(row) = tx.row(&sql, args![id]).await? else { return Ok(None) };
    let mut erasure = read(&row)?;
    erasure.answers = answers(tx, &erasure).await?;
    Ok(Some(erasure))
}

async fn answers(database: &mut impl Queryable, of: &Erasure) -> Result<Vec<Answer>, Error> {
    let sql = "select service, obstacles from erasure_answer where erasure_id = $1 and round = $2";
    let rows = database.rows(sql, args![of.id, of.round]).await?;
    let read = |row: &Row| {
        let words: Vec<String> = serde_json::from_value(row.get("obstacles")?)?;
        let obstacles = words.iter().map(|word| Obstacle::from_word(word).ok_or(Error::Content("obstacles")));
        Ok(Answer { service: row.get("service")?, obstacles: obstacles.collect::<Result<_, _>>()? })
    };
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Erasure, Error> {
    let status: String = row.get("status")?;
    Ok(Erasure {
        id: row.get("id")?,
        citizen_id: row.get("citizen_id")?,
        status: Status::from_word(&status).ok_or(Error::Content("status"))?,
        round: row.get("round")?,
        proposed_by: row.get("proposed_by")?,
        proposed_at: row.get("proposed_at")?,
        confirmed_at: row.get("confirmed_at")?,
        erased_at: row.get("erased_at")?,
        answers: Vec::new(),
    })
}
