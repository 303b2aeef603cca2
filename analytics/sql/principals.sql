-- principals    grain: one row per principal_arn, of the snapshot or seen in the logs
-- reads: identity_rows (snapshot), owner_rows (owners.csv), caller, call_day, error_outcome, accounts, windows
create table principals as
with seen as (
    select
        caller.principal_arn, any_value(caller.kind) as kind, any_value(caller.account_id) as account_id,
        sum(call_day.calls)::bigint as calls,
        coalesce(sum(call_day.calls) filter (error_outcome.outcome = 'denied'), 0)::bigint as denied,
        min(call_day.first_time) as first_call,
        max(call_day.last_time) as last_call
    from call_day
    join caller
        on caller.principal_ref = call_day.principal_ref and caller.seen_account_id is not distinct from call_day.account_id
    left join error_outcome on error_outcome.error_code = call_day.error_code
    where call_day.is_call
    group by caller.principal_arn
),
own_window as (select * from windows order by window_days desc limit 1)
select
    coalesce(identity_rows.principal_arn, seen.principal_arn) as principal_arn,
    coalesce(
        identity_rows.name,
        case when starts_with(seen.principal_arn, 'arn:') then regexp_extract(seen.principal_arn, '[^/:]*$') else seen.principal_arn end
    ) as name,
    coalesce(identity_rows.kind, seen.kind) as kind,
    coalesce(identity_rows.account_id, seen.account_id) as account_id,
    accounts.name as account_name, accounts.ou_path, accounts.environment,
    coalesce(identity_rows.owner, owner_rows.owner) as owner,
    case when identity_rows.owner is not null then 'tag' when owner_rows.owner is not null then 'owners.csv' end as owner_basis,
    identity_rows.tags, identity_rows.boundary_arn, identity_rows.boundary_name,
    identity_rows.principal_arn is not null as in_snapshot,
    seen.principal_arn is not null as seen_in_logs,
    identity_rows.created,
    greatest(identity_rows.last_used, seen.last_call) as last_used,
    case
        when seen.last_call is not null and (identity_rows.last_used is null or seen.last_call >= identity_rows.last_used) then 'logs'
        when identity_rows.last_used is not null then 'iam'
    end as last_used_basis,
    greatest(own_window.window_start, identity_rows.created::date) as judged_from,
    coalesce(identity_rows.created::date > own_window.window_start, false) as is_new,
    identity_rows.reach_id,
    coalesce(identity_rows.policies_not_collected, 0) as policies_not_collected,
    coalesce(identity_rows.boundary_not_collected, false) as boundary_not_collected,
    identity_rows.unique_id, identity_rows.path,
    coalesce(seen.calls, 0) as calls,
    coalesce(seen.denied, 0) as denied,
    seen.first_call
from identity_rows
full join seen on seen.principal_arn = identity_rows.principal_arn
left join owner_rows on owner_rows.principal_arn = coalesce(identity_rows.principal_arn, seen.principal_arn)
left join accounts on accounts.account_id = coalesce(identity_rows.account_id, seen.account_id)
cross join own_window
