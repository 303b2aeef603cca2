-- gap_identity    grain: one row per principal_arn, window_days: the totals of gap_service
-- reads: principals, windows, gap_service
create table gap_identity as
select
    principals.principal_arn,
    windows.window_days,
    case when principals.in_snapshot then coalesce(sum(granted), 0) end::integer as granted,
    case when principals.in_snapshot then coalesce(sum(surely), 0) end::integer as surely,
    coalesce(sum(used), 0)::integer as used,
    coalesce(sum(possible), 0)::integer as possible,
    case when principals.in_snapshot then coalesce(sum(unused), 0) end::integer as unused,
    case when principals.in_snapshot then coalesce(sum(unobserved), 0) end::integer as unobserved,
    case when principals.in_snapshot then coalesce(sum(used_not_granted), 0) end::integer as used_not_granted,
    case when principals.in_snapshot then round(coalesce(sum(granted_weight), 0), 2) end as granted_weight,
    case when principals.in_snapshot then round(coalesce(sum(unused_weight), 0), 2) end as unused_weight,
    case when principals.in_snapshot then round(coalesce(sum(unobserved_weight), 0), 2) end as unobserved_weight,
    coalesce(sum(gap_service.calls), 0)::bigint as calls,
    max(gap_service.last_used) as last_used,
    case when principals.in_snapshot then count(*) filter (granted > 0) end::integer as services,
    count(*) filter (used + possible + coalesce(used_not_granted, 0) > 0)::integer as services_used
from principals
cross join windows
left join gap_service
    on gap_service.principal_arn = principals.principal_arn and gap_service.window_days = windows.window_days
group by principals.principal_arn, windows.window_days, principals.in_snapshot
