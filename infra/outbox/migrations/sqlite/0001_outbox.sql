-- Messages that leave this service, and the ones it has received.
create table outbox_message (
    id text primary key,
    topic text not null,
    payload text not null,
    created_at text not null,
    not_before text not null,
    attempts integer not null default 0,
    last_error text,
    delivered_at text,
    dead_at text
) strict;

create index outbox_message_due on outbox_message (not_before) where delivered_at is null and dead_at is null;

create index outbox_message_delivered on outbox_message (delivered_at) where delivered_at is not null;

create table inbox_message (
    consumer text not null,
    message_id text not null,
    received_at text not null,
    primary key (consumer, message_id)
) strict;

create index inbox_message_received on inbox_message (received_at);
