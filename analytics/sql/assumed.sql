-- assumed    grain: one row per principal_arn that was become, caller, caller_account_id, network, via_service
-- reads: role_session (of all loads), session_caller (who a caller_ref is), windows
-- Over the widest window. caller: the principal's ARN where it is known, a service's host name, the ARN of a SAML or OIDC
-- provider, or 'console'. denied: asked for and refused, so that calls - denied sessions were opened.
create table assumed as
with one_copy as (  -- as in call_day.sql: the caller's own copy names who it was
    select * replace (1 as calls, least(denied, 1) as denied)
    from role_session
    where shared_event_id is not null
    qualify row_number() over (
        partition by shared_event_id
        order by
            (caller_ref like 'arn:%') desc, callers_copy desc, caller_ref, principal_ref, caller_account_id, network,
            invoked_by, first_time, denied
    ) = 1
),
counted as (
    select * from role_session where shared_event_id is null
    union all by name
    select * from one_copy
),
own_window as (select * from windows order by window_days desc limit 1)
select
    counted.principal_ref as principal_arn,
    case
        when starts_with(counted.caller_ref, 'provider:') then substr(counted.caller_ref, 10)
        when counted.caller_ref = 'console' then 'console'
        else session_caller.principal_arn
    end as caller,
    coalesce(counted.caller_account_id, session_caller.account_id) as caller_account_id,
    counted.network,
    case when not starts_with(counted.caller_ref, 'service:') then counted.invoked_by end as via_service,
    sum(counted.calls)::bigint as calls,
    sum(counted.denied)::bigint as denied,
    min(counted.first_time) as first_time,
    max(counted.last_time) as last_time
from counted
join own_window on counted.day between own_window.window_start and own_window.window_end
left join session_caller
    on session_caller.principal_ref = counted.caller_ref
    and session_caller.seen_account_id is not distinct from counted.caller_account_id
group by all
order by principal_arn, calls desc, caller
