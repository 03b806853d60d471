//! Forgets what is long over, a bounded part at a time.

use chrono::{DateTime, Duration, Utc};
use database::args;

use super::{Error, Store};

/// A login that was begun and a code that was issued are kept this long after their end: a code that is
/// used again still ends what came from it.
const LOGIN_DAYS: i64 = 1;
/// A session and its refresh tokens are kept this long after their end, for people who look into what
/// happened.
const SESSION_DAYS: i64 = 30;
/// Rows of one kind that one call forgets at most.
const ROWS_MAX: i64 = 1_000;

impl Store {
    /// Forgets old logins, codes, sessions with their tokens, and keys, whose public part checks the ID
    /// tokens of logouts for `key_hints` after they retire. Tells whether there may be more to forget.
    pub async fn forget_old(&self, key_hints: Duration, now: DateTime<Utc>) -> Result<bool, Error> {
        let logins = now - Duration::days(LOGIN_DAYS);
        let mut most = 0;
        for sql in [
            "delete from login_flow where id in
                 (select id from login_flow where expires_at < $1 order by expires_at limit $2)",
            "delete from authorization_code where code_hash in
                 (select code_hash from authorization_code where expires_at < $1 order by expires_at limit $2)",
        ] {
            most = most.max(self.database.execute(sql, args![logins, ROWS_MAX]).await?);
        }
        let sessions = now - Duration::days(SESSION_DAYS);
        for end in ["expires_at", "ended_at"] {
            most = most.max(self.forget_sessions(end, sessions).await?);
        }
        let keys = "delete from signing_key where retires_at < $1";
        self.database.execute(keys, args![now - key_hints]).await?;
        Ok(i64::try_from(most).is_ok_and(|most| most >= ROWS_MAX))
    }

    /// Forgets sessions whose column `end` shows an instant before `before`, oldest first.
    async fn forget_sessions(&self, end: &'static str, before: DateTime<Utc>) -> Result<u64, Error> {
        let mut tx = self.database.begin().await?;
        // An instant, not a list of ids: the three statements below then mean the same rows.
        let oldest = format!(
            "select max({end}) as upto from
                 (select {end} from session where {end} < $1 order by {end} limit $2) as oldest"
        );
        let Some(row) = tx.row(&oldest, args![before, ROWS_MAX]).await? else { return Ok(0) };
        let Some(upto) = row.get::<Option<DateTime<Utc>>>("upto")? else { return Ok(0) };
        let of_sessions = format!("session_id in (select id from session where {end} <= $1)");
        for table in ["refresh_token", "authorization_code"] {
            tx.execute(&format!("delete from {table} where {of_sessions}"), args![upto]).await?;
        }
        let forgotten = tx.execute(&format!("delete from session where {end} <= $1"), args![upto]).await?;
        tx.commit().await?;
        Ok(forgotten)
    }
}
