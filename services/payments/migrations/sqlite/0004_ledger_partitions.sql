-- A file has no partitions: those are PostgreSQL's.

-- What came by a payment.
create index settlement_payment_id on settlement (payment_id);
