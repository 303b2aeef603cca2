-- rollup (a Parquet file a load)    grain: one row per principal_ref, account, event, region, UTC day, error code, invoked_by,
-- and, of events that two accounts log, per sharedEventID and side: their copies may lie in different loads, so they are
-- told apart only when a build reads them (call_day.sql).
-- reads: events (canonical view over the files of one load)
-- Rows are left out after grouping, not before: a filter on every event costs more than a few groups too many. That the
-- condition names `calls` keeps DuckDB from moving it in front of the grouping again.
with grouped as (
    select
        coalesce(issuer_arn, principal_ref(
            event_type, event_source, identity_type, identity_arn, identity_principal_id, identity_user_name, invoked_by
        )) as principal_ref,
        identity_account_id as account_id,
        event_source,
        event_name,
        event_type,
        aws_region as region,
        event_time::date as day,
        error_code,
        invoked_by,
        shared_event_id,
        case when shared_event_id is not null
            then coalesce(recipient_account_id = identity_account_id, false)
        end as callers_copy,
        count(*) as calls,
        bool_or(read_only) as read_only,  -- null: no record says whether it only read
        min(event_time) as first_time,
        max(event_time) as last_time
    from events
    group by all
)
select *
from grouped
where case when calls > 0 then day is not null and event_source is not null and event_name is not null end
