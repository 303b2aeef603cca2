-- principal_ref(...) (macro)    grain: one value per event: who made a call that has no session issuer
-- An ARN, or kind ':' name, that the snapshot resolves later (sources/identity.py). With an issuer, that is who it is.
-- CloudTrail User Guide, "CloudTrail userIdentity element".
create or replace temp macro principal_ref(
    event_type, event_source, identity_type, identity_arn, identity_principal_id, identity_user_name, invoked_by
) as case
    when event_type = 'AwsServiceEvent' then 'service:' || event_source
    when identity_type in ('IAMUser', 'Root') and identity_arn is not null then identity_arn
    when identity_type = 'AssumedRole' and identity_arn is not null
        then 'session:' || coalesce(nullif(regexp_extract(identity_arn, '^arn:[^:]*:sts::[^:]*:assumed-role/[^/]+'), ''), identity_arn)
    when identity_type in ('SAMLUser', 'WebIdentityUser', 'IdentityCenterUser', 'FederatedUser')
        then 'federated:' || identity_type || ':' || coalesce(identity_user_name, identity_principal_id, 'unnamed')
    when identity_type = 'AWSAccount' then 'id:' || coalesce(split_part(identity_principal_id, ':', 1), '')
    when identity_type = 'AWSService' or (identity_type is null and invoked_by is not null)
        then 'service:' || coalesce(invoked_by, event_source)
    when identity_arn is not null and identity_type is null then identity_arn
    else 'unknown:' || coalesce(split_part(identity_principal_id, ':', 1), '')
end
