-- What was closed and opened, by whom and why. Rows are only ever added; the last of a target counts.
create table switch_change (
    kind text not null,
    name text not null,
    number integer not null,
    closed boolean not null,
    from_at text not null,
    until_at text,
    text_th text,
    text_en text,
    reason text not null,
    changed_by text not null,
    changed_at text not null,
    primary key (kind, name, number)
);

create trigger switch_change_kept_from_update before update on switch_change
begin select raise(abort, 'the record of switches is only added to'); end;

create trigger switch_change_kept_from_delete before delete on switch_change
begin select raise(abort, 'the record of switches is only added to'); end;
