-- shared_event (work.duckdb)    grain: one row per recorded copy of an event that two accounts log (sharedEventID)
-- reads: events (canonical view over the files of one load)    params: $load_id
-- Copies may lie in different loads, so they are told apart only when a build reads them (call_day.sql).
insert into shared_event by name
select
    $load_id as load_id,
    shared_event_id,
    coalesce(recipient_account_id = coalesce(identity_account_id, issuer_account_id), false) as callers_copy,
    principal_ref(
        event_type, event_source, identity_type, identity_arn, identity_principal_id, identity_user_name, issuer_arn, invoked_by
    ) as principal_ref,
    coalesce(identity_account_id, issuer_account_id) as account_id,
    event_source,
    event_name,
    event_type,
    aws_region as region,
    event_time,
    error_code,
    case when identity_type = 'AWSService' or event_type = 'AwsServiceEvent' then null else invoked_by end as via_service,
    read_only
from events
where event_time is not null and event_source is not null and event_name is not null and shared_event_id is not null
