-- policy_change (a Parquet file a load)    grain: one row per recorded copy of an event that changes who may do what
-- reads: trust_event
select
    coalesce(event_id, md5(concat_ws('|', event_time, event_source, event_name, signer_ref, request_parameters))) as event_id,
    event_time, event_source, event_name, signer_ref as actor_ref, identity_account_id as actor_account_id,
    coalesce(recipient_account_id, identity_account_id) as account_id,
    coalesce(recipient_account_id = identity_account_id, false) as callers_copy,
    error_code, shared_event_id, request_parameters
from trust_event
where event_source not in ('sts.amazonaws.com', 'signin.amazonaws.com')
