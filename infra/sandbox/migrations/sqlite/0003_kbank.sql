-- Orders of the second bank. SQLite cannot change a check, so the tables are written anew.

create table payment_order_new (
    id TEXT primary key,
    rail TEXT not null constraint payment_order_rail_known check (rail in ('qr', 'deeplink', 'gwallet', 'kbank')),
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
insert into payment_order_new
    select id, rail, reference1, reference2, reference3, description, amount_satang, return_url, callback_url,
        status, created_at, expires_at, paid_satang, paid_at, paid_on, bank_transaction_id
    from payment_order;

create table refund_new (
    provider TEXT not null constraint refund_provider_known check (provider in ('bank', 'gwallet', 'kbank')),
    refund_id TEXT not null,
    order_id TEXT not null references payment_order_new (id),
    amount_satang INTEGER not null constraint refund_amount_positive check (amount_satang > 0),
    created_at TEXT not null,
    primary key (provider, refund_id)
) STRICT;
insert into refund_new select provider, refund_id, order_id, amount_satang, created_at from refund;

drop table refund;
drop table payment_order;
-- Renaming the parent renames it in the child's reference too.
alter table payment_order_new rename to payment_order;
alter table refund_new rename to refund;
create index payment_order_paid_on on payment_order (paid_on, reference1);
create index payment_order_created_at on payment_order (created_at);
create index refund_order on refund (order_id);
create index refund_created_at on refund (created_at);
