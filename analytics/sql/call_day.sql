-- call_day (temporary)    grain: one row per principal_ref, account, event, region, UTC day, error code, via_service, own_log
-- reads: rollup (the view over the files of all loads)
-- A call that both accounts logged counts once: the caller's own copy if there is one, it names the principal.
-- via_service: the AWS service that made the call with the principal's permission; null for a service on its own behalf.
-- own_log: the caller's account logged it, so it shows what that account's log holds (an `id:` is seen from outside).
-- is_call: Insight events tell of no call, network activity events tell of a call again (eventType).
create or replace temp table call_day as
with one_copy as (
    select * replace (1 as calls), bool_or(callers_copy) over (partition by shared_event_id) as own_log
    from rollup
    where shared_event_id is not null
    qualify row_number() over (
        partition by shared_event_id
        order by  -- to the last column, so that the same copies give the same row whatever the order they were read in
            (principal_ref like 'arn:%') desc, callers_copy desc, principal_ref, first_time, account_id, event_source,
            event_name, event_type, region, error_code, invoked_by, read_only
    ) = 1
),
counted as (
    select *, not starts_with(principal_ref, 'id:') as own_log from rollup where shared_event_id is null
    union all by name
    select * from one_copy
),
named as (  -- a service event belongs to the service, whoever it is about; nobody signed an anonymous call
    select * replace (
        case when event_type = 'AwsServiceEvent' then 'service:' || event_source else principal_ref end as principal_ref,
        nullif(account_id, 'ANONYMOUS_PRINCIPAL') as account_id
    )
    from counted
)
select
    principal_ref, account_id, event_source, event_name, event_type, region, day, error_code,
    case when not starts_with(principal_ref, 'service:') then invoked_by end as via_service,
    own_log, coalesce(event_type not in ('AwsCloudTrailInsight', 'AwsVpceEvent'), true) as is_call,
    sum(calls)::bigint as calls, bool_or(read_only) as read_only,
    min(first_time) as first_time, max(last_time) as last_time
from named
group by all
