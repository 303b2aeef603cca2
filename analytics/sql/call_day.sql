-- call_day (temporary)    grain: one row per principal_ref, account, event, region, UTC day, error code, via_service
-- reads: rollup, shared_event
-- A call that both accounts logged counts once: the caller's own copy if there is one, it names the principal.
-- via_service: the AWS service that made the call with the principal's permission; null for a service on its own behalf.
create or replace temp table call_day as
with one_copy as (
    select * from shared_event
    qualify row_number() over (
        partition by shared_event_id
        order by (principal_ref like 'arn:%') desc, callers_copy desc, principal_ref, event_time, load_id
    ) = 1
),
shared as (
    select
        principal_ref, account_id, event_source, event_name, event_type, region, event_time::date as day, error_code, invoked_by,
        1 as calls, read_only::integer as read_only_calls, event_time as first_time, event_time as last_time
    from one_copy
)
select
    principal_ref, account_id, event_source, event_name, event_type, region, day, error_code,
    case when not starts_with(principal_ref, 'service:') then invoked_by end as via_service,
    sum(calls)::bigint as calls, coalesce(sum(read_only_calls), 0)::bigint as read_only_calls,
    min(first_time) as first_time, max(last_time) as last_time
from (select * exclude (load_id) from rollup union all by name select * from shared)
group by all
