-- Who changed an offering without a file, and why. What it was before and after stands in its revisions.
create table offering_edit (
    offering_id uuid not null,
    revision bigint not null,
    officer_id uuid not null,
    agency_code text not null,
    client_id text not null,
    reason text not null,
    edited_at timestamptz not null,
    primary key (offering_id, revision),
    constraint offering_edit_revision foreign key (offering_id, revision)
        references offering_revision (offering_id, revision)
);

-- What was published, and who changed it, is kept for good.
create function published_refuse() returns trigger language plpgsql as $$
begin
    raise exception 'what was published never changes and never goes';
end;
$$;
create trigger offering_edit_never_changes before update or delete on offering_edit
    for each row execute function published_refuse();
create trigger offering_revision_never_changes before update or delete on offering_revision
    for each row execute function published_refuse();
create trigger public_service_revision_never_changes before update or delete on public_service_revision
    for each row execute function published_refuse();
