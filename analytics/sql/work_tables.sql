-- source_file (work.duckdb)    grain: one row per source file that a load holds, or that could not be read
-- The ingester's manifest. A load is a batch of files that is committed, and replaced, whole; its tables are Parquet files
-- beside the database (sources/loads.py). No number is given twice: a file of that name may still be in a cache.
create table source_file (
    path varchar primary key, size bigint, modified_ns bigint, load_id integer, layout varchar,
    rows_read bigint, rows_rejected bigint, first_event timestamp, last_event timestamp, problem varchar
);
create sequence if not exists load_number
