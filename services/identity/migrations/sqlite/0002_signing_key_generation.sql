-- A key is published before it signs, and of processes that make one at once one does.

-- Absent in keys of earlier versions: from their making.
alter table signing_key add column signs_from text;
-- Counts keys; absent in those of earlier versions.
alter table signing_key add column generation integer;

create unique index signing_key_generation_unique on signing_key (generation);

-- For forgetting what is over.
create index session_expiry on session (expires_at);
