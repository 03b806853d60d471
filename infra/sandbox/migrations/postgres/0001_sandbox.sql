-- The sandbox's own data: keys and grants of its Digital ID providers, orders and refunds of its bank and wallet.

create table signing_key (
    provider text primary key,
    pem text not null,
    created_at timestamptz not null
);

create table authorization_code (
    code_hash bytea primary key,
    provider text not null,
    client_id text not null,
    redirect_uri text not null,
    persona text not null,
    scope text not null,
    nonce text not null,
    code_challenge text not null,
    auth_time timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    token_hash bytea
);
create index authorization_code_expires_at on authorization_code (expires_at);

create table access_token (
    token_hash bytea primary key,
    audience text not null,
    persona text,
    scope text not null,
    expires_at timestamptz not null
);
create index access_token_expires_at on access_token (expires_at);

create table payment_order (
    id uuid primary key,
    rail text not null constraint payment_order_rail_known check (rail in ('qr', 'deeplink', 'gwallet')),
    reference1 text not null,
    reference2 text,
    reference3 text,
    description text,
    amount_satang bigint not null constraint payment_order_amount_positive check (amount_satang > 0),
    return_url text,
    callback_url text not null,
    status text not null constraint payment_order_status_known check (status in ('waiting', 'paid', 'declined', 'cancelled')),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    paid_satang bigint,
    paid_at timestamptz,
    paid_on date,
    bank_transaction_id text constraint payment_order_bank_transaction_id_unique unique,
    constraint payment_order_reference_unique unique (rail, reference1),
    constraint payment_order_paid_whole check ((status = 'paid') = (paid_satang is not null and paid_at is not null and paid_on is not null and bank_transaction_id is not null))
);
create index payment_order_paid_on on payment_order (paid_on, reference1);
create index payment_order_created_at on payment_order (created_at);

create table refund (
    provider text not null constraint refund_provider_known check (provider in ('bank', 'gwallet')),
    refund_id text not null,
    order_id uuid not null references payment_order (id),
    amount_satang bigint not null constraint refund_amount_positive check (amount_satang > 0),
    created_at timestamptz not null,
    primary key (provider, refund_id)
);
create index refund_order on refund (order_id);

-- How far the clock was moved; time never goes back over kept data.
create table clock_offset (
    id bigint primary key constraint clock_offset_single check (id = 1),
    ahead_us bigint not null
);
