-- seen_action (temporary)    grain: one row per principal_arn, window_days, action with a call that was not denied
-- reads: usage, windows, actions, principals, observable
create or replace temp table seen_action as
with seen as (
    select
        usage.principal_arn,
        windows.window_days,
        actions.number,
        actions.service,
        any_value(principals.reach_id) as reach_id,
        any_value(observable.profile_id) as profile_id,
        bool_or(match = 'all' and usage.calls > usage.denied + usage.throttled) as used,
        sum(usage.calls - usage.denied)::bigint as calls,
        max(usage.last_time) as last_used
    from usage
    join windows on usage.day between windows.window_start and windows.window_end
    join actions using (action)
    join principals on principals.principal_arn = usage.principal_arn
    left join observable
        on observable.account_id = principals.account_id and observable.window_days = windows.window_days
    where usage.calls > usage.denied
    group by usage.principal_arn, windows.window_days, actions.number, actions.service
)
select row_number() over () - 1 as seen_id, * from seen
