-- Which key-encryption keys have wrapped a row. One that a row still needs cannot be struck off.
create table key_encryption_key (
    id bigint primary key,
    first_used_at timestamptz not null
);
-- Rows of before keys had ids say 1.
insert into key_encryption_key (id, first_used_at) values (1, '1970-01-01T00:00:00Z');

alter table subject_key
    add constraint subject_key_kek_known foreign key (kek_version) references key_encryption_key (id);
create index subject_key_kek on subject_key (kek_version, subject);

-- What is remembered of the blind-index key: another one would find nobody.
create table blind_index_key (
    id bigint primary key check (id = 1),
    fingerprint bytea not null
);
