"""The questions of the baseline rules as reads of a build, by the id of the rule (`data/reference/check_rules.yaml`).

Each gives subject, account_id, owner, result (`fail` or `unknown`) and a sentence. Rows that pass are left out.
SUBJECT is the identities of the snapshot that their account can change; MOMENT the time that ages are told at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SUBJECT = """moment as (
    select coalesce((select any_value(taken_at) from snapshot), max(window_end) + interval 1 day)::timestamp as now
    from windows
),
subject as (
    select principals.*, now, accounts.days_covered
    from principals cross join moment left join accounts using (account_id)
    where in_snapshot and principals.kind <> 'service-linked role'
)"""

ADMIN_UNGUARDED = f"""
with {SUBJECT},
way as (  -- of each role: does every way in ask for MFA, or can it not be told
    select principal_arn,
        bool_and(regexp_matches(conditions::varchar, '(?i)"aws:MultiFactorAuth(Present is true|Age <[^"]*)"')
            and not contains(conditions::varchar, 'or is absent')) as all_mfa,
        bool_and(kind in ('saml', 'identity_center')) as told_elsewhere
    from trust where trust_class <> 'nobody' group by principal_arn
),
judged as (
    select subject.*, administrator,
        case when subject.kind in ('user', 'root') then mfa_active else all_mfa end as mfa,
        coalesce(told_elsewhere, false) as told_elsewhere
    from subject
    left join risk using (principal_arn)
    left join credentials using (principal_arn)
    left join way using (principal_arn)
    where (administrator is not null or policies_not_collected > 0) and boundary_arn is null and subject.kind <> 'root'
)
select principal_arn as subject, account_id, owner,
    if(administrator = 'surely' and mfa is not null and not told_elsewhere, 'fail', 'unknown') as result,
    case
        when administrator is null then 'not all of its policies are in the snapshot'
        when administrator <> 'surely' then 'perhaps an administrator, under conditions; no MFA or boundary is known'
        when told_elsewhere then 'an administrator without a boundary; whether MFA is asked for is decided outside AWS'
        when mfa is null then 'an administrator without a boundary; MFA is not known'
        else 'an administrator, without MFA and without a permissions boundary'
    end as detail
from judged where mfa is distinct from true"""

_TRUST = """select principal_arn as subject, account_id, owner, {result} as result, {detail} as detail
from trust join subject using (principal_arn) where {where}"""

TRUST_ANYONE = f"with {SUBJECT} " + _TRUST.format(
    result="if(surely, 'fail', 'unknown')",
    detail="party || if(surely, ' may become it', ' may perhaps become it: its trust policy does not tell for sure')",
    where="trust_class = 'anyone'",
)
TRUST_EXTERNAL_ID = f"with {SUBJECT} " + _TRUST.format(
    # Without an organisation in the snapshot an account that is not known may still be one's own.
    result="""if(trust_class = 'vendor' or (select organization_id from snapshot) is not null, 'fail', 'unknown')""",
    detail="""party || coalesce(' (' || party_name || ')', '') || ' may become it without an ExternalId'
        || if(trust_class = 'vendor' or (select organization_id from snapshot) is not null, '',
            '; the snapshot holds no organisation, so it may be an account of your own')""",
    where="trust_class in ('unknown_account', 'vendor')",
)
TRUST_OIDC_SUBJECT = f"with {SUBJECT} " + _TRUST.format(
    result="'fail'",
    detail="'any subject of ' || party || coalesce(' (' || party_name || ')', '') || ' may become it'",
    where="trust_class = 'oidc_any_subject'",
)
TRUST_UNUSED = f"with {SUBJECT} " + _TRUST.format(
    result="if(seen_calls = 0, 'fail', 'unknown')",
    detail="""party || coalesce(' (' || party_name || ')', '')
        || if(seen_calls = 0, ' never came in the window', ': the export would not have shown whether it came')""",
    # The identity provider of an EKS cluster is one's own.
    where="""coalesce(seen_calls, 0) = 0 and not contains(party, '/oidc.eks.')
        and trust_class in ('unknown_account', 'unknown_account_external_id', 'vendor', 'vendor_external_id',
            'oidc_any_subject', 'oidc_pinned', 'anyone', 'anyone_conditional')""",
)

ROOTS = """root as (  -- every collected account, with the report's line of its root user where there is one
    select
        coalesce(credentials.principal_arn, 'account ' || accounts.account_id) as subject, accounts.account_id,
        credentials.principal_arn, mfa_active
    from accounts
    left join credentials
        on split_part(credentials.principal_arn, ':', 5) = accounts.account_id
        and ends_with(credentials.principal_arn, ':root')
    where collected = 'ok'
)"""
ROOT_KEY = f"""
with {ROOTS}
select subject, account_id, null::varchar as owner, if(principal_arn is null, 'unknown', 'fail') as result,
    case
        when principal_arn is null then 'the snapshot has no credential report of the account'
        else 'an access key of the root user is active'
    end as detail
from root
where principal_arn is null
    or exists (from access_keys where access_keys.principal_arn = root.principal_arn and active)"""
ROOT_MFA = f"""
with {ROOTS}
select subject, account_id, null::varchar as owner, if(mfa_active = false, 'fail', 'unknown') as result,
    case
        when principal_arn is null then 'the snapshot has no credential report of the account'
        when mfa_active is null then 'the credential report does not tell whether it has MFA'
        else 'the root user has no MFA'
    end as detail
from root where mfa_active is distinct from true"""

WORKLOAD_ADMIN = f"""
with {SUBJECT},
way as (
    select principal_arn, bool_and(surely) as surely, max(step) as steps from escalation_step group by principal_arn
),
runs as (
    select principal_arn, string_agg(distinct party, ', ' order by party) as parties
    from trust where trust_class = 'compute_service' group by principal_arn
)
select principal_arn as subject, account_id, owner,
    if(administrator = 'surely' or (administrator is null and way.surely), 'fail', 'unknown') as result,
    case
        when administrator = 'surely' then parties || ' runs code as this administrator'
        when administrator is not null then parties || ' runs code as what may be an administrator, under conditions'
        when steps is null then 'not all of its policies are in the snapshot'
        else parties || ' runs code as it, and it reaches an administrator in ' || steps
            || if(steps = 1, ' step', ' steps') || if(way.surely, '', ', if conditions hold')
    end as detail
from subject join runs using (principal_arn) left join risk using (principal_arn) left join way using (principal_arn)
where administrator is not null or steps is not null or policies_not_collected > 0"""

OWNER_MISSING = f"""
with {SUBJECT}
select principal_arn as subject, account_id, owner,
    if(tags is null or band not in ('critical', 'high'), 'unknown', 'fail') as result,
    case
        when tags is null then 'no owner is known, and its tags are not in the snapshot; risk ' || band
        when band not in ('critical', 'high') then 'no owner is known, and not all of its policies are in the snapshot'
        else 'no owner is known; risk ' || band || ', score ' || round(score, 1)
    end as detail
from subject join risk using (principal_arn)
where owner is null and subject.kind <> 'root' and (band in ('critical', 'high') or policies_not_collected > 0)"""

CONSOLE_MFA = f"""
with {SUBJECT}
select principal_arn as subject, account_id, owner,
    if(password_enabled and mfa_active = false, 'fail', 'unknown') as result,
    case
        when password_enabled and mfa_active = false then 'has a password and no MFA'
        else 'the snapshot has no credential report that tells'
    end as detail
from subject left join credentials using (principal_arn)
where kind = 'user' and coalesce(password_enabled, true) and mfa_active is distinct from true"""

KEY_OLD = f"""
with {SUBJECT}
select principal_arn as subject, account_id, owner,
    if(credentials.principal_arn is null or access_keys.created is null, 'unknown', 'fail') as result,
    case
        when credentials.principal_arn is null then 'the snapshot has no credential report of the user'
        when access_keys.created is null then 'the age of access key ' || position || ' is not known'
        else 'access key ' || position || ' is ' || date_diff('day', access_keys.created, now) || ' days old'
    end as detail
from subject
left join credentials using (principal_arn)
left join access_keys using (principal_arn)
where kind = 'user' and (credentials.principal_arn is null
    or (active and (access_keys.created is null or access_keys.created < now - to_days($days::integer))))"""

IDENTITY_UNUSED = f"""
with {SUBJECT}
select principal_arn as subject, account_id, owner,
    -- Silence proves something where IAM tells the last use, or the account's own log covers part of the window.
    if(created is not null and (last_used is not null or coalesce(days_covered, 0) > 0), 'fail', 'unknown') as result,
    case
        when created is null then 'no use is known, and when it was made is not known'
        when last_used is not null then 'last used on ' || strftime(last_used, '%Y-%m-%d')
        when coalesce(days_covered, 0) > 0 then 'no use is known; made on ' || strftime(created, '%Y-%m-%d')
        else 'no use is known, and the log of its account is missing'
    end as detail
from subject
where kind <> 'root' and coalesce(created < now - to_days($days::integer), true)
    and coalesce(last_used < now - to_days($days::integer), true)"""

# The words for environments are told apart as the score does it: $production, $elsewhere, and what is in neither.
GUARDRAIL_OPEN = """
with cell as (
    select coverage.target, scenario, title, state
    from coverage join scenarios on scenarios.id = coverage.scenario
    where layer = 'best' and target_kind = 'account' and scenarios.severity = 'critical' and scenarios.set = 'core'
)
select 'account ' || accounts.account_id as subject, accounts.account_id, null::varchar as owner,
    if(state in ('gap', 'partial') and list_contains($production, environment), 'fail', 'unknown') as result,
    case
        when scenario is null then 'the guardrail matrix has no cell of this account'
        when state = 'unknown' then scenario || ' (' || title || ') cannot be told: its policies are not all collected'
        when list_contains($production, environment) then scenario || ' (' || title || ') is open'
        else scenario || ' (' || title || ') is open; the environment is not known'
    end as detail
from accounts left join cell on cell.target = accounts.account_id
where collected = 'ok' and coalesce(state, 'unknown') in ('gap', 'partial', 'unknown')
    and not coalesce(list_contains($elsewhere, environment), false)"""

# Accounts of which nothing can be told: no rule passes while there is one.
NOT_COLLECTED = """
select 'account ' || account_id as subject, account_id, null::varchar as owner, 'unknown' as result,
    'its identities are not in the snapshot (' || coalesce(reason, collected) || ')' as detail
from accounts where collected in ('failed', 'not collected')"""


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `needs`: tables that it reads and that an older build may lack."""

    sql: str
    needs: tuple[str, ...] = ()
    by_environment: bool = False  # it is given the words for production, and for elsewhere


QUESTIONS: Mapping[str, Question] = {
    "ADMIN-UNGUARDED": Question(ADMIN_UNGUARDED, ("risk", "trust")),
    "TRUST-ANYONE": Question(TRUST_ANYONE, ("trust",)),
    "ROOT-KEY": Question(ROOT_KEY),
    "ROOT-MFA": Question(ROOT_MFA),
    "TRUST-EXTERNAL-ID": Question(TRUST_EXTERNAL_ID, ("trust",)),
    "TRUST-OIDC-SUBJECT": Question(TRUST_OIDC_SUBJECT, ("trust",)),
    "WORKLOAD-ADMIN": Question(WORKLOAD_ADMIN, ("trust", "risk", "escalation_step")),
    "OWNER-MISSING": Question(OWNER_MISSING, ("risk",)),
    "CONSOLE-MFA": Question(CONSOLE_MFA),
    "KEY-OLD": Question(KEY_OLD),
    "IDENTITY-UNUSED": Question(IDENTITY_UNUSED),
    "TRUST-UNUSED": Question(TRUST_UNUSED, ("trust",)),
    "GUARDRAIL-OPEN": Question(GUARDRAIL_OPEN, ("coverage", "scenarios"), by_environment=True),
}
