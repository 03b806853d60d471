-- Events by month, in partitions: an index that is written to stays small, and what is old can be moved away.
-- The month is that in which the application was begun, as its id tells (uuid, version 7): so one timeline lies
-- in one partition, and that an application has each sequence number once remains a constraint.

create function uuid_from(instant timestamptz) returns uuid language sql immutable as $$
    select (lpad(to_hex(floor(extract(epoch from instant) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Which months have a partition, without a gap from the first to the last.
create table event_partition (
    begins_at timestamptz not null constraint event_partition_pk primary key,
    ends_at timestamptz not null,
    name text not null
);

alter table application_event rename to application_event_first;
alter table application_event_first rename constraint application_event_pk to application_event_first_pk;
alter table application_event_first rename constraint application_event_sequence_unique to application_event_first_unique;
alter table application_event_first rename constraint application_event_application_fk to application_event_first_fk;
drop trigger application_event_never_changes on application_event_first;

create table application_event (
    id uuid not null,
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
    -- When it counts as received by law, for what came from the applicant's side.
    legally_received_at timestamptz,
    constraint application_event_sequence_unique unique (application_id, sequence)
) partition by range (application_id);

-- Where there is no month's partition yet: nothing is ever refused for want of one.
create table application_event_rest partition of application_event default;

-- What is there becomes the first partition as it is, without being written anew: up to the end of this month,
-- or of the month of the newest row where a clock was ahead.
do $$
declare
    newest text := (select left(replace(application_id::text, '-', ''), 12) from application_event_first
        order by application_id desc limit 1);
    latest timestamptz := greatest(now(),
        to_timestamp(coalesce(('x' || lpad(newest, 16, '0'))::bit(64)::bigint, 0) / 1000.0));
    ends timestamptz := (date_trunc('month', latest at time zone 'UTC') + interval '1 month') at time zone 'UTC';
begin
    execute format('alter table application_event attach partition application_event_first
        for values from (minvalue) to (%L)', uuid_from(ends));
    insert into event_partition (begins_at, ends_at, name) values ('-infinity', ends, 'application_event_first');
end;
$$;

-- Deleting all of a month by taking its partition away is the owner's; nobody else changes anything.
create trigger application_event_never_changes before update or delete on application_event
    for each row execute function application_event_refuse();
create trigger application_event_never_emptied before truncate on application_event
    for each statement execute function application_event_refuse();
create trigger application_event_never_emptied before truncate on application_event_first
    for each statement execute function application_event_refuse();
create trigger application_event_never_emptied before truncate on application_event_rest
    for each statement execute function application_event_refuse();

-- Makes the partitions of all months that begin before an instant; tells how many. As its owner: who calls it
-- need not be able to make tables.
create function make_event_partitions(until_at timestamptz) returns bigint
    language plpgsql security definer set search_path from current as $$
declare
    begins timestamptz;
    ends timestamptz;
    name text;
    made bigint := 0;
begin
    -- One at a time; another process has made them then.
    lock table event_partition in exclusive mode;
    select max(ends_at) into begins from event_partition;
    while begins < until_at and made < 24 loop
        ends := (begins at time zone 'UTC' + interval '1 month') at time zone 'UTC';
        name := 'application_event_' || to_char(begins at time zone 'UTC', 'YYYY_MM');
        begin
            execute format('create table %I (like application_event including defaults)', name);
            -- Unlike "partition of", this lets others write meanwhile.
            execute format('alter table application_event attach partition %I for values from (%L) to (%L)',
                name, uuid_from(begins), uuid_from(ends));
            execute format('create trigger application_event_never_emptied before truncate on %I
                for each statement execute function application_event_refuse()', name);
        exception when check_violation then
            -- Rows of that month came before its partition did: it stays where they are.
            name := 'application_event_rest';
        end;
        insert into event_partition (begins_at, ends_at, name) values (begins, ends, name);
        begins := ends;
        made := made + 1;
    end loop;
    return made;
end;
$$;

select make_event_partitions(now() + interval '3 months');
