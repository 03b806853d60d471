//! Signing keys, authorization codes and access tokens; secrets are stored as hashes.

use chrono::{DateTime, Utc};
use database::{Database, Error, Row, Tx, args};

/// An authorization code as stored.
#[derive(Clone, Debug)]
pub struct Code {
    pub provider: String,
    pub client_id: String,
    pub redirect_uri: String,
    pub persona: String,
    pub scope: String,
    pub nonce: String,
    pub code_challenge: String,
    pub auth_time: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
    /// The access token it was changed for.
    pub token_hash: Option<Vec<u8>>,
}

/// An access token as stored; `persona` is absent for a merchant's token at the bank.
#[derive(Clone, Debug)]
pub struct Token {
    pub audience: String,
    pub persona: Option<String>,
    pub scope: String,
    pub expires_at: DateTime<Utc>,
}

/// The provider's private key, kept once and for all: `pem` becomes it unless there is one.
pub async fn signing_key_or_insert(
    database: &Database,
    provider: &str,
    pem: &str,
    now: DateTime<Utc>,
) -> Result<String, Error> {
    let insert =
        "insert into signing_key (provider, pem, created_at) values ($1, $2, $3) on conflict do nothing";
    let mut tx = database.begin().await?;
    tx.execute(insert, args![provider, pem, now]).await?;
    let row = tx.row("select pem from signing_key where provider = $1", args![provider]).await?;
    tx.commit().await?;
    row.map(|row| row.get("pem")).unwrap_or_else(|| Ok(pem.to_owned()))
}

/// Stores a code and forgets those that ended before `forget_before`.
pub async fn insert_code(
    database: &Database,
    code_hash: &[u8],
    code: &Code,
    forget_before: DateTime<Utc>,
) -> Result<(), Error> {
    let mut tx = database.begin().await?;
    tx.execute("delete from authorization_code where expires_at < $1", args![forget_before]).await?;
    tx.execute("delete from access_token where expires_at < $1", args![forget_before]).await?;
    tx.execute(
        "insert into authorization_code (code_hash, provider, client_id, redirect_uri, persona, scope, nonce,
             code_challenge, auth_time, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![
            code_hash,
            &code.provider,
            &code.client_id,
            &code.redirect_uri,
            &code.persona,
            &code.scope,
            &code.nonce,
            &code.code_challenge,
            code.auth_time,
            code.expires_at,
        ],
    )
    .await?;
    tx.commit().await
}

/// The code, locked until the transaction ends.
pub async fn code(tx: &mut Tx, code_hash: &[u8]) -> Result<Option<Code>, Error> {
    let lock = tx.engine().for_update();
    let sql = format!("select * from authorization_code where code_hash = $1{lock}");
    let Some(row) = tx.row(&sql, args![code_hash]).await? else { return Ok(None) };
    Ok(Some(Code {
        provider: row.get("provider")?,
        client_id: row.get("client_id")?,
        redirect_uri: row.get("redirect_uri")?,
        persona: row.get("persona")?,
        scope: row.get("scope")?,
        nonce: row.get("nonce")?,
        code_challenge: row.get("code_challenge")?,
        auth_time: row.get("auth_time")?,
        expires_at: row.get("expires_at")?,
        used_at: row.get("used_at")?,
        token_hash: row.get("token_hash")?,
    }))
}

/// Uses the code up, for that token or for nothing.
pub async fn use_code(
    tx: &mut Tx,
    code_hash: &[u8],
    token_hash: Option<Vec<u8>>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let sql = "update authorization_code set used_at = $2, token_hash = $3 where code_hash = $1";
    tx.execute(sql, args![code_hash, now, token_hash]).await.map(|_| ())
}

pub async fn insert_token(tx: &mut Tx, token_hash: &[u8], token: &Token) -> Result<(), Error> {
    tx.execute(
        "insert into access_token (token_hash, audience, persona, scope, expires_at)
         values ($1, $2, $3, $4, $5)",
        args![token_hash, &token.audience, token.persona.as_deref(), &token.scope, token.expires_at],
    )
    .await
    .map(|_| ())
}

pub async fn delete_token(tx: &mut Tx, token_hash: &[u8]) -> Result<(), Error> {
    tx.execute("delete from access_token where token_hash = $1", args![token_hash]).await.map(|_| ())
}

/// The token, if it is for `audience` and still good.
pub async fn token(
    database: &Database,
    token_hash: &[u8],
    audience: &str,
    now: DateTime<Utc>,
) -> Result<Option<Token>, Error> {
    let sql = "select * from access_token where token_hash = $1 and audience = $2 and expires_at > $3";
    let row = database.row(sql, args![token_hash, audience, now]).await?;
    row.as_ref().map(read_token).transpose()
}

fn read_token(row: &Row) -> Result<Token, Error> {
    Ok(Token {
        audience: row.get("audience")?,
        persona: row.get("persona")?,
        scope: row.get("scope")?,
        expires_at: row.get("expires_at")?,
    })
}
