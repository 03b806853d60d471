-- Copies of offerings, one row per revision, as catalogue published them.
create table offering_copy (
    offering_id uuid not null,
    revision bigint not null,
    content jsonb not null,
    received_at timestamptz not null,
    constraint offering_copy_pk primary key (offering_id, revision)
);

create table application (
    id uuid not null constraint application_pk primary key,
    applicant_party_id uuid not null,
    offering_id uuid not null,
    offering_revision bigint not null,
    service_code text not null,
    agency_code text not null,
    status text not null,
    revision bigint not null,
    receipt_number text constraint application_receipt_number_unique unique,
    rule_set text,
    -- Sealed with the applicant party's key.
    applicant_name bytea not null,
    answers bytea not null,
    -- Pointers and times only, no values.
    answer_sources jsonb not null,
    last_sequence bigint not null,
    document_requests bigint not null,
    taken_by uuid,
    fee_settled_at timestamptz,
    decision text,
    decision_automatic boolean not null,
    decision_reason bytea,
    decided_at timestamptz,
    created_at timestamptz not null,
    submitted_at timestamptz,
    received_at timestamptz,
    legally_received_at timestamptz,
    due_on date,
    constraint application_offering_fk foreign key (offering_id, offering_revision)
        references offering_copy (offering_id, revision)
);
create index application_by_party on application (applicant_party_id, id);
create index application_by_agency on application (agency_code, id) where submitted_at is not null;

create table application_event (
    id uuid not null constraint application_event_pk primary key,
    application_id uuid not null constraint application_event_application_fk references application (id),
    sequence bigint not null,
    kind text not null,
    at timestamptz not null,
    actor_kind text not null,
    actor_id uuid,
    mandate_id uuid,
    party_id uuid not null,
    status_after text not null,
    -- Ids, numbers and amounts; nothing personal.
    detail jsonb not null,
    -- Sealed with the applicant party's key.
    message bytea,
    constraint application_event_sequence_unique unique (application_id, sequence)
);
create function application_event_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'an event never changes and never goes';
end;
$$;
create trigger application_event_never_changes before update or delete on application_event
    for each row execute function application_event_refuse();

create table evidence (
    id uuid not null constraint evidence_pk primary key,
    application_id uuid not null constraint evidence_application_fk references application (id),
    code text not null,
    file_name bytea not null,
    media_type text not null,
    size_bytes bigint not null,
    bytes_max bigint not null,
    created_at timestamptz not null,
    stored_at timestamptz,
    object_path text,
    -- A newer file took its place.
    superseded_at timestamptz
);
create index evidence_by_application on evidence (application_id, id);

create table upload_ticket (
    evidence_id uuid not null constraint upload_ticket_pk primary key
        constraint upload_ticket_evidence_fk references evidence (id),
    ticket_hash bytea not null constraint upload_ticket_hash_unique unique,
    expires_at timestamptz not null,
    used_at timestamptz
);

create table receipt_series (
    agency_code text not null,
    year_be bigint not null,
    last_number bigint not null,
    constraint receipt_series_pk primary key (agency_code, year_be)
);
