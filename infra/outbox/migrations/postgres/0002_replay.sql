-- Who had a dead message sent again, and why.
create table outbox_replay (
    id uuid primary key,
    message_id uuid not null references outbox_message (id) on delete cascade,
    replayed_at timestamptz not null,
    replayed_by text not null,
    reason text not null,
    last_error text
);

create index outbox_replay_message on outbox_replay (message_id);

create index outbox_message_dead on outbox_message (dead_at, id) where dead_at is not null;
