-- gap_service    grain: one row per principal_arn, service with a grant or use, window_days
-- reads: principals, observable, granted_service, seen_action, seen_fact (what reach says of each seen_action), windows
-- granted = used + possible + unused + unobserved. A principal without a snapshot has use only: its grants are null, not 0.
create table gap_service as
with seen as (
    select
        principal_arn, window_days, service,
        count(*) filter (used and in_reach is not false)::integer as used,
        count(*) filter (not used and in_reach is not false)::integer as possible,
        count(*) filter (observable)::integer as seen_observable,
        count(*) filter (used and in_reach = false)::integer as used_not_granted,
        coalesce(sum(weight), 0) as seen_weight,
        coalesce(sum(observable_weight), 0) as seen_observable_weight,
        sum(calls)::bigint as calls,
        max(last_used) as last_used
    from seen_action
    join seen_fact using (seen_id)
    group by all
),
granted as (
    select principals.principal_arn, windows.window_days, granted_service.*
    from principals
    cross join windows
    left join observable
        on observable.account_id = principals.account_id and observable.window_days = windows.window_days
    join granted_service
        on granted_service.reach_id = principals.reach_id
        and granted_service.profile_id = coalesce(observable.profile_id, 0)
),
joined as (
    select
        coalesce(granted.principal_arn, seen.principal_arn) as principal_arn,
        coalesce(granted.service, seen.service) as service,
        coalesce(granted.window_days, seen.window_days) as window_days,
        granted.granted, granted.surely, granted.observable, granted.granted_weight, granted.observable_weight,
        coalesce(seen.used, 0) as used, coalesce(seen.possible, 0) as possible,
        coalesce(seen.seen_observable, 0) as seen_observable, coalesce(seen.used_not_granted, 0) as used_not_granted,
        coalesce(seen.seen_weight, 0) as seen_weight, coalesce(seen.seen_observable_weight, 0) as seen_observable_weight,
        coalesce(seen.calls, 0) as calls, seen.last_used
    from granted
    full join seen
        on seen.principal_arn = granted.principal_arn
        and seen.service = granted.service
        and seen.window_days = granted.window_days
)
select
    joined.principal_arn, joined.service, joined.window_days,
    case when principals.in_snapshot then coalesce(granted, 0) end as granted,
    case when principals.in_snapshot then coalesce(surely, 0) end as surely,
    used, possible,
    case when principals.in_snapshot then coalesce(observable, 0) - seen_observable end as unused,
    case when principals.in_snapshot
        then coalesce(granted, 0) - coalesce(observable, 0) - (used + possible - seen_observable) end as unobserved,
    case when principals.in_snapshot then used_not_granted end as used_not_granted,
    case when principals.in_snapshot then round(coalesce(granted_weight, 0), 2) end as granted_weight,
    case when principals.in_snapshot
        then round(greatest(coalesce(observable_weight, 0) - seen_observable_weight, 0), 2) end as unused_weight,
    case when principals.in_snapshot then round(greatest(
        coalesce(granted_weight, 0) - coalesce(observable_weight, 0) - (seen_weight - seen_observable_weight), 0
    ), 2) end as unobserved_weight,
    joined.calls, joined.last_used
from joined
join principals on principals.principal_arn = joined.principal_arn
order by joined.window_days, joined.principal_arn, joined.service
