-- An agency's queue of one public service: otherwise all of the agency's cases would be read to find its few.
create index application_queue_by_service on application (agency_code, service_code, submitted_at, id)
    where submitted_at is not null;

-- What is late among an agency's open cases: without reading all that it has ever decided.
create index application_queue_open on application (agency_code, submitted_at, id, due_on)
    where submitted_at is not null and status in ('SUBMITTED', 'UNDER_REVIEW');
