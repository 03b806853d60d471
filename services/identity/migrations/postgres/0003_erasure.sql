-- Persons who are to be forgotten: proposed by one officer, confirmed by another. Ids only.

create table erasure (
    id uuid primary key,
    citizen_id uuid not null references citizen (id),
    status text not null constraint erasure_status_known check (status in ('PROPOSED', 'CONFIRMED', 'ERASED')),
    -- Counts how often the other services were asked whether anything stands in the way.
    round bigint not null,
    proposed_by uuid not null references officer (id),
    proposed_at timestamptz not null,
    confirmed_by uuid references officer (id),
    confirmed_at timestamptz,
    erased_at timestamptz,
    constraint erasure_two_officers check (confirmed_by is null or confirmed_by <> proposed_by)
);

create unique index erasure_citizen_id_unique on erasure (citizen_id);

create table erasure_answer (
    erasure_id uuid not null references erasure (id),
    round bigint not null,
    service text not null,
    -- What stands in the way: a JSON list of words.
    obstacles jsonb not null,
    answered_at timestamptz not null,
    primary key (erasure_id, round, service)
);

-- Whoever is being forgotten, or was, gets no session: not by a login that was under way either.
create function refuse_session_of_erased() returns trigger language plpgsql as $$
begin
    if exists (select 1 from erasure where citizen_id = new.citizen_id and status <> 'PROPOSED') then
        raise exception 'this person is erased';
    end if;
    return new;
end;
$$;

create trigger session_not_for_the_erased before insert on session
    for each row execute function refuse_session_of_erased();
