-- Each write once per caller, operation and client-made key.
create table idempotency_key (
    subject text not null,
    operation text not null,
    key text not null,
    fingerprint bytea not null,
    result jsonb,
    created_at timestamptz not null,
    primary key (subject, operation, key)
);
