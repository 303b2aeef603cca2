-- source_file (work.duckdb)    grain: one row per source file of a load
-- reads: events (canonical view over the files of one load), inspected (path, size, modified_ns, layout, rows)
-- params: $load_id
insert into source_file by name
with seen as (
    select
        source_file as path,
        count(*) as rows_read,
        count(*) filter (event_time is null or event_source is null or event_name is null) as rows_rejected,
        min(event_time) as first_event,
        max(event_time) as last_event
    from events
    group by source_file
)
select
    inspected.path, size, modified_ns, $load_id as load_id, layout,
    coalesce(rows_read, 0) as rows_read, coalesce(rows_rejected, 0) as rows_rejected, first_event, last_event,
    case
        when coalesce(rows_rejected, 0) > 0
            then rows_rejected || ' rows lack an event time, source or name; they are left out of every figure'
    end as problem
from inspected
left join seen on seen.path = inspected.path
