-- role_session (a Parquet file a load)    grain: one row per principal_ref that was become, caller_ref, caller_account_id,
-- network, invoked_by, UTC day, and, of events that two accounts log, per sharedEventID and side (told apart when a build
-- reads them: assumed.sql)
-- reads: trust_event
-- A session of a role (AssumeRole…) or of an account's root user (AssumeRoot), or a sign-in of a user to the console: AWS STS
-- API Reference; CloudTrail User Guide, "AWS Management Console sign-in events". caller_ref is a principal_ref, 'provider:' and its ARN, or 'console'. denied:
-- refused for whatever reason, so that no session came of it. Who asked for no role that the record names is left out.
with opened as (
    select
        *,
        case
            when event_name = 'ConsoleLogin' and identity_type in ('IAMUser', 'Root') then identity_arn
            when event_name = 'AssumeRoot' then regexp_replace(  -- of a member account, by its id or its ARN
                try(json_extract_string(request_parameters, '$.targetPrincipal')), '^(\d{12})$', 'arn:aws:iam::\1:root'
            )
            when event_name <> 'ConsoleLogin' then coalesce(
                try(json_extract_string(request_parameters, '$.roleArn')),
                -- a refused request may be logged without its parameters
                nullif(regexp_extract(error_message, 'on resource: (arn:\S+)', 1), '')
            )
        end as principal_ref,
        case event_name
            when 'ConsoleLogin' then 'console'
            when 'AssumeRoleWithSAML' then 'provider:' || try(json_extract_string(request_parameters, '$.principalArn'))
            when 'AssumeRoleWithWebIdentity' then 'provider:' || coalesce(
                identity_provider, nullif(regexp_extract(identity_principal_id, '^arn:.*?:oidc-provider/[^:]+'), ''),
                split_part(identity_principal_id, ':', 1)
            )
        end as asked_through
    from trust_event
    where event_source in ('sts.amazonaws.com', 'signin.amazonaws.com')
)
select
    principal_ref,
    coalesce(asked_through, signer_ref) as caller_ref,
    case when asked_through is null and identity_type is distinct from 'AWSService' then identity_account_id end
        as caller_account_id,
    network_of(source_ip_address) as network,
    invoked_by,
    event_time::date as day,
    shared_event_id,
    case when shared_event_id is not null then coalesce(recipient_account_id = identity_account_id, false) end
        as callers_copy,
    count(*) as calls,
    -- a sign-in that failed says so by its message alone
    count(*) filter (error_code is not null or (event_name = 'ConsoleLogin' and error_message is not null)) as denied,
    min(event_time) as first_time,
    max(event_time) as last_time
from opened
where principal_ref is not null
group by all
