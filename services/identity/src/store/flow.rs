//! Logins on their way: begun in one browser, sent to a provider, come back once.

use chrono::{DateTime, Utc};
use database::{Row, Tx, args};
use uuid::Uuid;

use super::{Error, Store};
use crate::model::login::{Login, LoginFlow, NUMBER_TRIES_MAX};
use crate::model::secret::same;

const COLUMNS: &str =
    "id, request, browser_hash, nonce, code_verifier, created_at, expires_at, outcome, finished_at";

/// What entering the number from the other browser's page came to.
#[derive(Debug)]
pub enum NumberTry {
    Right(Box<LoginFlow>),
    Wrong,
    /// Too many wrong ones, or nothing to collect.
    Void,
}

impl Store {
    /// Keeps a flow that begins.
    pub async fn insert_flow(&self, flow: &LoginFlow) -> Result<(), Error> {
        let sql = "insert into login_flow (id, client_id, request, browser_hash, created_at, expires_at)
                   values ($1, $2, $3, $4, $5, $6)";
        let request = serde_json::to_value(&flow.request)?;
        let row = args![
            flow.id,
            &flow.request.client_id,
            request,
            &flow.browser_hash,
            flow.created_at,
            flow.expires_at,
        ];
        self.database.execute(sql, row).await?;
        Ok(())
    }

    pub async fn flow(&self, id: Uuid) -> Result<Option<LoginFlow>, Error> {
        let sql = format!("select {COLUMNS} from login_flow where id = $1");
        self.database.row(&sql, args![id]).await?.map(read).transpose()
    }

    /// The newest login this browser began that came back somewhere else and waits to be collected.
    pub async fn waiting_flow(
        &self,
        browser_hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<LoginFlow>, Error> {
        let sql = format!(
            "select {COLUMNS} from login_flow where browser_hash = $1 and expires_at > $2
             and finished_at is null and number_hash is not null order by created_at desc limit 1"
        );
        self.database.row(&sql, args![browser_hash, now]).await?.map(read).transpose()
    }

    /// Notes what was sent to a provider. A person may go back and choose another until one answers.
    pub async fn start_flow(
        &self,
        id: Uuid,
        provider: &str,
        state_hash: &[u8],
        nonce: &str,
        code_verifier: &str,
    ) -> Result<bool, Error> {
        let started = self
            .database
            .execute(
                "update login_flow set provider = $2, state_hash = $3, nonce = $4, code_verifier = $5
                 where id = $1 and returned_at is null",
                args![id, provider, state_hash, nonce, code_verifier],
            )
            .await?;
        Ok(started == 1)
    }

    /// Takes the flow of a provider's answer; the second answer with the same state finds nothing.
    pub async fn take_flow(
        &self,
        provider: &str,
        state_hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<LoginFlow>, Error> {
        let mut tx = self.database.begin().await?;
        let sql = format!(
            "select {COLUMNS} from login_flow where state_hash = $1 and provider = $2 and expires_at > $3
             and returned_at is null{}",
            tx.engine().for_update()
        );
        let Some(flow) = tx.row(&sql, args![state_hash, provider, now]).await?.map(read).transpose()? else {
            return Ok(None);
        };
        tx.execute(
            "update login_flow set returned_at = $2, nonce = null, code_verifier = null where id = $1",
            args![flow.id, now],
        )
        .await?;
        tx.commit().await?;
        Ok(Some(flow))
    }

    /// Keeps a login that came back in another browser, to be collected with the number shown there.
    pub async fn park_flow(&self, id: Uuid, outcome: &Login, number_hash: &[u8]) -> Result<(), Error> {
        self.database
            .execute(
                "update login_flow set outcome = $2, number_hash = $3 where id = $1 and finished_at is null",
                args![id, serde_json::to_value(outcome)?, number_hash],
            )
            .await?;
        Ok(())
    }

    /// Collects a parked login, once, with the right number.
    pub async fn collect_flow(
        &self,
        id: Uuid,
        number_hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<NumberTry, Error> {
        let mut tx = self.database.begin().await?;
        let sql = format!(
            "select {COLUMNS}, number_hash, number_tries from login_flow where id = $1 and expires_at > $2
             and finished_at is null and number_hash is not null{}",
            tx.engine().for_update()
        );
        let Some(row) = tx.row(&sql, args![id, now]).await? else { return Ok(NumberTry::Void) };
        let tries = row.get::<i64>("number_tries")? + 1;
        let right = same(&row.get::<Vec<u8>>("number_hash")?, number_hash);
        let void = !right && tries >= NUMBER_TRIES_MAX;
        tx.execute(
            "update login_flow set number_tries = $2, finished_at = $3 where id = $1",
            args![id, tries, (right || void).then_some(now)],
        )
        .await?;
        tx.commit().await?;
        match (right, void) {
            (true, _) => Ok(NumberTry::Right(Box::new(read(row)?))),
            (false, true) => Ok(NumberTry::Void),
            (false, false) => Ok(NumberTry::Wrong),
        }
    }
}

/// Ends a flow from which a code was issued.
pub(super) async fn finish(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
    let sql = "update login_flow set finished_at = $2 where id = $1 and finished_at is null";
    tx.execute(sql, args![id, now]).await?;
    Ok(())
}

fn read(row: Row) -> Result<LoginFlow, Error> {
    let outcome = row.get::<Option<serde_json::Value>>("outcome")?;
    Ok(LoginFlow {
        id: row.get("id")?,
        request: serde_json::from_value(row.get("request")?)?,
        browser_hash: row.get("browser_hash")?,
        nonce: row.get("nonce")?,
        code_verifier: row.get("code_verifier")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        outcome: outcome.map(serde_json::from_value).transpose()?,
        finished_at: row.get("finished_at")?,
    })
}
