-- health    grain: one row per source file
-- reads: source_file (work.duckdb)
create table health as
select path, layout, rows_read, rows_rejected, first_event, last_event, problem from source_file order by path
