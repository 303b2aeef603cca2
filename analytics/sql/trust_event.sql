-- trust_event (temporary)    grain: one row per event of a load whose parameters matter for trust or for policies
-- reads: events (canonical view over the files of one load), trust_event_name (policy_events.csv)
-- One pass decodes the parameters for both tables that are made from it; the sources come first, they cost the least.
create or replace temp table trust_event as
select
    event_id, event_time, event_source, event_name, error_code, error_message, source_ip_address, invoked_by,
    coalesce(issuer_arn, principal_ref(
        event_type, event_source, identity_type, identity_arn, identity_principal_id, identity_user_name, invoked_by
    )) as signer_ref,
    identity_type, identity_arn, identity_principal_id, identity_account_id, identity_provider, recipient_account_id,
    shared_event_id, request_parameters
from events
where event_source in (
    'sts.amazonaws.com', 'iam.amazonaws.com', 'organizations.amazonaws.com', 'sso.amazonaws.com', 'signin.amazonaws.com'
) and event_time is not null
    and (event_source, event_name) in (select (event_source, event_name) from trust_event_name)
