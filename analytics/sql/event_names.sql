-- event_names    grain: one row per event_source, event_name, event_type
-- reads: call_day, event_action
create table event_names as
with resolved as (
    select
        event_source, event_name, event_type, any_value(outcome) as outcome,
        string_agg(action, ', ' order by action) as actions
    from event_action
    group by all
),
counted as (
    select event_source, event_name, event_type, sum(calls)::bigint as events from call_day group by all
)
select counted.*, resolved.outcome, resolved.actions
from counted
join resolved
    on resolved.event_source = counted.event_source
    and resolved.event_name = counted.event_name
    and resolved.event_type is not distinct from counted.event_type
order by events desc, counted.event_source, counted.event_name
