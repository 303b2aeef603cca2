-- history    grain: one row per build_id, metric: this build's figures; earlier builds' rows are added behind
-- reads: build, principals, gap_identity, accounts, windows, principal_day, risk
create table history as
with own_window as (select * from windows order by window_days desc limit 1),
judged as (
    select principals.*, gap_identity.* exclude (principal_arn, calls, last_used), own_window.window_start, accounts.days_covered
    from principals
    join gap_identity using (principal_arn)
    join own_window using (window_days)
    left join accounts using (account_id)
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
        -- dormant: neither logs nor IAM's own "last used" show use in the window, and one of them could have
        count(*) filter (
            not is_new and granted_weight > 0 and (last_used is null or last_used < window_start)
            and (coalesce(days_covered, 0) > 0 or last_used is not null)
        )::double as dormant,
        count(*) filter (is_new)::double as new_identities,
        count(*) filter (owner is null)::double as unowned,
        (select count(*) from risk where band = 'critical')::double as critical,
        (select count(*) from risk where band = 'high')::double as high,
        (select count(*) from accounts where collected not in ('ok', 'outside'))::double as accounts_not_collected,
        (select sum(calls) from principal_day, own_window where day >= window_start)::double as calls,
        (select sum(denied) from principal_day, own_window where day >= window_start)::double as denied
    from judged
)
select build.id as build_id, build.created_at, build.window_end, metric, value
from (unpivot figures on columns(*) into name metric value value)
cross join build
