-- Which key-encryption keys have wrapped a row. One that a row still needs cannot be struck off.
create table key_encryption_key (
    id integer primary key,
    first_used_at text not null
) strict;
-- Rows of before keys had ids say 1.
insert into key_encryption_key (id, first_used_at) values (1, '1970-01-01T00:00:00.000000Z');

create table subject_key_next (
    subject text primary key,
    kek_version integer not null references key_encryption_key (id),
    wrapped blob,
    created_at text not null,
    shredded_at text
) strict;
insert into subject_key_next (subject, kek_version, wrapped, created_at, shredded_at)
    select subject, kek_version, wrapped, created_at, shredded_at from subject_key;
drop table subject_key;
alter table subject_key_next rename to subject_key;
create index subject_key_kek on subject_key (kek_version, subject);

-- What is remembered of the blind-index key: another one would find nobody.
create table blind_index_key (
    id integer primary key check (id = 1),
    fingerprint blob not null
) strict;
