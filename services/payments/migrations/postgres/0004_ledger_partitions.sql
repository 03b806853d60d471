-- The ledger by month, in partitions, as the transfers' ids tell (uuid, version 7). That a reference is posted
-- once is kept by a table without partitions: in them a constraint would hold only within one month.

create function uuid_from(instant timestamptz) returns uuid language sql immutable as $$
    select (lpad(to_hex(floor(extract(epoch from instant) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

create table ledger_reference (
    external_reference text not null constraint ledger_transfer_external_reference_unique_for_all primary key,
    transfer_id uuid not null
);
insert into ledger_reference (external_reference, transfer_id) select external_reference, id from ledger_transfer;

-- Which months have a partition, without a gap from the first to the last.
create table ledger_partition (
    begins_at timestamptz not null constraint ledger_partition_pk primary key,
    ends_at timestamptz not null,
    name text not null
);

alter table ledger_transfer rename to ledger_transfer_first;
alter table ledger_transfer_first rename constraint ledger_transfer_pkey to ledger_transfer_first_pkey;
alter index ledger_transfer_bill_id rename to ledger_transfer_first_bill_id;
drop trigger ledger_transfer_append_only on ledger_transfer_first;

create table ledger_transfer (
    id uuid primary key,
    debit_account text not null references ledger_account (code),
    credit_account text not null references ledger_account (code),
    amount_satang bigint not null constraint ledger_transfer_amount_positive check (amount_satang > 0),
    kind text not null,
    external_reference text not null,
    bill_id uuid not null references bill (id),
    occurred_at timestamptz not null,
    posted_at timestamptz not null,
    constraint ledger_transfer_between_two check (debit_account <> credit_account)
) partition by range (id);
create index ledger_transfer_bill_id on ledger_transfer (bill_id);

-- Where there is no month's partition yet: nothing is ever refused for want of one.
create table ledger_transfer_rest partition of ledger_transfer default;

-- What is there becomes the first partition as it is, without being written anew.
do $$
declare
    newest text := (select left(replace(id::text, '-', ''), 12) from ledger_transfer_first
        order by id desc limit 1);
    latest timestamptz := greatest(now(),
        to_timestamp(coalesce(('x' || lpad(newest, 16, '0'))::bit(64)::bigint, 0) / 1000.0));
    ends timestamptz := (date_trunc('month', latest at time zone 'UTC') + interval '1 month') at time zone 'UTC';
begin
    execute format('alter table ledger_transfer attach partition ledger_transfer_first
        for values from (minvalue) to (%L)', uuid_from(ends));
    insert into ledger_partition (begins_at, ends_at, name) values ('-infinity', ends, 'ledger_transfer_first');
end;
$$;

create function remember_reference() returns trigger language plpgsql as $$
begin
    insert into ledger_reference (external_reference, transfer_id) values (new.external_reference, new.id);
    return new;
end;
$$;
create trigger ledger_transfer_posted_once before insert on ledger_transfer
    for each row execute function remember_reference();

-- Per row as well: whoever names a partition is refused, too.
create trigger ledger_transfer_append_only before update or delete or truncate on ledger_transfer
    for each statement execute function refuse_change();
create trigger ledger_transfer_row_stays before update or delete on ledger_transfer
    for each row execute function refuse_change();
create trigger ledger_transfer_never_emptied before truncate on ledger_transfer_first
    for each statement execute function refuse_change();
create trigger ledger_transfer_never_emptied before truncate on ledger_transfer_rest
    for each statement execute function refuse_change();
create trigger ledger_reference_append_only before update or delete or truncate on ledger_reference
    for each statement execute function refuse_change();

-- Makes the partitions of all months that begin before an instant; tells how many. As its owner: who calls it
-- need not be able to make tables.
create function make_ledger_partitions(until_at timestamptz) returns bigint
    language plpgsql security definer set search_path from current as $$
declare
    begins timestamptz;
    ends timestamptz;
    name text;
    made bigint := 0;
begin
    -- One at a time; another process has made them then.
    lock table ledger_partition in exclusive mode;
    select max(ends_at) into begins from ledger_partition;
    while begins < until_at and made < 24 loop
        ends := (begins at time zone 'UTC' + interval '1 month') at time zone 'UTC';
        name := 'ledger_transfer_' || to_char(begins at time zone 'UTC', 'YYYY_MM');
        begin
            execute format('create table %I (like ledger_transfer including defaults including constraints)', name);
            -- Unlike "partition of", this lets others write meanwhile.
            execute format('alter table ledger_transfer attach partition %I for values from (%L) to (%L)',
                name, uuid_from(begins), uuid_from(ends));
            execute format('create trigger ledger_transfer_never_emptied before truncate on %I
                for each statement execute function refuse_change()', name);
        exception when check_violation then
            -- Rows of that month came before its partition did: it stays where they are.
            name := 'ledger_transfer_rest';
        end;
        insert into ledger_partition (begins_at, ends_at, name) values (begins, ends, name);
        begins := ends;
        made := made + 1;
    end loop;
    return made;
end;
$$;

select make_ledger_partitions(now() + interval '3 months');

-- What came by a payment.
create index settlement_payment_id on settlement (payment_id);
