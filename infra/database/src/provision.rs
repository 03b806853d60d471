//! One PostgreSQL role per service, which reaches that service's schema and nothing else.
//!
//! One role owns all schemas and changes definitions (`pratu migrate`); each service's own role reads and
//! writes rows and may not do more: it cannot drop a table, switch a trigger off, or see another service.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use crate::Error;
use crate::address::{hosts, quoted};
use crate::postgres::primary_of;
use crate::target::Server;

/// PostgreSQL's own default for the rounds of SCRAM-SHA-256.
const SCRAM_ROUNDS: u32 = 4_096;
const SALT_BYTES: usize = 16;

/// What was set up: which role for which schema.
#[derive(Debug)]
pub struct Provisioned {
    pub owner: String,
    /// Schema and role.
    pub services: Vec<(String, String)>,
}

/// Makes roles, schemas and grants as the addresses of `server` name them; safe to do again, and to do over
/// an installation that had one role for all. `admin_url` is that of a superuser, or of one who may make roles.
pub async fn provision(server: &Server, admin_url: &str, services: &[&str]) -> Result<Provisioned, Error> {
    let admin = primary_of(admin_url, &server.settings).await?;
    let owner = Role::of(&server.url)?;
    // Where the services are, whatever database the administrator's own address names.
    let admin = admin.database(&owner.database).application_name("pratu provision");
    let mut connection = admin.connect().await?;
    let mut done = Provisioned { owner: owner.name.clone(), services: Vec::new() };
    let mut tx = connection.begin().await?;
    // Two administrators at once would both find a role missing.
    tx.execute("select pg_advisory_xact_lock(hashtext('pratu provision'))").await?;
    owner.make(&mut tx).await?;
    // Whoever gives things to a role has to be able to act as it.
    let is_owner = sqlx::query_scalar::<_, bool>("select current_user = $1").bind(&owner.name);
    if !is_owner.fetch_one(&mut *tx).await? {
        say(&mut tx, format!("grant {} to current_user", owner.quoted())).await?;
    }
    let database = quoted(&owner.database);
    say(&mut tx, format!("revoke all on database {database} from public")).await?;
    say(&mut tx, format!("grant connect, create, temporary on database {database} to {}", owner.quoted()))
        .await?;
    for service in services {
        let role = match server.urls.get(*service) {
            Some(url) => Role::of(url)?,
            None => continue,
        };
        if role.name != owner.name {
            role.make(&mut tx).await?;
            give(&mut tx, service, &role, &owner).await?;
            done.services.push(((*service).to_owned(), role.name));
        }
    }
    tx.commit().await?;
    connection.close().await?;
    Ok(done)
}

/// Who logs in with an address.
struct Role {
    name: String,
    password: Option<String>,
    database: String,
}

impl Role {
    fn of(url: &str) -> Result<Self, Error> {
        let options: PgConnectOptions = hosts(url)?.into_iter().next().ok_or(Error::Address)?;
        let database = options.get_database().unwrap_or(options.get_username()).to_owned();
        Ok(Self { name: options.get_username().to_owned(), password: password(url), database })
    }

    fn quoted(&self) -> String {
        quoted(&self.name)
    }

    async fn make(&self, tx: &mut PgConnection) -> Result<(), Error> {
        let there = sqlx::query_scalar::<_, i32>("select 1 from pg_roles where rolname = $1");
        let name = self.quoted();
        if there.bind(&self.name).fetch_optional(&mut *tx).await?.is_none() {
            let sql = format!("create role {name} login nosuperuser nocreatedb nocreaterole noreplication");
            tx.execute(AssertSqlSafe(sql)).await?;
        }
        if let Some(password) = &self.password {
            // The server gets and logs what it keeps, never the password.
            let sql = format!("alter role {name} login password '{}'", scram(password, &rand::random()));
            tx.execute(AssertSqlSafe(sql)).await?;
        }
        Ok(())
    }
}

/// The schema of `service`, owned by `owner`, for `role` to read and write.
async fn give(tx: &mut PgConnection, service: &str, role: &Role, owner: &Role) -> Result<(), Error> {
    let (schema, role, owner_name) = (quoted(service), role.quoted(), owner.quoted());
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let as_owner = format!("for role {owner_name} in schema {schema}");
    let statements = [
        format!("create schema if not exists {schema} authorization {owner_name}"),
        format!("alter schema {schema} owner to {owner_name}"),
        hand_over(&literal(service), &literal(&owner.name)),
        format!("revoke all on schema {schema} from public"),
        format!("grant connect on database {} to {role}", quoted(&owner.database)),
        format!("grant usage on schema {schema} to {role}"),
        format!("grant select, insert, update, delete on all tables in schema {schema} to {role}"),
        format!("grant usage, select on all sequences in schema {schema} to {role}"),
        format!(
            "alter default privileges {as_owner} grant select, insert, update, delete on tables to {role}"
        ),
        format!("alter default privileges {as_owner} grant usage, select on sequences to {role}"),
        format!("alter role {role} set search_path = {schema}"),
    ];
    for sql in statements {
        say(tx, sql).await?;
    }
    Ok(())
}

/// Tables and functions that another role made, before there was this one.
fn hand_over(schema: &str, owner: &str) -> String {
    format!(
        "do $$ declare thing record; begin
            for thing in select format('%I.%I', schemaname, tablename) as name from pg_tables
                where schemaname = {schema} and tableowner <> {owner} loop
                execute format('alter table %s owner to %I', thing.name, {owner});
            end loop;
            for thing in select oid::regprocedure as name from pg_proc
                where pronamespace = to_regnamespace(quote_ident({schema}))
                and proowner <> (select oid from pg_roles where rolname = {owner}) loop
                execute format('alter routine %s owner to %I', thing.name, {owner});
            end loop;
        end $$"
    )
}

async fn say(tx: &mut PgConnection, sql: String) -> Result<(), Error> {
    tx.execute(AssertSqlSafe(sql)).await?;
    Ok(())
}

/// The password in an address, as it is typed.
fn password(url: &str) -> Option<String> {
    let authority = url.split_once("://")?.1.split(['/', '?']).next()?;
    let (_, password) = authority.rsplit_once('@')?.0.split_once(':')?;
    let bytes = password.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| password.get(at + 1..at + 3)).flatten();
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).ok()
}

/// What PostgreSQL keeps of a password (RFC 5803): with it a login can be checked, and not made.
fn scram(password: &str, salt: &[u8; SALT_BYTES]) -> String {
    let mut block = mac(password.as_bytes(), &[&salt[..], &1_u32.to_be_bytes()].concat());
    let mut salted = block;
    for _ in 1..SCRAM_ROUNDS {
        block = mac(password.as_bytes(), &block);
        salted.iter_mut().zip(block).for_each(|(sum, byte)| *sum ^= byte);
    }
    let stored_key = Sha256::digest(mac(&salted, b"Client Key"));
    let server_key = mac(&salted, b"Server Key");
    format!(
        "SCRAM-SHA-256${SCRAM_ROUNDS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(server_key)
    )
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_read_out_of_an_address() {
        assert_eq!(password("postgres://pay:a%2C%40b@db1,db2/pratu").as_deref(), Some("a,@b"));
        assert_eq!(password("postgres://pay@db1/pratu"), None);
    }

    #[test]
    fn what_the_server_keeps_is_what_the_standard_says() {
        // RFC 7677's example: user, "pencil", this salt.
        let salt: [u8; SALT_BYTES] = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let kept = scram("pencil", &salt);
        assert_eq!(
            kept,
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }
}
