-- Who people are, what they may act for, and the logins, sessions and keys of our own tokens.

create table citizen (
    id text primary key,
    -- HMAC of the 13-digit number; held only after a proofing that makes the number believable.
    pid_index blob,
    -- The proofing behind the profile.
    profile_ial text not null,
    -- JSON, sealed for the citizen.
    profile blob not null,
    created_at text not null,
    updated_at text not null,
    constraint citizen_pid_index_unique unique (pid_index)
) strict;

create table account (
    id text primary key,
    issuer text not null,
    -- HMAC of the provider's `sub`, which may itself be personal.
    subject_index blob not null,
    citizen_id text not null references citizen (id),
    created_at text not null,
    last_login_at text not null,
    constraint account_issuer_subject_index_unique unique (issuer, subject_index)
) strict;

-- Public registry data.
create table juristic_person (
    id text primary key,
    registration_number text not null,
    name_th text not null,
    name_en text,
    updated_at text not null,
    constraint juristic_person_registration_number_unique unique (registration_number)
) strict;

create table mandate (
    id text primary key,
    citizen_id text not null references citizen (id),
    juristic_person_id text not null references juristic_person (id),
    basis text not null,
    valid_from text not null,
    valid_until text,
    confirmed_at text not null,
    revoked_at text
) strict;

-- A mandate that was revoked stays as history; a new one gets a row and an id of its own.
create unique index mandate_in_force_unique on mandate (citizen_id, juristic_person_id, basis) where revoked_at is null;

create table officer (
    id text primary key,
    pid_index blob not null,
    agency text not null,
    roles text not null,
    created_at text not null,
    constraint officer_pid_index_unique unique (pid_index)
) strict;

create table login_flow (
    id text primary key,
    client_id text not null,
    request text not null,
    -- Hash of the cookie of the browser that began.
    browser_hash blob not null,
    provider text,
    state_hash blob,
    nonce text,
    code_verifier text,
    created_at text not null,
    expires_at text not null,
    returned_at text,
    -- Who came back, without personal data.
    outcome text,
    -- Hash of the number shown to the browser that came back, when it is not the one that began.
    number_hash blob,
    number_tries integer not null default 0,
    finished_at text,
    constraint login_flow_state_hash_unique unique (state_hash)
) strict;

create index login_flow_browser on login_flow (browser_hash, created_at);
create index login_flow_expiry on login_flow (expires_at);

create table session (
    id text primary key,
    client_id text not null,
    citizen_id text references citizen (id),
    officer_id text references officer (id),
    provider text not null,
    ial text not null,
    aal text not null,
    methods text not null,
    scope text not null,
    authenticated_at text not null,
    created_at text not null,
    expires_at text not null,
    ended_at text,
    end_reason text,
    constraint session_one_person check ((citizen_id is null) <> (officer_id is null))
) strict;

create index session_ended on session (ended_at);

create table authorization_code (
    code_hash blob primary key,
    client_id text not null,
    redirect_uri text not null,
    code_challenge text not null,
    -- What the session will be: AuthorizedLogin as JSON.
    login text not null,
    issued_at text not null,
    expires_at text not null,
    used_at text,
    session_id text references session (id)
) strict;

create index authorization_code_expiry on authorization_code (expires_at);

create table refresh_token (
    token_hash blob primary key,
    session_id text not null references session (id),
    -- RFC 7638 thumbprint of the DPoP key it is bound to.
    key_thumbprint text,
    issued_at text not null,
    rotated_at text
) strict;

create index refresh_token_session on refresh_token (session_id);

create table signing_key (
    id text primary key,
    -- PKCS #8, sealed under the key-encryption key.
    private_key blob not null,
    public_jwk text not null,
    created_at text not null,
    -- Verifies until then; signs only while it is the newest.
    retires_at text not null
) strict;
