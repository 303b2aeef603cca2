"""Small scenarios, statements and a slow twin of the matrix: one request at a time, through `decide`."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from analytics.engine.decide import Decider, Policies, Request, Result
from analytics.findings.guardrails.matrix import GuardrailSettings
from analytics.findings.guardrails.scenarios import Scenario
from analytics.iam.policy import Effect, Statement
from tests.builders import allow, condition, document
from tests.draft_world import DEV, LISTS, PROD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.iam.policy import PolicyDocument

REGION = {"aws:RequestedRegion": {"outside": "approved_regions"}}
BOUNDARY = {"iam:PermissionsBoundary": [{"absent": True}, {"outside": "approved_boundaries"}]}
SCENARIOS = (
    Scenario("TRAIL", "Trail", "high", ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail")),
    Scenario("ROLE", "Role", "high", ("iam:CreateRole",), probe_context=BOUNDARY),
    Scenario("REGION", "Region", "high", ("ec2:RunInstances",), probe_context=REGION),
    Scenario("LOGS", "Logs", "high", ("logs:DeleteLogGroup",), resource="audit logs"),
    Scenario("ROOT", "Root", "high", ("iam:CreateUser",), principal="root_user"),
    Scenario("BUCKET", "Bucket", "high", ("s3:DeleteBucket", "sqs:DeleteQueue")),
)
AUDIT = "arn:aws:logs:*:*:log-group:audit*"
SETTINGS = GuardrailSettings(lists=LISTS, resources={"LOGS": (AUDIT,)})

ACTIONS = (
    "*",
    "cloudtrail:*",
    "cloudtrail:StopLogging",
    "cloudtrail:DeleteTrail",
    "iam:Create*",
    "ec2:*",
    "logs:*",
    "s3:*",
)
RESOURCES = (
    "*",
    "*",
    "arn:aws:cloudtrail:*:*:trail/*",
    "arn:aws:cloudtrail:*:*:trail/audit",
    AUDIT,
    f"{AUDIT[:-1]}-1*",
    f"arn:aws:cloudtrail:*:{PROD}:trail/*",
)
CONDITIONS = (
    condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/break-glass"),
    condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/Admin*"),
    condition("ArnNotLike", "aws:PrincipalArn", f"arn:aws:iam::{PROD[:4]}*:role/break-glass"),
    condition("ArnNotLike", "aws:PrincipalArn", f"arn:aws:iam::{DEV}:role/Admin*"),
    condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/break-glass"),
    condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:root"),
    condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*"),
    condition("StringNotEquals", "aws:PrincipalTag/guard", "off"),
    condition("StringEquals", "aws:PrincipalAccount", PROD),
    condition("StringNotEquals", "aws:RequestedRegion", "eu-west-1", "eu-central-1"),
    condition("StringNotEquals", "aws:RequestedRegion", "eu-west-1", "us-east-1"),
    condition("StringNotLike", "iam:PermissionsBoundary", "arn:aws:iam::*:policy/boundary/workload"),
    condition("Bool", "aws:MultiFactorAuthPresent", "false"),
    condition("StringNotLike", "aws:PrincipalAccount", f"{PROD[:4]}*"),
    condition("StringNotEquals", "aws:ResourceAccount", DEV),
    condition("Null", "aws:PrincipalTag/guard", "true"),
)


def _statement(actions: list[str], resource: str, conditions: list[int], others: str) -> Statement:
    held = tuple(CONDITIONS[at] for at in sorted(set(conditions)))
    on = {"not_action" if others == "actions" else "action": tuple(actions)}
    on["not_resource" if others == "resources" and resource != "*" else "resource"] = (resource,)
    return Statement(Effect.DENY, condition=held, **on)


denies = st.builds(
    _statement,
    st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3, unique=True),
    st.sampled_from(RESOURCES),
    st.lists(st.integers(0, len(CONDITIONS) - 1), max_size=2),
    st.sampled_from(["none", "none", "none", "actions", "resources"]),
)
allow_lists = st.sampled_from(
    [("*",), ("*",), ("cloudtrail:*", "iam:*"), ("s3:*", "sqs:*", "logs:*"), ("iam:CreateRole", "ec2:*")]
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
    "s3:DeleteBucket": ("arn:aws:s3:::audit",),
    "sqs:DeleteQueue": ("arn:aws:sqs:eu-west-1:{}:audit",),
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


ANY = "000000000000"  # an account to come
OPEN = ("not", "part")
RANKED = ("not", "part", "perhaps", "surely")
STATES = ("gap", "partial", "conditional", "covered")


def slow_state(
    scenario: Scenario, accounts: Sequence[str], levels: Sequence[Sequence[PolicyDocument]], layer: str = "scp"
) -> str:
    """The state of the SCP or RCP cell of an account, or of a node with these accounts below, one to come first."""
    held = {f"{layer}_levels": tuple(map(tuple, levels))}
    decider = Decider(Policies(identity=(document(allow("*")),), **held))
    bound = ("s3", "sqs", "logs") if layer == "rcp" else None
    if bound and not any(action.startswith(bound) for action in scenario.actions):
        return "not_applicable"
    degrees = [
        _degree(scenario, action, accounts, decider) if not bound or action.startswith(bound) else "not"
        for action in scenario.actions
    ]
    return slow_sum(degrees)


def slow_sum(degrees: Sequence[str]) -> str:
    """The state of a cell by what becomes of its actions."""
    if all(degree == "surely" for degree in degrees):
        return "covered"
    if all(degree in ("surely", "perhaps") for degree in degrees):
        return "conditional"
    return "gap" if all(degree == "not" for degree in degrees) else "partial"


def slow_degrees(scenario: Scenario, account_id: str, name: str, policies: Policies) -> list[str]:
    """What becomes of each action when one identity tries it."""
    decider, probes = Decider(policies), PROBES.get(scenario.id, ({},))
    found = [
        {_of((name, {}), action, probe, account_id, decider) for probe in probes} for action in scenario.actions
    ]  # fmt: skip
    return ["part" if "not" in one and len(one) > 1 else min(one, key=_rank) for one in found]


class SlowHeld(NamedTuple):
    """The boundary or identity cell of an account: state, stopped, of how many, and what becomes of each action."""

    state: str
    stopped: int
    total: int
    degrees: tuple[str, ...]


def slow_held(scenario: Scenario, account_id: str, held: Mapping[str, Policies | None]) -> SlowHeld:
    """Of a layer that each identity holds for itself; None: not collected."""
    states, spared = [], []
    worst = ["surely" for _ in scenario.actions]
    for name, policies in held.items():
        if policies is None:
            states.append("unknown")
            worst = ["not" for _ in worst]
            continue
        own = slow_degrees(scenario, account_id, name, policies)
        usual = [slow_degrees(scenario, account_id, who, policies) for who in ("role/usual", "user/usual")]
        escaped = [at for at, degree in enumerate(own) if degree in OPEN]
        if escaped and all(one[at] not in OPEN for one in usual for at in escaped):
            spared.append("wildcard" if name in NAMED[1:] else "named")
            if spared[-1] == "named":
                continue
            own = ["perhaps" if degree in OPEN else degree for degree in own]
        else:
            states.append(slow_sum(own))
        worst = [min(pair, key=_rank) for pair in zip(worst, own, strict=True)]
    stopped = sum(state in ("conditional", "covered") for state in states)
    return SlowHeld(_all(states, spared), stopped, len(held), tuple(worst))


def _all(states: list[str], spared: list[str]) -> str:
    known = {state for state in states if state != "unknown"}
    if not known:
        return "unknown" if states else "gap" if spared else "not_applicable"
    if known & {"gap", "partial"}:
        return "gap" if known == {"gap"} else "partial"
    if "unknown" in states:
        return "unknown"
    return "covered" if known == {"covered"} and "wildcard" not in spared else "conditional"


def slow_best(states: Sequence[str], together: str) -> str:
    """The best of four layers, or what they do together where that is better."""
    known = [state for state in states if state in STATES]
    best = max(known, key=STATES.index, default="unknown" if "unknown" in states else "not_applicable")
    best = "unknown" if best == "gap" and "unknown" in states else best
    closed = together in ("conditional", "covered")
    return together if closed and STATES.index(together) > max(map(STATES.index, known), default=0) else best


def slow_together(*layers: Sequence[str]) -> str:
    """The state of layers that stop what they stop together: of each, what becomes of each action."""
    return slow_sum([max(degrees, key=_rank) for degrees in zip(*layers, strict=True)])


def let_through(scenario: Scenario, account_id: str, levels: Sequence[Sequence[PolicyDocument]]) -> set[str]:
    """Of the named and the tagged: who gets some request of the scenario through SCPs; the tagged with a `+`."""
    decider = Decider(Policies(identity=(document(allow("*")),), scp_levels=tuple(map(tuple, levels))))
    probes = PROBES.get(scenario.id, ({},))
    return {
        f"{name}+" if tags else name
        for name in ("role/usual", "user/usual", *NAMED)
        for tags in ({}, {"guard": "off"})
        if any(
            _of((name, tags), action, probe, account_id, decider) == "not"
            for action in scenario.actions
            for probe in probes
        )
    }


def _degree(scenario: Scenario, action: str, accounts: Sequence[str], decider: Decider) -> str:
    by_root = scenario.principal == "root_user"
    ordinary = [("root", {})] if by_root else [("role/usual", {}), ("user/usual", {})]
    wild = (
        []
        if by_root
        else [*((n, t) for n in NAMED[1:] for t in ({}, {"guard": "off"})), ("role/usual", {"guard": "off"})]
    )
    named = [] if by_root else [("role/break-glass", {})]
    probes = PROBES.get(scenario.id, ({},))
    found = [_of(who, action, probe, one, decider) for one in accounts for who in ordinary for probe in probes]
    of_wild, of_named = (
        [
            min((_of(who, action, probe, one, decider) for probe in probes), key=_rank)
            for who in some
            for one in accounts
        ]
        for some in (wild, named)
    )
    if "not" in found:
        return "part" if {"surely", "perhaps"} & {*found, *of_wild, *of_named} else "not"
    if "perhaps" in found:
        return "perhaps"
    return "perhaps" if any(one != "surely" for one in of_wild) else "surely"


def _of(who: tuple[str, dict[str, str]], action: str, probe: dict, account_id: str, decider: Decider) -> str:
    """Whether a request of the caller is stopped whatever else holds; the Region is the caller's choice."""
    name, tags = who
    arn = f"arn:aws:iam::{account_id}:{name}"
    known = {"aws:principalarn": (arn,), "aws:principalaccount": (account_id,), "aws:resourceaccount": (account_id,)}
    known |= probe
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
    return RANKED.index(degree)
