-- changes    grain: one row per event_id that changes who may do what: policies, trust, boundaries, keys, accounts
-- reads: policy_change (of all loads), policy_event (policy_events.csv), actor (who an actor_ref is), principals
-- All of the kept history, whatever the window. subject: the ARN of what was changed, the id of a node of the organisation,
-- a name where the record has no more, or null for the organisation as a whole. CloudTrail does not log the path of most
-- names: it is taken from `principals`, else to be `/`. actor: as `principals` has it.
create table changes as
with one_copy as (
    select *
    from policy_change
    qualify row_number() over (
        partition by coalesce(shared_event_id, event_id)
        order by
            callers_copy desc, (actor_ref like 'arn:%') desc, event_id, actor_ref, account_id, actor_account_id, error_code,
            request_parameters
    ) = 1
),
told as (
    select
        one_copy.*, policy_event.* exclude (event_source, event_name), actor.principal_arn as actor,
        try(json_extract_string(request_parameters, '$.' || subject_key)) as named,
        try(json_extract_string(request_parameters, '$.' || policy_key)) as policy,
        try(json_extract_string(request_parameters, '$.versionId')) as version_id,
        coalesce(try(json_extract_string(request_parameters, '$.path')), '/') as path,
        'arn:' || coalesce(nullif(regexp_extract(actor.principal_arn, '^arn:([^:]+):', 1), ''), 'aws') || ':iam::'
            || one_copy.account_id || ':' as account_arn
    from one_copy
    join policy_event
        on policy_event.event_source = one_copy.event_source and policy_event.event_name = one_copy.event_name
    left join actor
        on actor.principal_ref = one_copy.actor_ref and actor.seen_account_id is not distinct from one_copy.actor_account_id
),
known as (
    select
        account_id, name, if(kind = 'user', 'user', 'role') as subject_kind,
        first(principal_arn order by in_snapshot desc, principal_arn) as principal_arn
    from principals
    where kind = 'user' or kind like '%role'
    group by all
)
select
    event_id, event_time, actor, told.account_id, event_name,
    case
        when named like 'arn:%' then named
        when told.subject_kind = 'account' then told.account_id
        when told.subject_kind in ('role', 'user') then coalesce(
            known.principal_arn, account_arn || told.subject_kind || path || named
        )
        when told.subject_kind in ('group', 'policy') then account_arn || told.subject_kind || path || named
        when subject_key = 'url' then account_arn || 'oidc-provider/' || regexp_replace(named, '^https?://', '')
        when told.subject_kind = 'provider' then account_arn || 'saml-provider/' || named
        else named
    end as subject,
    policy,
    replace(replace(replace(
        summary,
        '{versionId}', coalesce(version_id, '(unknown)')),
        '{policy}', coalesce(regexp_extract(policy, '[^/]*$'), '(unknown)')),
        '{subject}', coalesce(regexp_extract(named, '[^/]*$'), '(unknown)')) as summary,
    error_code is null as succeeded
from told
left join known
    on known.account_id = told.account_id and known.name = told.named and known.subject_kind = told.subject_kind
order by event_time, event_id
