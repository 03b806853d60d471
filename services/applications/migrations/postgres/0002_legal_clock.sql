-- The legal clock stops while it is the applicant's turn: then the days left are kept instead of a last day.
alter table application add column legal_days_left bigint;
-- By when the documents asked for have to come.
alter table application add column documents_due_on date;
alter table application add column lateness_notices bigint not null default 0;
-- When a draft that nobody touches runs out.
alter table application add column expires_at timestamptz;
-- Blind index of the applicant's national or registration number, from submission on.
alter table application add column applicant_index bytea;
-- An agency's queue, by when each was submitted.
create index application_queue on application (agency_code, submitted_at, id) where submitted_at is not null;
create index application_queue_by_status on application (agency_code, status, submitted_at, id)
    where submitted_at is not null;
create index application_by_applicant_index on application (agency_code, applicant_index, id)
    where applicant_index is not null;

-- When it counts as received by law, for what came from the applicant's side.
alter table application_event add column legally_received_at timestamptz;

-- What an agency asked for, and the file that came.
create table requested_document (
    application_id uuid not null constraint requested_document_application_fk references application (id),
    evidence_code text not null,
    evidence_id uuid constraint requested_document_evidence_fk references evidence (id),
    constraint requested_document_pk primary key (application_id, evidence_code)
);

-- Objects that were begun and are not yet any evidence's: what stays here is swept.
create table written_object (
    path text not null constraint written_object_pk primary key,
    evidence_id uuid not null constraint written_object_evidence_fk references evidence (id),
    written_at timestamptz not null,
    swept_at timestamptz
);
