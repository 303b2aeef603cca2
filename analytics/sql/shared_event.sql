-- shared_event (work.duckdb)    grain: one row per recorded copy of an event that two accounts log (sharedEventID)
-- reads: events (canonical view over the files of one load)    params: $load_id
-- Copies may lie in different loads, so they are told apart only when a build reads them (call_day.sql).
insert into shared_event by name
select
    $load_id as load_id,
    shared_event_id,
    coalesce(recipient_account_id = identity_account_id, false) as callers_copy,
    coalesce(issuer_arn, principal_ref(
        event_type, event_source, identity_type, identity_arn, identity_principal_id, identity_user_name, invoked_by
    )) as principal_ref,
    identity_account_id as account_id,
    event_source,
    event_name,
    event_type,
    aws_region as region,
    event_time,
    error_code,
    invoked_by,
    read_only
from events
where shared_event_id is not null and event_time is not null and event_source is not null and event_name is not null
