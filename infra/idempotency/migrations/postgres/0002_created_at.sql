-- For forgetting old keys, oldest first.
create index idempotency_key_created_at on idempotency_key (created_at);
