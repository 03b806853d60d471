-- A file has no partitions: this is PostgreSQL's.
select 1;
