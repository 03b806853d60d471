-- The catalogue: what is offered now, and every immutable revision of it.

-- One row: counts the publications, so that each process knows when its search index is old.
-- A publication locks it, so that two processes that start at once publish one after the other.
create table publication (
    id integer primary key constraint publication_one_row check (id = 1),
    number integer not null
) strict;
insert into publication (id, number) values (1, 0);

-- Sets of files embedded in a binary that were published once. A restart, or an older version running
-- beside a newer one, does not publish its set again and so does not undo what came later.
create table embedded_set (
    fingerprint text primary key,
    published_at text not null
) strict;

create table agency (
    code text primary key,
    area_code text,
    content text not null
) strict;

create table public_service (
    code text primary key,
    agency_code text not null constraint public_service_agency references agency (code),
    revision integer not null,
    fileable integer not null
) strict;

create table public_service_revision (
    public_service_code text not null constraint public_service_revision_service references public_service (code),
    revision integer not null,
    form_revision integer not null,
    content text not null,
    fingerprint text not null,
    published_at text not null,
    primary key (public_service_code, revision)
) strict;

create table offering (
    id text primary key,
    public_service_code text not null constraint offering_service references public_service (code),
    agency_code text not null constraint offering_agency references agency (code),
    area_code text,
    revision integer not null,
    constraint offering_service_agency_unique unique (public_service_code, agency_code)
) strict;

create table offering_revision (
    offering_id text not null constraint offering_revision_offering references offering (id),
    revision integer not null,
    content text not null,
    fingerprint text not null,
    published_at text not null,
    primary key (offering_id, revision)
) strict;

create table life_event (
    code text primary key,
    content text not null
) strict;

create table life_event_service (
    life_event_code text not null constraint life_event_service_event references life_event (code),
    public_service_code text not null constraint life_event_service_service references public_service (code),
    position integer not null,
    primary key (life_event_code, public_service_code)
) strict;
create index life_event_service_by_service on life_event_service (public_service_code);
