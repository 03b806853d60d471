//! Codes, sessions and refresh tokens: only hashes of what was handed out.

use chrono::{DateTime, Duration, Utc};
use database::{Row, Tx, args};
use idempotency::{Begin, Key};
use uuid::Uuid;

use super::{Error, Store, erasure, flow, word};
use crate::model::login::{AuthorizedLogin, CODE_S_MAX, Login, Person, Session};
use crate::model::pkce;
use crate::model::refresh::{Presented, RefreshState, RefreshToken};

const SESSION_COLUMNS: &str = "id, client_id, citizen_id, officer_id, provider, ial, aal, methods, scope, \
                               authenticated_at, expires_at, ended_at";

/// Why a session ended that a step-up replaced: calls under way may finish.
pub(super) const STEPPED_UP: &str = "stepped_up";
/// How long a used refresh token is remembered, so that its reuse ends the session.
const USED_TOKEN_DAYS: i64 = 7;
/// Sessions that ended lately, in one part.
const ENDED_MAX: i64 = 1_000;

/// A code as a client brings it.
#[derive(Debug)]
pub struct Redemption<'a> {
    pub code_hash: &'a [u8],
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub code_verifier: &'a str,
    pub session_id: Uuid,
    pub session_hours_max: i64,
    /// The session's first refresh token,
    pub refresh_hash: &'a [u8],
    /// and the thumbprint of the DPoP key that the client proved to hold.
    pub key_thumbprint: Option<&'a str>,
}

/// What became of a token request.
#[derive(Debug)]
pub enum Redeemed {
    /// A session, the nonce for its ID token, and the session a step-up replaced.
    Session { session: Session, nonce: Option<String> },
    /// Used before: what came from it has ended.
    Reused { ended: Option<Uuid> },
    /// Unknown, expired, another client's, another address, the wrong verifier or key, or of somebody
    /// who is being forgotten.
    Refused,
}

/// What became of ending a session under an idempotency key.
#[derive(Debug)]
pub enum SessionEnd {
    Ended {
        at: DateTime<Utc>,
    },
    /// The key stands for something else.
    Conflict,
}

impl Store {
    /// Ends a flow with a code for its client.
    pub async fn insert_code(
        &self,
        flow_id: Uuid,
        code_hash: &[u8],
        request: &crate::model::request::AuthorizationRequest,
        login: &Login,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let login = AuthorizedLogin {
            login: login.clone(),
            scopes: request.scopes.clone(),
            nonce: request.nonce.clone(),
            step_up_of: request.step_up_of,
            dpop_jkt: request.dpop_jkt.clone(),
        };
        let mut tx = self.database.begin().await?;
        flow::finish(&mut tx, flow_id, now).await?;
        tx.execute(
            "insert into authorization_code
                 (code_hash, client_id, redirect_uri, code_challenge, login, issued_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
            args![
                code_hash,
                &request.client_id,
                &request.redirect_uri,
                &request.code_challenge,
                serde_json::to_value(&login)?,
                now,
                now + Duration::seconds(CODE_S_MAX),
            ],
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Makes a code a session, once. A second try ends the session the first one made.
    pub async fn redeem_code(&self, asked: &Redemption<'_>, now: DateTime<Utc>) -> Result<Redeemed, Error> {
        let mut tx = self.database.begin().await?;
        let sql = format!(
            "select client_id, redirect_uri, code_challenge, login, expires_at, used_at, session_id
             from authorization_code where code_hash = $1{}",
            tx.engine().for_update()
        );
        let Some(row) = tx.row(&sql, args![asked.code_hash]).await? else { return Ok(Redeemed::Refused) };
        if row.get::<Option<DateTime<Utc>>>("used_at")?.is_some() {
            let ended = row.get::<Option<Uuid>>("session_id")?;
            if let Some(session) = ended {
                end(&mut tx, session, "code_reused", now).await?;
            }
            tx.commit().await?;
            return Ok(Redeemed::Reused { ended });
        }
        let authorized: AuthorizedLogin = serde_json::from_value(row.get("login")?)?;
        let fits = row.get::<String>("client_id")? == asked.client_id
            && row.get::<String>("redirect_uri")? == asked.redirect_uri
            && now < row.get::<DateTime<Utc>>("expires_at")?
            && pkce::verifies(asked.code_verifier, &row.get::<String>("code_challenge")?)
            && (authorized.dpop_jkt.is_none() || authorized.dpop_jkt.as_deref() == asked.key_thumbprint);
        if !fits {
            return Ok(Redeemed::Refused);
        }
        if let Person::Citizen(citizen) = authorized.login.person
            && erasure::is_closing(&mut tx, citizen).await?
        {
            return Ok(Redeemed::Refused);
        }
        let session = Session {
            id: asked.session_id,
            client_id: asked.client_id.to_owned(),
            login: authorized.login,
            scopes: authorized.scopes,
            expires_at: now + Duration::hours(asked.session_hours_max),
            ended_at: None,
        };
        insert_session(&mut tx, &session, now).await?;
        insert_refresh_token(&mut tx, asked.refresh_hash, session.id, asked.key_thumbprint, now).await?;
        tx.execute(
            "update authorization_code set used_at = $2, session_id = $3 where code_hash = $1",
            args![asked.code_hash, now, session.id],
        )
        .await?;
        if let Some(replaced) = authorized.step_up_of {
            end(&mut tx, replaced, STEPPED_UP, now).await?;
        }
        tx.commit().await?;
        Ok(Redeemed::Session { session, nonce: authorized.nonce })
    }

    pub async fn session(&self, id: Uuid) -> Result<Option<Session>, Error> {
        let sql = format!("select {SESSION_COLUMNS} from session where id = $1");
        self.database.row(&sql, args![id]).await?.map(|row| read_session(&row)).transpose()
    }

    /// The session of a refresh token, whatever state the token is in.
    pub async fn session_of_refresh_token(&self, token_hash: &[u8]) -> Result<Option<Session>, Error> {
        let sql = format!(
            "select {SESSION_COLUMNS} from session
             where id = (select session_id from refresh_token where token_hash = $1)"
        );
        self.database.row(&sql, args![token_hash]).await?.map(|row| read_session(&row)).transpose()
    }

    /// Presents a refresh token of a client, with the thumbprint of the DPoP key it proved to hold, and,
    /// where the rules say so, puts `successor` in its place or ends the session. `None` when the client
    /// has no such token.
    pub async fn present_refresh_token(
        &self,
        token_hash: &[u8],
        client_id: &str,
        key_thumbprint: Option<&str>,
        successor_hash: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<Presented>, Error> {
        let mut tx = self.database.begin().await?;
        let sql = format!(
            "select {SESSION_COLUMNS}, key_thumbprint, rotated_at from session
             join refresh_token on refresh_token.session_id = session.id
             where token_hash = $1 and client_id = $2{}",
            tx.engine().for_update()
        );
        let Some(row) = tx.row(&sql, args![token_hash, client_id]).await? else { return Ok(None) };
        let session = read_session(&row)?;
        let rotated_at = row.get::<Option<DateTime<Utc>>>("rotated_at")?;
        let token = RefreshToken {
            state: rotated_at.map_or(RefreshState::Active, |at| RefreshState::Rotated { at }),
            key_thumbprint: row.get("key_thumbprint")?,
            session_expires_at: session.expires_at,
            session_ended: session.ended_at.is_some(),
        };
        let presented = token.presented(key_thumbprint, now);
        match presented {
            Presented::Rotate | Presented::Repeat => {
                // The whole family but the successor is used from here on.
                tx.execute(
                    "update refresh_token set rotated_at = $2, key_thumbprint = coalesce(key_thumbprint, $3)
                     where session_id = $1 and rotated_at is null",
                    args![session.id, now, key_thumbprint],
                )
                .await?;
                // Long used ones are of no use to anybody; without this a session leaves thousands.
                tx.execute(
                    "delete from refresh_token where session_id = $1 and rotated_at < $2",
                    args![session.id, now - Duration::days(USED_TOKEN_DAYS)],
                )
                .await?;
                insert_refresh_token(&mut tx, successor_hash, session.id, key_thumbprint, now).await?;
            }
            Presented::RevokeFamily => end(&mut tx, session.id, "refresh_token_reused", now).await?,
            Presented::Refuse => {}
        }
        tx.commit().await?;
        Ok(Some(presented))
    }

    /// Sessions that ended after this instant and id and whose access tokens must not be taken any more:
    /// the next part, oldest first, with when each ended; empty after the last. A session that a step-up
    /// replaced is none of them: calls under way may finish.
    pub async fn sessions_ended_since(
        &self,
        (since, beyond): (DateTime<Utc>, Uuid),
    ) -> Result<Vec<(DateTime<Utc>, Uuid)>, Error> {
        let sql = "select ended_at, id from session where (ended_at, id) > ($1, $2) and end_reason <> $3
                   order by ended_at, id limit $4";
        let rows = self.database.rows(sql, args![since, beyond, STEPPED_UP, ENDED_MAX]).await?;
        rows.iter().map(|row| Ok((row.get("ended_at")?, row.get("id")?))).collect()
    }

    /// Ends a session; ending it again changes nothing.
    pub async fn end_session(&self, id: Uuid, reason: &str, now: DateTime<Utc>) -> Result<(), Error> {
        let mut tx = self.database.begin().await?;
        end(&mut tx, id, reason, now).await?;
        Ok(tx.commit().await?)
    }

    /// Ends a session once per key; the same key answers the same again.
    pub async fn end_session_once(
        &self,
        id: Uuid,
        subject: &str,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<SessionEnd, Error> {
        let key = Key { subject, operation: "endSession", key };
        let mut tx = self.database.begin().await?;
        let begun = idempotency::begin(&mut tx, &key, &id, now).await?;
        let at = match begun {
            Begin::Conflict => return Ok(SessionEnd::Conflict),
            Begin::Replay(ended_at) => serde_json::from_value(ended_at)?,
            Begin::First => {
                end(&mut tx, id, "ended_by_person", now).await?;
                idempotency::complete(&mut tx, &key, serde_json::to_value(now)?).await?;
                now
            }
        };
        tx.commit().await?;
        Ok(SessionEnd::Ended { at })
    }
}

/// Ends a session inside a transaction: its refresh tokens are of no use from here on. One that a
/// step-up replaced can still be ended for good, and its access tokens with it.
async fn end(tx: &mut Tx, id: Uuid, reason: &str, now: DateTime<Utc>) -> Result<(), Error> {
    tx.execute(
        "update session set ended_at = $2, end_reason = $3
         where id = $1 and (ended_at is null or end_reason = $4)",
        args![id, now, reason, STEPPED_UP],
    )
    .await?;
    Ok(())
}

async fn insert_refresh_token(
    tx: &mut Tx,
    token_hash: &[u8],
    session: Uuid,
    key_thumbprint: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    tx.execute(
        "insert into refresh_token (token_hash, session_id, key_thumbprint, issued_at) values ($1, $2, $3, $4)",
        args![token_hash, session, key_thumbprint, now],
    )
    .await?;
    Ok(())
}

async fn insert_session(tx: &mut Tx, session: &Session, now: DateTime<Utc>) -> Result<(), Error> {
    let (citizen, officer) = match session.login.person {
        Person::Citizen(id) => (Some(id), None),
        Person::Officer(id) => (None, Some(id)),
    };
    let scope = session.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    tx.execute(
        "insert into session (id, client_id, citizen_id, officer_id, provider, ial, aal, methods, scope,
             authenticated_at, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        args![
            session.id,
            &session.client_id,
            citizen,
            officer,
            &session.login.provider,
            session.login.level.ial.to_string(),
            session.login.level.aal.to_string(),
            serde_json::to_value(&session.login.methods)?,
            scope,
            session.login.authenticated_at,
            now,
            session.expires_at,
        ],
    )
    .await?;
    Ok(())
}

fn read_session(row: &Row) -> Result<Session, Error> {
    let person = match (row.get::<Option<Uuid>>("citizen_id")?, row.get::<Option<Uuid>>("officer_id")?) {
        (Some(id), None) => Person::Citizen(id),
        (None, Some(id)) => Person::Officer(id),
        _ => return Err(Error::Content("session")),
    };
    Ok(Session {
        id: row.get("id")?,
        client_id: row.get("client_id")?,
        login: Login {
            person,
            provider: row.get("provider")?,
            level: auth::Level { ial: word(row, "ial")?, aal: word(row, "aal")? },
            methods: serde_json::from_value(row.get("methods")?)?,
            authenticated_at: row.get("authenticated_at")?,
        },
        scopes: row.get::<String>("scope")?.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect(),
        expires_at: row.get("expires_at")?,
        ended_at: row.get("ended_at")?,
    })
}
