-- Orders of the second bank.
alter table payment_order drop constraint payment_order_rail_known;
alter table payment_order add constraint payment_order_rail_known check (rail in ('qr', 'deeplink', 'gwallet', 'kbank'));
alter table refund drop constraint refund_provider_known;
alter table refund add constraint refund_provider_known check (provider in ('bank', 'gwallet', 'kbank'));
create index refund_created_at on refund (created_at);
