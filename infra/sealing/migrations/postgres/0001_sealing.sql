-- One key per subject, wrapped by the key-encryption key; shredding it erases what it sealed.
create table subject_key (
    subject uuid primary key,
    kek_version bigint not null,
    wrapped bytea,
    created_at timestamptz not null,
    shredded_at timestamptz
);
