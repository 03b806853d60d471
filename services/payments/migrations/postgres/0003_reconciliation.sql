-- What officers do by hand, what providers say of a day, where the two books differ; and rows that stay.

-- Proposals are kept: they say who did what with money, and who agreed.
create table proposal (
    id uuid primary key,
    subject_kind text not null constraint proposal_subject_kind_known check (subject_kind in ('REFUND', 'FINDING')),
    subject_id uuid not null,
    agency_code text not null,
    action text not null,
    reference text not null,
    status text not null constraint proposal_status_known check (status in ('OPEN', 'CONFIRMED', 'REJECTED')),
    proposed_by text not null,
    proposed_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    constraint proposal_two_people check (status <> 'CONFIRMED' or (decided_by is not null and decided_by <> proposed_by))
);
create unique index proposal_open_unique on proposal (subject_kind, subject_id) where status = 'OPEN';
create index proposal_subject on proposal (subject_kind, subject_id, id);

create table reconciliation (
    provider text not null,
    day date not null,
    status text not null constraint reconciliation_status_known check (status in ('OPEN', 'DONE')),
    line_count bigint not null,
    matched_count bigint not null,
    ended_at timestamptz,
    primary key (provider, day)
);

create table statement_line (
    provider text not null,
    kind text not null constraint statement_line_kind_known check (kind in ('PAYMENT', 'REFUND')),
    line_id text not null,
    day date not null,
    provider_txn_id text not null,
    reference text not null,
    amount_satang bigint not null constraint statement_line_amount_positive check (amount_satang > 0),
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    primary key (provider, kind, line_id)
);
create index statement_line_day on statement_line (provider, day, kind, line_id);

create table finding (
    id uuid primary key,
    kind text not null constraint finding_kind_known check (kind in ('MISSING_US', 'MISSING_BANK', 'AMOUNT_DIFF',
        'REFUND_MISSING_US', 'REFUND_MISSING_BANK', 'REFUND_TWICE', 'PAYMENT_UNRESOLVED', 'STATEMENT_MISSING')),
    provider text not null,
    subject text not null,
    day date not null,
    agency_code text,
    bill_id uuid references bill (id),
    payment_id uuid references payment (id),
    ours_satang bigint,
    theirs_satang bigint,
    status text not null constraint finding_status_known check (status in ('OPEN', 'SETTLED')),
    resolution text
        constraint finding_resolution_known check (resolution in ('HEALED', 'EXPLAINED', 'PAID_BACK', 'NEVER_PAID')),
    found_at timestamptz not null,
    settled_at timestamptz,
    constraint finding_subject_unique unique (kind, provider, subject),
    constraint finding_settled_whole check ((status = 'SETTLED') = (resolution is not null and settled_at is not null))
);
create index finding_agency_code on finding (agency_code, id);
create index finding_status on finding (status, id);

create index settlement_provider_occurred_at on settlement (provider, occurred_at);
create index payment_provider_created_at on payment (provider, created_at, id);
create index refund_status on refund (status, id);

-- After the row stands: `on conflict do nothing` must be able to do nothing.
create function refuse_excess_refund() returns trigger language plpgsql as $$
begin
    if (select sum(amount_satang) from refund where settlement_id = new.settlement_id and status <> 'FAILED')
        > (select amount_satang from settlement where id = new.settlement_id) then
        raise exception 'refunds exceed what came';
    end if;
    return null;
end
$$;
create trigger refund_within_settlement after insert on refund for each row execute function refuse_excess_refund();

create function refuse_second_decision() returns trigger language plpgsql as $$
begin
    if old.status <> 'OPEN' then
        raise exception 'a decided proposal is append-only';
    end if;
    return new;
end
$$;
create trigger proposal_decided_once before update on proposal for each row execute function refuse_second_decision();
create trigger proposal_not_deleted before delete or truncate on proposal
    for each statement execute function refuse_change();
create trigger settlement_append_only before update or delete or truncate on settlement
    for each statement execute function refuse_change();
create trigger receipt_append_only before update or delete or truncate on receipt
    for each statement execute function refuse_change();
