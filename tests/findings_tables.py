# ruff: noqa: E501  the rules of a column are read on one line
"""The tables of the findings, filled by simple rules: what the pages are looked at with, whatever the findings decide.

Only tables that a build does not hold yet are made, and the two that stay empty for the few events of the test store. Numbers follow from the grants of each identity, so that an order,
a band and a change can be told in advance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

    from analytics.store import Store

TRUST = """create table if not exists trust as
select principal_arn, 0 as position,
    case when kind = 'user' then 'access key 1' when principal_arn like '%ci%' then 'token.actions.githubusercontent.com'
        when principal_arn like '%vendor%' then 'arn:aws:iam::999988887777:root'
        when principal_arn like '%admin%' then 'arn:aws:iam::' || account_id || ':root' else 'lambda.amazonaws.com' end as party,
    case when kind = 'user' then 'access_key' when principal_arn like '%ci%' then 'oidc'
        when principal_arn like '%vendor%' then 'account' when principal_arn like '%admin%' then 'account' else 'service' end as kind,
    case when principal_arn like '%vendor%' then '999988887777' when principal_arn like '%admin%' then account_id end as party_account_id,
    case when principal_arn like '%vendor%' then 'Vendor & Sons' end as party_name,
    case when kind = 'user' then 'user_old_key_no_mfa' when principal_arn like '%ci%' then 'oidc_any_subject'
        when principal_arn like '%vendor%' then 'vendor' when principal_arn like '%admin%' then 'same_account'
        else 'compute_service' end as trust_class,
    4.0 as exposure, '["aws:PrincipalOrgID is o-1"]'::json as conditions, 0 as statement_index, 'Trust' as sid,
    true as surely, '["a note"]'::json as notes, calls as seen_calls, last_used as seen_last,
    '["111122223333"]'::json as seen_accounts, '["203.0.113.0/24"]'::json as seen_networks
from principals where in_snapshot and kind <> 'service-linked role'"""
ASSUMED = """create or replace table assumed as
select principal_arn, 'arn:aws:iam::111122223333:role/deploy-pipeline' as caller, '111122223333' as caller_account_id,
    '203.0.113.0/24' as network, null::varchar as via_service, 12::bigint as calls, 1::bigint as denied,
    (select window_start from build)::timestamp as first_time, (select window_end from build)::timestamp as last_time
from principals where in_snapshot and kind = 'role' and principal_arn like '%a%'"""
CHANGES = """create or replace table changes as
select md5(principal_arn) as event_id, (select window_end from build)::timestamp - interval 5 day as event_time,
    'arn:aws:iam::111122223333:role/deploy-pipeline' as actor, account_id, 'PutRolePolicy' as event_name,
    principal_arn as subject, 'work' as policy, 'put the inline policy work' as summary, true as succeeded
from principals where in_snapshot"""
RISK = """create table if not exists risk as
with points as (
    select principals.*, gap.*  exclude (principal_arn, calls, last_used),
        round(case when surely > 15000 then 24 when granted_weight > 2000 then 17 when granted_weight > 100 then 9.6 else 0 end, 1) as control_reach,
        round(10 * least(1, ln(1 + granted_weight / 200) / ln(1 + 100)), 1) as data_reach,
        round(6 * ln(1 + granted_weight / 5) / ln(1 + 20876 / 5), 1) as breadth,
        round(25 * ln(1 + (unused_weight + unobserved_weight) / 5) / ln(1 + 20177 / 5), 1) as unused_points,
        case when kind = 'user' then 16.0 when principal_arn like '%ci%' then 20.0 when principal_arn like '%vendor%' then 14.0 else 2.0 end as trust
    from principals join gap_identity gap using (principal_arn)
    where window_days = (select window_days from build) and in_snapshot and kind <> 'service-linked role'
), factors as (
    select *, round(trust * (0.4 + 0.6 * (control_reach + data_reach + breadth) / 40), 1) as exposure,
        round(case when environment in ('sandbox') then 3 when environment = 'non-production' then 5 else 10 end
            * (0.4 + 0.6 * (control_reach + data_reach + breadth) / 40), 1) as asset
    from points
), scored as (
    select *, round(control_reach + data_reach + breadth + unused_points + exposure + asset, 1) as total from factors
)
select principal_arn, row_number() over (order by greatest(total, if(control_reach = 24, 50, 0)) desc, principal_arn)::integer as rank,
    greatest(total, if(control_reach = 24, 50, 0))::double as score,
    case when total >= 75 then 'critical' when total >= 50 then 'high' when total >= 25 then 'medium' else 'low' end as band,
    control_reach::double as control_reach, data_reach::double as data_reach, breadth::double as breadth,
    unused_points::double as unused, exposure::double as exposure, asset::double as asset,
    if(total < 50 and control_reach = 24, 'administrator', null) as floor,
    greatest(0, if(control_reach = 24, 50 - total, 0))::double as floor_points,
    if(control_reach = 24, 'surely', null) as administrator,
    if(control_reach between 9 and 20, 2, null)::integer as steps_to_administrator,
    case when kind = 'user' then 'user_old_key_no_mfa' when principal_arn like '%ci%' then 'oidc_any_subject'
        when principal_arn like '%vendor%' then 'vendor' when principal_arn like '%admin%' then 'same_account'
        else 'compute_service' end as trust_class,
    if(control_reach > 0, 3, 0)::integer as paths, 'medium' as confidence, 0.62 as confidence_share,
    '["62 % of its high-risk weight would have been seen", "90 of 90 days covered"]'::json as confidence_reasons
from scored"""
ESCALATION = """create table if not exists escalation as
select principal_arn, position, 'iam-00' || (position + 1) as path_id, 'iam:PutRolePolicy' as title,
    if(position = 0, 'self-escalation', 'new-passrole') as category, position = 0 as surely,
    null::varchar as target_arn, if(position = 0, 'administrator', 'lesser') as target, 1.0 as target_factor,
    1.0 / (1 + position) as strength, '["iam:PutRolePolicy", "iam:PassRole"]'::json as actions,
    'writes any policy into its own role' as why
from risk, range(0, 3) r(position) where paths > 0"""
STEPS = """create table if not exists escalation_step as
select principal_arn, step::integer as step, if(step = 1, principal_arn, 'arn:aws:iam::111122223333:role/deploy-pipeline') as from_arn,
    if(step = 1, 'arn:aws:iam::111122223333:role/deploy-pipeline', 'arn:aws:iam::111122223333:role/dormant-admin') as to_arn,
    if(step = 1, 'sts-001', 'lambda-001') as path_id, step = 1 as surely
from risk, range(1, 3) r(step) where steps_to_administrator is not null"""
LOWER = """create table if not exists would_lower as
select principal_arn, position::integer as position, ['drop-unused', 'boundary', 'narrow-trust'][position + 1] as kind,
    ['Drop the unused actions of iam', 'Add a boundary of the services it used', 'Narrow its trust'][position + 1] as title,
    '{"actions": 120}'::json as detail, round(score - 12 + 3 * position, 1) as score_after
from risk, range(0, 3) r(position) where score > 20"""
REMEDIATION = """create table if not exists remediation as
select md5(principal_arn || kind) as item_id, row_number() over (order by score - score_after desc, principal_arn)::integer as rank,
    principal_arn, kind, title || ' of ' || name as title, detail, score as score_before, score_after,
    round(score - score_after, 1) as risk_removed, if(position = 0, 0, null)::bigint as calls_broken, owner,
    '{"statement": 1}'::json as evidence, '["aws iam put-role-policy --role-name x --policy-name y"]'::json as commands,
    '{"Version":"2012-10-17","Statement":[]}' as policy, null::varchar as blocked_reason, score - score_after as priority
from (select principal_arn, name, owner, score, score_after, position, title, detail,
        ['right-size', 'add-boundary', 'narrow-trust'][position + 1] as kind
    from would_lower join risk using (principal_arn) join principals using (principal_arn))"""
HISTORY = """insert into history
select known.build_id, known.created_at, known.window_end, metric, value::double
from (select distinct build_id, created_at, window_end from history) known cross join (
    select 'critical' as metric, count(*) filter (band = 'critical') as value from risk
    union all select 'high', count(*) filter (band = 'high') from risk)
where not exists (from history where metric = 'critical')"""
TABLES = (TRUST, ASSUMED, CHANGES, RISK, ESCALATION, STEPS, LOWER, REMEDIATION)


def add_findings(path: Path) -> None:
    """Make the tables that the build at `path` does not hold."""
    with duckdb.connect(str(path)) as con:
        for table in TABLES:
            con.execute(table)
        con.execute(HISTORY)


def with_findings(store: Store) -> Store:
    """The store, every build of which has the tables."""
    for build in store.folder.glob("builds/*.duckdb"):
        add_findings(build)
    return store
