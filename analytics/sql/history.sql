-- history    grain: one row per build_id, metric: this build's figures; earlier builds' rows are added behind
-- reads: build, principals, gap_identity, accounts, windows, usage
create table history as
with own_window as (select max(window_days) as window_days from windows),
judged as (
    select principals.*, gap_identity.* exclude (principal_arn, calls, last_used), gap_identity.calls as window_calls
    from principals
    join gap_identity using (principal_arn)
    join own_window using (window_days)
    where principals.in_snapshot and principals.kind <> 'service-linked role'
),
figures as (
    select
        count(*)::double as identities,
        sum(granted)::double as granted,
        sum(used)::double as used,
        sum(possible)::double as possible,
        sum(unused)::double as unused,
        sum(unobserved)::double as unobserved,
        sum(granted_weight) as granted_weight,
        sum(unused_weight) as unused_weight,
        count(*) filter (window_calls = 0 and not is_new and granted_weight > 0)::double as dormant,
        count(*) filter (is_new)::double as new_identities,
        count(*) filter (owner is null)::double as unowned,
        (select count(*) from accounts where collected not in ('ok', 'outside'))::double as accounts_not_collected,
        (select sum(calls) from principals)::double as calls,
        (select sum(denied) from principals)::double as denied
    from judged
)
select build.id as build_id, build.created_at, build.window_end, metric, value
from (unpivot figures on columns(*) into name metric value value)
cross join build
