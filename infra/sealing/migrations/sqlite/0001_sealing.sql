-- One key per subject, wrapped by the key-encryption key; shredding it erases what it sealed.
create table subject_key (
    subject text primary key,
    kek_version integer not null,
    wrapped blob,
    created_at text not null,
    shredded_at text
) strict;
