-- rollup (work.duckdb)    grain: one row per load, principal_ref, account, event, region, UTC day, error code, via_service
-- reads: events (canonical view over the files of one load)    params: $load_id
insert into rollup by name
select
    $load_id as load_id,
    principal_ref(
        event_type, event_source, identity_type, identity_arn, identity_principal_id, identity_user_name, issuer_arn, invoked_by
    ) as principal_ref,
    coalesce(identity_account_id, issuer_account_id) as account_id,
    event_source,
    event_name,
    event_type,
    aws_region as region,
    event_time::date as day,
    error_code,
    case when identity_type = 'AWSService' or event_type = 'AwsServiceEvent' then null else invoked_by end as via_service,
    count(*) as calls,
    count(*) filter (read_only) as read_only_calls,
    min(event_time) as first_time,
    max(event_time) as last_time
from events
where event_time is not null and event_source is not null and event_name is not null and shared_event_id is null
group by all
