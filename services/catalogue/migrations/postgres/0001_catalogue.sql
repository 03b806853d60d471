-- The catalogue: what is offered now, and every immutable revision of it.

-- One row: counts the publications, so that each process knows when its search index is old.
-- A publication locks it, so that two processes that start at once publish one after the other.
create table publication (
    id bigint primary key constraint publication_one_row check (id = 1),
    number bigint not null
);
insert into publication (id, number) values (1, 0);

-- Sets of files embedded in a binary that were published once. A restart, or an older version running
-- beside a newer one, does not publish its set again and so does not undo what came later.
create table embedded_set (
    fingerprint text primary key,
    published_at timestamptz not null
);

create table agency (
    code text primary key,
    area_code text,
    content jsonb not null
);

create table public_service (
    code text primary key,
    agency_code text not null constraint public_service_agency references agency (code),
    revision bigint not null,
    fileable boolean not null
);

create table public_service_revision (
    public_service_code text not null constraint public_service_revision_service references public_service (code),
    revision bigint not null,
    form_revision bigint not null,
    content jsonb not null,
    fingerprint text not null,
    published_at timestamptz not null,
    primary key (public_service_code, revision)
);

create table offering (
    id uuid primary key,
    public_service_code text not null constraint offering_service references public_service (code),
    agency_code text not null constraint offering_agency references agency (code),
    area_code text,
    revision bigint not null,
    constraint offering_service_agency_unique unique (public_service_code, agency_code)
);

create table offering_revision (
    offering_id uuid not null constraint offering_revision_offering references offering (id),
    revision bigint not null,
    content jsonb not null,
    fingerprint text not null,
    published_at timestamptz not null,
    primary key (offering_id, revision)
);

create table life_event (
    code text primary key,
    content jsonb not null
);

create table life_event_service (
    life_event_code text not null constraint life_event_service_event references life_event (code),
    public_service_code text not null constraint life_event_service_service references public_service (code),
    position bigint not null,
    primary key (life_event_code, public_service_code)
);
create index life_event_service_by_service on life_event_service (public_service_code);
