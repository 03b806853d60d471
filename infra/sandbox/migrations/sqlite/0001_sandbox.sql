-- The sandbox's own data: keys and grants of its Digital ID providers, orders and refunds of its bank and wallet.

create table signing_key (
    provider TEXT primary key,
    pem TEXT not null,
    created_at TEXT not null
) STRICT;

create table authorization_code (
    code_hash BLOB primary key,
    provider TEXT not null,
    client_id TEXT not null,
    redirect_uri TEXT not null,
    persona TEXT not null,
    scope TEXT not null,
    nonce TEXT not null,
    code_challenge TEXT not null,
    auth_time TEXT not null,
    expires_at TEXT not null,
    used_at TEXT,
    token_hash BLOB
) STRICT;
create index authorization_code_expires_at on authorization_code (expires_at);

create table access_token (
    token_hash BLOB primary key,
    audience TEXT not null,
    persona TEXT,
    scope TEXT not null,
    expires_at TEXT not null
) STRICT;
create index access_token_expires_at on access_token (expires_at);

create table payment_order (
    id TEXT primary key,
    rail TEXT not null constraint payment_order_rail_known check (rail in ('qr', 'deeplink', 'gwallet')),
    reference1 TEXT not null,
    reference2 TEXT,
    reference3 TEXT,
    description TEXT,
    amount_satang INTEGER not null constraint payment_order_amount_positive check (amount_satang > 0),
    return_url TEXT,
    callback_url TEXT not null,
    status TEXT not null constraint payment_order_status_known check (status in ('waiting', 'paid', 'declined', 'cancelled')),
    created_at TEXT not null,
    expires_at TEXT not null,
    paid_satang INTEGER,
    paid_at TEXT,
    paid_on TEXT,
    bank_transaction_id TEXT constraint payment_order_bank_transaction_id_unique unique,
    constraint payment_order_reference_unique unique (rail, reference1),
    constraint payment_order_paid_whole check ((status = 'paid') = (paid_satang is not null and paid_at is not null and paid_on is not null and bank_transaction_id is not null))
) STRICT;
create index payment_order_paid_on on payment_order (paid_on, reference1);
create index payment_order_created_at on payment_order (created_at);

create table refund (
    provider TEXT not null constraint refund_provider_known check (provider in ('bank', 'gwallet')),
    refund_id TEXT not null,
    order_id TEXT not null references payment_order (id),
    amount_satang INTEGER not null constraint refund_amount_positive check (amount_satang > 0),
    created_at TEXT not null,
    primary key (provider, refund_id)
) STRICT;
create index refund_order on refund (order_id);

-- How far the clock was moved; time never goes back over kept data.
create table clock_offset (
    id INTEGER primary key constraint clock_offset_single check (id = 1),
    ahead_us INTEGER not null
) STRICT;
