-- source_file (work.duckdb)    grain: one row per source file of a load
-- reads: inspected (a row per file of the load, from its footer, or counted where the footer does not say)
-- params: $load_id
insert into source_file by name
select
    path, size, modified_ns, $load_id as load_id, layout, rows_read, rows_rejected, first_event, last_event,
    case
        when rows_rejected > 0
            then rows_rejected || ' rows lack an event time, source or name; they are left out of every figure'
    end as problem
from inspected
