-- principal_day    grain: one row per principal_arn, UTC day: its calls, each counted once whatever actions it needed
-- reads: call_day, caller, error_outcome
create table principal_day as
select
    caller.principal_arn,
    call_day.day,
    sum(call_day.calls)::bigint as calls,
    coalesce(sum(call_day.calls) filter (error_outcome.outcome = 'denied'), 0)::bigint as denied
from call_day
join caller
    on caller.principal_ref = call_day.principal_ref and caller.seen_account_id is not distinct from call_day.account_id
left join error_outcome on error_outcome.error_code = call_day.error_code
where call_day.is_call
group by caller.principal_arn, call_day.day
order by caller.principal_arn, call_day.day
