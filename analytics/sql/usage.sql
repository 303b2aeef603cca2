-- usage    grain: one row per principal_arn, action, account_id (the caller's), region, UTC day, match
-- reads: call_day, caller (who a principal_ref is), event_action (what an event needs), error_outcome (what an error says)
-- match: all = the action was needed; any = one of several was; also = it may have been needed.
-- denied: refused by a policy. throttled: refused before authorisation was decided. The rest is use, errors included.
create table usage as
select
    caller.principal_arn,
    event_action.action,
    coalesce(call_day.account_id, caller.account_id) as account_id,
    call_day.region,
    call_day.day,
    event_action.match,
    sum(call_day.calls)::bigint as calls,
    coalesce(sum(call_day.calls) filter (error_outcome.outcome = 'denied'), 0)::bigint as denied,
    coalesce(sum(call_day.calls) filter (error_outcome.outcome = 'before_authorization'), 0)::bigint as throttled,
    min(call_day.first_time) as first_time,
    max(call_day.last_time) as last_time
from call_day
join caller
    on caller.principal_ref = call_day.principal_ref and caller.seen_account_id is not distinct from call_day.account_id
join event_action
    on event_action.event_source = call_day.event_source
    and event_action.event_name = call_day.event_name
    and event_action.event_type is not distinct from call_day.event_type
left join error_outcome on error_outcome.error_code = call_day.error_code
where event_action.action is not null
group by all
