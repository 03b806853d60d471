-- What officers do by hand, what providers say of a day, where the two books differ; and rows that stay.

-- Proposals are kept: they say who did what with money, and who agreed.
create table proposal (
    id text primary key,
    subject_kind text not null constraint proposal_subject_kind_known check (subject_kind in ('REFUND', 'FINDING')),
    subject_id text not null,
    agency_code text not null,
    action text not null,
    reference text not null,
    status text not null constraint proposal_status_known check (status in ('OPEN', 'CONFIRMED', 'REJECTED')),
    proposed_by text not null,
    proposed_at text not null,
    decided_by text,
    decided_at text,
    constraint proposal_two_people check (status <> 'CONFIRMED' or (decided_by is not null and decided_by <> proposed_by))
) strict;
create unique index proposal_open_unique on proposal (subject_kind, subject_id) where status = 'OPEN';
create index proposal_subject on proposal (subject_kind, subject_id, id);

create trigger proposal_decided_once before update on proposal when old.status <> 'OPEN'
begin
    select raise(abort, 'a decided proposal is append-only');
end;

create trigger proposal_not_deleted before delete on proposal
begin
    select raise(abort, 'proposal is append-only');
end;

create table reconciliation (
    provider text not null,
    day text not null,
    status text not null constraint reconciliation_status_known check (status in ('OPEN', 'DONE')),
    line_count integer not null,
    matched_count integer not null,
    ended_at text,
    primary key (provider, day)
) strict;

create table statement_line (
    provider text not null,
    kind text not null constraint statement_line_kind_known check (kind in ('PAYMENT', 'REFUND')),
    line_id text not null,
    day text not null,
    provider_txn_id text not null,
    reference text not null,
    amount_satang integer not null constraint statement_line_amount_positive check (amount_satang > 0),
    occurred_at text not null,
    recorded_at text not null,
    primary key (provider, kind, line_id)
) strict;
create index statement_line_day on statement_line (provider, day, kind, line_id);

create table finding (
    id text primary key,
    kind text not null constraint finding_kind_known check (kind in ('MISSING_US', 'MISSING_BANK', 'AMOUNT_DIFF',
        'REFUND_MISSING_US', 'REFUND_MISSING_BANK', 'REFUND_TWICE', 'PAYMENT_UNRESOLVED', 'STATEMENT_MISSING')),
    provider text not null,
    subject text not null,
    day text not null,
    agency_code text,
    bill_id text references bill (id),
    payment_id text references payment (id),
    ours_satang integer,
    theirs_satang integer,
    status text not null constraint finding_status_known check (status in ('OPEN', 'SETTLED')),
    resolution text
        constraint finding_resolution_known check (resolution in ('HEALED', 'EXPLAINED', 'PAID_BACK', 'NEVER_PAID')),
    found_at text not null,
    settled_at text,
    constraint finding_subject_unique unique (kind, provider, subject),
    constraint finding_settled_whole check ((status = 'SETTLED') = (resolution is not null and settled_at is not null))
) strict;
create index finding_agency_code on finding (agency_code, id);
create index finding_status on finding (status, id);

create index settlement_provider_occurred_at on settlement (provider, occurred_at);
create index payment_provider_created_at on payment (provider, created_at, id);
create index refund_status on refund (status, id);

-- After the row stands: `on conflict do nothing` must be able to do nothing.
create trigger refund_within_settlement after insert on refund
when (select sum(amount_satang) from refund where settlement_id = new.settlement_id and status <> 'FAILED')
    > (select amount_satang from settlement where id = new.settlement_id)
begin
    select raise(abort, 'refunds exceed what came');
end;

create trigger settlement_not_updated before update on settlement
begin
    select raise(abort, 'settlement is append-only');
end;

create trigger settlement_not_deleted before delete on settlement
begin
    select raise(abort, 'settlement is append-only');
end;

create trigger receipt_not_updated before update on receipt
begin
    select raise(abort, 'receipt is append-only');
end;

create trigger receipt_not_deleted before delete on receipt
begin
    select raise(abort, 'receipt is append-only');
end;
