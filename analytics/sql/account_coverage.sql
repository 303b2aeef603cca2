-- account_coverage    grain: one row per account_id (the caller's), window_days
-- reads: call_day, caller, event_action, windows, actions
-- What the export holds of an account: a class of events that is wholly missing is not logged, so its silence says nothing.
create table account_coverage as
with named as (
    select
        coalesce(call_day.account_id, caller.account_id) as account_id, day, calls, read_only_calls, first_time, last_time,
        call_day.event_source, call_day.event_name, call_day.event_type
    from call_day
    join caller
        on caller.principal_ref = call_day.principal_ref and caller.seen_account_id is not distinct from call_day.account_id
),
reading as (  -- events that only read, by the action they need: for layouts without the readOnly column
    select distinct event_source, event_name, event_type
    from event_action
    join actions using (action)
    where actions.access_level in ('read', 'list')
)
select
    named.account_id,
    windows.window_days,
    sum(named.calls)::bigint as calls,
    count(distinct named.day)::integer as days_covered,
    min(named.first_time) as first_event,
    max(named.last_time) as last_event,
    bool_or(named.read_only_calls > 0 or reading.event_source is not null) as sees_read_only,
    bool_or(named.event_source = 'kms.amazonaws.com') as sees_kms
from named
join windows on named.day between windows.window_start and windows.window_end
left join reading
    on reading.event_source = named.event_source
    and reading.event_name = named.event_name
    and reading.event_type is not distinct from named.event_type
where named.account_id is not null
group by all
