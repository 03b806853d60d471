-- Each write once per caller, operation and client-made key.
create table idempotency_key (
    subject text not null,
    operation text not null,
    key text not null,
    fingerprint blob not null,
    result text,
    created_at text not null,
    primary key (subject, operation, key)
) strict;
