-- Messages that leave this service, and the ones it has received.
create table outbox_message (
    id uuid primary key,
    topic text not null,
    payload jsonb not null,
    created_at timestamptz not null,
    not_before timestamptz not null,
    attempts bigint not null default 0,
    last_error text,
    delivered_at timestamptz,
    dead_at timestamptz
);

create index outbox_message_due on outbox_message (not_before) where delivered_at is null and dead_at is null;

create index outbox_message_delivered on outbox_message (delivered_at) where delivered_at is not null;

create table inbox_message (
    consumer text not null,
    message_id uuid not null,
    received_at timestamptz not null,
    primary key (consumer, message_id)
);

create index inbox_message_received on inbox_message (received_at);
