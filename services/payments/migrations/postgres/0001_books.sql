-- Bills, tries at paying them, money that came, money that goes back, receipts and the books.
-- Payers are ids only: nothing personal is kept here.

create table bill (
    id uuid primary key,
    application_id uuid not null,
    purpose text not null,
    party_id uuid not null,
    agency_code text not null,
    service_code text not null,
    title_th text not null,
    title_en text,
    amount_satang bigint not null constraint bill_amount_positive check (amount_satang > 0),
    status text not null constraint bill_status_known check (status in ('OPEN', 'SETTLED', 'CANCELLED')),
    issued_at timestamptz not null,
    settled_at timestamptz,
    cancelled_at timestamptz,
    constraint bill_application_id_purpose_unique unique (application_id, purpose)
);
create index bill_party_id on bill (party_id, id);

create table bill_item (
    id uuid primary key,
    bill_id uuid not null references bill (id),
    position bigint not null,
    description_th text not null,
    description_en text,
    amount_satang bigint not null constraint bill_item_amount_positive check (amount_satang > 0),
    constraint bill_item_position_unique unique (bill_id, position)
);

create table payment (
    id uuid primary key,
    bill_id uuid not null references bill (id),
    method text not null constraint payment_method_known check (method in ('G_WALLET', 'MOBILE_BANKING', 'PROMPTPAY_QR')),
    provider text not null,
    reference text not null,
    amount_satang bigint not null constraint payment_amount_positive check (amount_satang > 0),
    status text not null constraint payment_status_known
        check (status in ('CREATED', 'PENDING', 'UNKNOWN', 'SUCCEEDED', 'FAILED', 'EXPIRED', 'CANCELLED')),
    provider_ref text,
    qr_payload text,
    deep_link text,
    wallet_reference text,
    failure_code text,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    presented_at timestamptz,
    ended_at timestamptz,
    inquiry_due_at timestamptz,
    constraint payment_reference_unique unique (provider, reference)
);
create index payment_bill_id on payment (bill_id);
create unique index payment_live_unique on payment (bill_id, method) where status in ('CREATED', 'PENDING', 'UNKNOWN');

create table settlement (
    id uuid primary key,
    payment_id uuid not null references payment (id),
    bill_id uuid not null references bill (id),
    provider text not null,
    provider_txn_id text not null,
    trust text not null constraint settlement_trust_enough check (trust in ('SIGNED', 'INQUIRED')),
    classification text not null
        constraint settlement_classification_known check (classification in ('SETTLES', 'DUPLICATE', 'LATE', 'UNDER', 'OVER')),
    amount_satang bigint not null constraint settlement_amount_positive check (amount_satang > 0),
    kept_satang bigint not null,
    returned_satang bigint not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    constraint settlement_provider_txn_id_unique unique (provider, provider_txn_id),
    constraint settlement_makes_no_money
        check (kept_satang >= 0 and returned_satang >= 0 and kept_satang + returned_satang = amount_satang)
);
create index settlement_bill_id on settlement (bill_id);

-- At most one success per bill, whatever else goes wrong.
create table bill_success (
    bill_id uuid primary key references bill (id),
    settlement_id uuid not null references settlement (id),
    payment_id uuid not null references payment (id)
);

create table refund (
    id uuid primary key,
    bill_id uuid not null references bill (id),
    settlement_id uuid not null references settlement (id),
    reason text not null
        constraint refund_reason_known check (reason in ('DUPLICATE', 'LATE', 'UNDER', 'OVER', 'APPLICATION_CLOSED')),
    amount_satang bigint not null constraint refund_amount_positive check (amount_satang > 0),
    status text not null
        constraint refund_status_known check (status in ('CREATED', 'SUBMITTED', 'REFUNDED', 'MANUAL', 'FAILED')),
    failure_code text,
    created_at timestamptz not null,
    ended_at timestamptz,
    constraint refund_settlement_id_reason_unique unique (settlement_id, reason)
);
create index refund_bill_id on refund (bill_id);

create table receipt_series (
    agency_code text not null,
    year bigint not null,
    last_number bigint not null,
    primary key (agency_code, year)
);

create table receipt (
    id uuid primary key,
    bill_id uuid not null references bill (id),
    agency_code text not null,
    year bigint not null,
    number bigint not null,
    amount_satang bigint not null,
    issued_at timestamptz not null,
    constraint receipt_bill_id_unique unique (bill_id),
    constraint receipt_number_unique unique (agency_code, year, number)
);

-- Applications, as far as messages told: one may be closed before its bill is issued.
create table application (
    id uuid primary key,
    closed_at timestamptz
);

create table ledger_account (
    code text primary key,
    kind text not null constraint ledger_account_kind_known check (kind in ('asset', 'liability'))
);

create table ledger_transfer (
    id uuid primary key,
    debit_account text not null references ledger_account (code),
    credit_account text not null references ledger_account (code),
    amount_satang bigint not null constraint ledger_transfer_amount_positive check (amount_satang > 0),
    kind text not null,
    external_reference text not null constraint ledger_transfer_external_reference_unique unique,
    bill_id uuid not null references bill (id),
    occurred_at timestamptz not null,
    posted_at timestamptz not null,
    constraint ledger_transfer_between_two check (debit_account <> credit_account)
);
create index ledger_transfer_bill_id on ledger_transfer (bill_id);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name;
end;
$$;

create trigger ledger_transfer_append_only before update or delete or truncate on ledger_transfer
    for each statement execute function refuse_change();
