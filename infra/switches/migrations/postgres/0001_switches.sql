-- What was closed and opened, by whom and why. Rows are only ever added; the last of a target counts.
create table switch_change (
    kind text not null,
    name text not null,
    number bigint not null,
    closed boolean not null,
    from_at timestamptz not null,
    until_at timestamptz,
    text_th text,
    text_en text,
    reason text not null,
    changed_by text not null,
    changed_at timestamptz not null,
    primary key (kind, name, number)
);

create function switch_change_is_kept() returns trigger language plpgsql as
$$ begin raise exception 'the record of switches is only added to'; end $$;

create trigger switch_change_kept before update or delete on switch_change
    for each row execute function switch_change_is_kept();
