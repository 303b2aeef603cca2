-- rollup (work.duckdb)    grain: one row per load, principal_ref, account, event, region, UTC day, error code, invoked_by
-- reads: events (canonical view over the files of one load)    params: $load_id
-- Rows are left out after grouping, not before: a filter on every event costs more than a few groups too many. That the
-- condition names `calls` keeps DuckDB from moving it in front of the grouping again.
insert into rollup by name
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
        shared_event_id is null as of_one_account,
        count(*) as calls,
        count(*) filter (read_only) as read_only_calls,
        count(read_only) as read_only_told,  -- calls of which the record says whether they only read
        min(event_time) as first_time,
        max(event_time) as last_time
    from events
    group by all
)
select $load_id as load_id, * exclude (of_one_account)
from grouped
where case when calls > 0 then of_one_account and day is not null and event_source is not null and event_name is not null end
