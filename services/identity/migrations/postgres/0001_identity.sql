-- Who people are, what they may act for, and the logins, sessions and keys of our own tokens.

create table citizen (
    id uuid primary key,
    -- HMAC of the 13-digit number; held only after a proofing that makes the number believable.
    pid_index bytea,
    -- The proofing behind the profile.
    profile_ial text not null,
    -- JSON, sealed for the citizen.
    profile bytea not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint citizen_pid_index_unique unique (pid_index)
);

create table account (
    id uuid primary key,
    issuer text not null,
    -- HMAC of the provider's `sub`, which may itself be personal.
    subject_index bytea not null,
    citizen_id uuid not null references citizen (id),
    created_at timestamptz not null,
    last_login_at timestamptz not null,
    constraint account_issuer_subject_index_unique unique (issuer, subject_index)
);

-- Public registry data.
create table juristic_person (
    id uuid primary key,
    registration_number text not null,
    name_th text not null,
    name_en text,
    updated_at timestamptz not null,
    constraint juristic_person_registration_number_unique unique (registration_number)
);

create table mandate (
    id uuid primary key,
    citizen_id uuid not null references citizen (id),
    juristic_person_id uuid not null references juristic_person (id),
    basis text not null,
    valid_from date not null,
    valid_until date,
    confirmed_at timestamptz not null,
    revoked_at timestamptz
);

-- A mandate that was revoked stays as history; a new one gets a row and an id of its own.
create unique index mandate_in_force_unique on mandate (citizen_id, juristic_person_id, basis) where revoked_at is null;

create table officer (
    id uuid primary key,
    pid_index bytea not null,
    agency text not null,
    roles jsonb not null,
    created_at timestamptz not null,
    constraint officer_pid_index_unique unique (pid_index)
);

create table login_flow (
    id uuid primary key,
    client_id text not null,
    request jsonb not null,
    -- Hash of the cookie of the browser that began.
    browser_hash bytea not null,
    provider text,
    state_hash bytea,
    nonce text,
    code_verifier text,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    returned_at timestamptz,
    -- Who came back, without personal data.
    outcome jsonb,
    -- Hash of the number shown to the browser that came back, when it is not the one that began.
    number_hash bytea,
    number_tries bigint not null default 0,
    finished_at timestamptz,
    constraint login_flow_state_hash_unique unique (state_hash)
);

create index login_flow_browser on login_flow (browser_hash, created_at);
create index login_flow_expiry on login_flow (expires_at);

create table session (
    id uuid primary key,
    client_id text not null,
    citizen_id uuid references citizen (id),
    officer_id uuid references officer (id),
    provider text not null,
    ial text not null,
    aal text not null,
    methods jsonb not null,
    scope text not null,
    authenticated_at timestamptz not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    end_reason text,
    constraint session_one_person check ((citizen_id is null) <> (officer_id is null))
);

create index session_ended on session (ended_at);

create table authorization_code (
    code_hash bytea primary key,
    client_id text not null,
    redirect_uri text not null,
    code_challenge text not null,
    -- What the session will be: AuthorizedLogin as JSON.
    login jsonb not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    session_id uuid references session (id)
);

create index authorization_code_expiry on authorization_code (expires_at);

create table refresh_token (
    token_hash bytea primary key,
    session_id uuid not null references session (id),
    -- RFC 7638 thumbprint of the DPoP key it is bound to.
    key_thumbprint text,
    issued_at timestamptz not null,
    rotated_at timestamptz
);

create index refresh_token_session on refresh_token (session_id);

create table signing_key (
    id uuid primary key,
    -- PKCS #8, sealed under the key-encryption key.
    private_key bytea not null,
    public_jwk jsonb not null,
    created_at timestamptz not null,
    -- Verifies until then; signs only while it is the newest.
    retires_at timestamptz not null
);
