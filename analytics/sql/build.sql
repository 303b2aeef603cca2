-- build    grain: the one row that says what this build is
-- reads: build_rows, windows, health, event_names, rollup (the ingester's)
create table build as
with own_window as (select * from windows order by window_days desc limit 1)
select
    build_rows.id, build_rows.created_at,
    own_window.window_start, own_window.window_end, own_window.window_days,
    build_rows.catalogue, build_rows.weights, build_rows.snapshot_taken_at,
    (select coalesce(sum(events), 0)::bigint from event_names) as events,
    -- further copies of calls that another account logged too: read, and not counted again
    (
        select coalesce(sum(calls)::bigint, 0) - count(distinct shared_event_id) from rollup where shared_event_id is not null
    ) as shared_copies,
    (select min(first_event) from health) as first_event,
    (select max(last_event) from health) as last_event,
    build_rows.has_snapshot, build_rows.has_organization, build_rows.organization_id, build_rows.format
from build_rows
cross join own_window
