-- account_coverage    grain: one row per account_id (the caller's), window_days
-- reads: call_day, caller, event_action, windows, actions
-- What the export holds of an account's own log: a class of events that is wholly missing is not logged, so its silence
-- says nothing. Calls that only another account logged say nothing of it either.
create table account_coverage as
with named as (
    select
        coalesce(call_day.account_id, caller.account_id) as account_id, day, calls, read_only,
        first_time, last_time, call_day.event_source, call_day.event_name, call_day.event_type, call_day.own_log
    from call_day
    join caller
        on caller.principal_ref = call_day.principal_ref and caller.seen_account_id is not distinct from call_day.account_id
    where call_day.is_call
),
about as (  -- what an event is by the actions it needs, where the record does not say (readOnly, managementEvent)
    select
        event_source, event_name, event_type,
        bool_and(actions.access_level in ('read', 'list')) as only_reads,
        bool_or(actions.visibility = 'data') as is_data_event
    from event_action
    join actions using (action)
    where event_action.match <> 'also'
    group by all
)
select
    named.account_id,
    windows.window_days,
    coalesce(sum(named.calls) filter (own_log), 0)::bigint as calls,
    count(distinct named.day) filter (own_log)::integer as days_covered,
    min(named.first_time) filter (own_log) as first_event,
    max(named.last_time) filter (own_log) as last_event,
    coalesce(bool_or(coalesce(named.read_only, about.only_reads))
        filter (own_log and about.is_data_event is not true), false) as sees_read_only,
    coalesce(bool_or(named.event_source like 'kms.amazonaws.com%') filter (own_log), false) as sees_kms
from named
join windows on named.day between windows.window_start and windows.window_end
left join about
    on about.event_source = named.event_source
    and about.event_name = named.event_name
    and about.event_type is not distinct from named.event_type
where named.account_id is not null
group by all
