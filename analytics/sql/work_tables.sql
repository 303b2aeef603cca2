-- source_file, rollup, shared_event (work.duckdb)    grain: said at each table
-- The ingester's own tables. A load is one committed batch of files: the unit that is replaced.
create table if not exists source_file (  -- grain: one row per source file that a load holds, or that could not be read
    path varchar primary key, size bigint, modified_ns bigint, load_id integer, layout varchar,
    rows_read bigint, rows_rejected bigint, first_event timestamp, last_event timestamp, problem varchar
);
create table if not exists rollup (  -- grain: see rollup.sql
    load_id integer, principal_ref varchar, account_id varchar, event_source varchar, event_name varchar,
    event_type varchar, region varchar, day date, error_code varchar, invoked_by varchar,
    calls bigint, read_only_calls bigint, read_only_told bigint, first_time timestamp, last_time timestamp
);
create table if not exists shared_event (  -- grain: see shared_event.sql
    load_id integer, shared_event_id varchar, callers_copy boolean, principal_ref varchar, account_id varchar,
    event_source varchar, event_name varchar, event_type varchar, region varchar, event_time timestamp,
    error_code varchar, invoked_by varchar, read_only boolean
)
