-- Persons who are to be forgotten: proposed by one officer, confirmed by another. Ids only.

create table erasure (
    id text primary key,
    citizen_id text not null references citizen (id),
    status text not null constraint erasure_status_known check (status in ('PROPOSED', 'CONFIRMED', 'ERASED')),
    -- Counts how often the other services were asked whether anything stands in the way.
    round integer not null,
    proposed_by text not null references officer (id),
    proposed_at text not null,
    confirmed_by text references officer (id),
    confirmed_at text,
    erased_at text,
    constraint erasure_two_officers check (confirmed_by is null or confirmed_by <> proposed_by)
) strict;

create unique index erasure_citizen_id_unique on erasure (citizen_id);

create table erasure_answer (
    erasure_id text not null references erasure (id),
    round integer not null,
    service text not null,
    -- What stands in the way: a JSON list of words.
    obstacles text not null,
    answered_at text not null,
    primary key (erasure_id, round, service)
) strict;

-- Whoever is being forgotten, or was, gets no session: not by a login that was under way either.
create trigger session_not_for_the_erased before insert on session
when exists (select 1 from erasure where citizen_id = new.citizen_id and status <> 'PROPOSED')
begin
    select raise(abort, 'this person is erased');
end;
