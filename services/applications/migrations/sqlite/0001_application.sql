-- Copies of offerings, one row per revision, as catalogue published them.
create table offering_copy (
    offering_id text not null,
    revision integer not null,
    content text not null,
    received_at text not null,
    constraint offering_copy_pk primary key (offering_id, revision)
) strict;

create table application (
    id text not null constraint application_pk primary key,
    applicant_party_id text not null,
    offering_id text not null,
    offering_revision integer not null,
    service_code text not null,
    agency_code text not null,
    status text not null,
    revision integer not null,
    receipt_number text constraint application_receipt_number_unique unique,
    rule_set text,
    -- Sealed with the applicant party's key.
    applicant_name blob not null,
    answers blob not null,
    -- Pointers and times only, no values.
    answer_sources text not null,
    last_sequence integer not null,
    document_requests integer not null,
    taken_by text,
    fee_settled_at text,
    decision text,
    decision_automatic integer not null,
    decision_reason blob,
    decided_at text,
    created_at text not null,
    submitted_at text,
    received_at text,
    legally_received_at text,
    due_on text,
    constraint application_offering_fk foreign key (offering_id, offering_revision)
        references offering_copy (offering_id, revision)
) strict;
create index application_by_party on application (applicant_party_id, id);
create index application_by_agency on application (agency_code, id) where submitted_at is not null;

create table application_event (
    id text not null constraint application_event_pk primary key,
    application_id text not null constraint application_event_application_fk references application (id),
    sequence integer not null,
    kind text not null,
    at text not null,
    actor_kind text not null,
    actor_id text,
    mandate_id text,
    party_id text not null,
    status_after text not null,
    -- Ids, numbers and amounts; nothing personal.
    detail text not null,
    -- Sealed with the applicant party's key.
    message blob,
    constraint application_event_sequence_unique unique (application_id, sequence)
) strict;
create trigger application_event_never_changes before update on application_event
begin select raise(abort, 'an event never changes'); end;
create trigger application_event_never_goes before delete on application_event
begin select raise(abort, 'an event never goes'); end;

create table evidence (
    id text not null constraint evidence_pk primary key,
    application_id text not null constraint evidence_application_fk references application (id),
    code text not null,
    file_name blob not null,
    media_type text not null,
    size_bytes integer not null,
    bytes_max integer not null,
    created_at text not null,
    stored_at text,
    object_path text,
    -- A newer file took its place.
    superseded_at text
) strict;
create index evidence_by_application on evidence (application_id, id);

create table upload_ticket (
    evidence_id text not null constraint upload_ticket_pk primary key
        constraint upload_ticket_evidence_fk references evidence (id),
    ticket_hash blob not null constraint upload_ticket_hash_unique unique,
    expires_at text not null,
    used_at text
) strict;

create table receipt_series (
    agency_code text not null,
    year_be integer not null,
    last_number integer not null,
    constraint receipt_series_pk primary key (agency_code, year_be)
) strict;
