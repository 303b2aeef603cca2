"""Small scenarios, statements and a slow twin of the matrix: one request at a time, through `decide`."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from analytics.engine.decide import Decider, Policies, Request, Result
from analytics.findings.guardrails import GuardrailSettings
from analytics.findings.scenarios import Scenario
from analytics.iam.policy import Effect, Statement
from tests.builders import allow, condition, document
from tests.draft_world import LISTS, PROD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.iam.policy import PolicyDocument

REGION = {"aws:RequestedRegion": {"outside": "approved_regions"}}
BOUNDARY = {"iam:PermissionsBoundary": [{"absent": True}, {"outside": "approved_boundaries"}]}
SCENARIOS = (
    Scenario("TRAIL", "Trail", "high", ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail")),
    Scenario("ROLE", "Role", "high", ("iam:CreateRole",), probe_context=BOUNDARY),
    Scenario("REGION", "Region", "high", ("ec2:RunInstances",), probe_context=REGION),
    Scenario("LOGS", "Logs", "high", ("logs:DeleteLogGroup",), resource="audit logs"),
    Scenario("ROOT", "Root", "high", ("iam:CreateUser",), principal="root_user"),
)
AUDIT = "arn:aws:logs:*:*:log-group:audit*"
SETTINGS = GuardrailSettings(lists=LISTS, resources={"LOGS": (AUDIT,)})

ACTIONS = ("*", "cloudtrail:*", "cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "iam:Create*", "ec2:*", "logs:*")
RESOURCES = (
    "*",
    "*",
    "arn:aws:cloudtrail:*:*:trail/*",
    "arn:aws:cloudtrail:*:*:trail/audit",
    AUDIT,
    f"{AUDIT[:-1]}-1*",
)
CONDITIONS = (
    condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/break-glass"),
    condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/Admin*"),
    condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:root"),
    condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*"),
    condition("StringNotEquals", "aws:PrincipalTag/guard", "off"),
    condition("StringEquals", "aws:PrincipalAccount", PROD),
    condition("StringNotEquals", "aws:RequestedRegion", "eu-west-1", "eu-central-1"),
    condition("StringNotEquals", "aws:RequestedRegion", "eu-west-1", "us-east-1"),
    condition("StringNotLike", "iam:PermissionsBoundary", "arn:aws:iam::*:policy/boundary/workload"),
    condition("Bool", "aws:MultiFactorAuthPresent", "false"),
)


def _statement(actions: list[str], resource: str, conditions: list[int], *, denies: bool) -> Statement:
    effect = Effect.DENY if denies else Effect.ALLOW
    held = tuple(CONDITIONS[at] for at in sorted(set(conditions)))
    return Statement(effect, action=tuple(actions), resource=(resource,), condition=held)


denies = st.builds(
    _statement,
    st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3, unique=True),
    st.sampled_from(RESOURCES),
    st.lists(st.integers(0, len(CONDITIONS) - 1), max_size=2),
    denies=st.just(True),
)

# The twin. Every way in which a caller, a request and what nobody knows of it can differ for the statements above.
NAMED = ("role/break-glass", "role/Admin-1", "role/Admin-2")
ON = {
    "cloudtrail:StopLogging": (
        "arn:aws:cloudtrail:eu-west-1:{}:trail/audit",
        "arn:aws:cloudtrail:eu-west-1:{}:trail/x",
    ),
    "cloudtrail:DeleteTrail": (
        "arn:aws:cloudtrail:eu-west-1:{}:trail/audit",
        "arn:aws:cloudtrail:eu-west-1:{}:trail/x",
    ),
    "iam:CreateRole": ("arn:aws:iam::{}:role/new",),
    "ec2:RunInstances": ("arn:aws:ec2:eu-west-1:{}:instance/*",),
    "logs:DeleteLogGroup": (
        "arn:aws:logs:eu-west-1:{}:log-group:audit-1",
        "arn:aws:logs:eu-west-1:{}:log-group:audit",
    ),
    "iam:CreateUser": ("arn:aws:iam::{}:user/new",),
}
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "ap-south-1")
BOUNDARIES = (
    {},
    {"iam:permissionsboundary": ("arn:aws:iam::111122223333:policy/boundary/workload",)},
    {"iam:permissionsboundary": ("arn:aws:iam::111122223333:policy/other",)},
)
MFA = ({}, {"aws:multifactorauthpresent": ("true",)}, {"aws:multifactorauthpresent": ("false",)})
PROBES = {
    "ROLE": ({}, {"iam:permissionsboundary": ("arn:aws:iam::111122223333:policy/other",)}),
    "REGION": ({"aws:requestedregion": ("us-east-1",)}, {"aws:requestedregion": ("ap-south-1",)}),
}


def slow_state(scenario: Scenario, account_id: str, levels: Sequence[Sequence[PolicyDocument]]) -> str:
    """The state of the SCP cell of an account."""
    decider = Decider(Policies(identity=(document(allow("*")),), scp_levels=tuple(map(tuple, levels))))
    degrees = [_degree(scenario, action, account_id, decider) for action in scenario.actions]
    if all(degree == "surely" for degree in degrees):
        return "covered"
    if all(degree in ("surely", "perhaps") for degree in degrees):
        return "conditional"
    return "gap" if all(degree == "not" for degree in degrees) else "partial"


def slow_held_state(scenario: Scenario, account_id: str, name: str, boundary: PolicyDocument) -> str:
    """The state of the boundary cell of one role."""
    decider = Decider(Policies(identity=(document(allow("*")),), boundary=(boundary,)))
    degrees = {
        min(
            (_of((name, {}), action, probe, account_id, decider) for probe in PROBES.get(scenario.id, ({},))), key=_rank
        )
        for action in scenario.actions
    }
    if degrees == {"surely"}:
        return "covered"
    return "conditional" if "not" not in degrees else "partial" if len(degrees) > 1 else "gap"


def _degree(scenario: Scenario, action: str, account_id: str, decider: Decider) -> str:
    ordinary = [("root", {})] if scenario.principal == "root_user" else [("role/usual", {}), ("user/usual", {})]
    wild = [] if scenario.principal == "root_user" else [(n, t) for n in NAMED[1:] for t in ({}, {"guard": "off"})]
    wild += [] if scenario.principal == "root_user" else [("role/usual", {"guard": "off"})]
    probes = PROBES.get(scenario.id, ({},))
    found = [_of(who, action, probe, account_id, decider) for who in ordinary for probe in probes]
    named = [] if scenario.principal == "root_user" else [("role/break-glass", {})]
    others = [
        min((_of(who, action, probe, account_id, decider) for probe in probes), key=_rank) for who in [*wild, *named]
    ]
    if "not" in found:
        return "part" if {"surely", "perhaps"} & {*found, *others} else "not"
    if "perhaps" in found:
        return "perhaps"
    return "perhaps" if any(one != "surely" for one in others[: len(wild)]) else "surely"


def _of(who: tuple[str, dict[str, str]], action: str, probe: dict, account_id: str, decider: Decider) -> str:
    """Whether a request of the caller is stopped whatever else holds; the Region is the caller's choice."""
    name, tags = who
    arn = f"arn:aws:iam::{account_id}:{name}"
    known = {"aws:principalarn": (arn,), "aws:principalaccount": (account_id,), **probe}
    known |= {f"aws:principaltag/{key}": (value,) for key, value in tags.items()}
    regions = (None,) if "aws:requestedregion" in probe else REGIONS
    there = [known | ({"aws:requestedregion": (region,)} if region else {}) for region in regions]
    return min((_in_region(arn, action, account_id, one, decider) for one in there), key=_rank)


def _in_region(arn: str, action: str, account_id: str, known: dict, decider: Decider) -> str:
    asks_boundary = action.startswith("iam:") and "iam:permissionsboundary" not in known and action != "iam:CreateRole"
    stopped = {
        decider.decide(Request(arn, action, resource.format(account_id), context={**known, **mfa, **boundary})).result
        is not Result.ALLOWED
        for resource, mfa, boundary in product(ON[action], MFA, BOUNDARIES if asks_boundary else ({},))
    }
    return "perhaps" if len(stopped) > 1 else "surely" if stopped == {True} else "not"


def _rank(degree: str) -> int:
    return ("not", "part", "perhaps", "surely").index(degree)
