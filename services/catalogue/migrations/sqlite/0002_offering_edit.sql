-- Who changed an offering without a file, and why. What it was before and after stands in its revisions.
create table offering_edit (
    offering_id text not null,
    revision integer not null,
    officer_id text not null,
    agency_code text not null,
    client_id text not null,
    reason text not null,
    edited_at text not null,
    primary key (offering_id, revision),
    constraint offering_edit_revision foreign key (offering_id, revision)
        references offering_revision (offering_id, revision)
) strict;

-- What was published, and who changed it, is kept for good.
create trigger offering_edit_never_changes before update on offering_edit
    begin select raise(abort, 'an edit never changes'); end;
create trigger offering_edit_never_goes before delete on offering_edit
    begin select raise(abort, 'an edit never goes'); end;
create trigger offering_revision_never_changes before update on offering_revision
    begin select raise(abort, 'a revision never changes'); end;
create trigger offering_revision_never_goes before delete on offering_revision
    begin select raise(abort, 'a revision never goes'); end;
create trigger public_service_revision_never_changes before update on public_service_revision
    begin select raise(abort, 'a revision never changes'); end;
create trigger public_service_revision_never_goes before delete on public_service_revision
    begin select raise(abort, 'a revision never goes'); end;
