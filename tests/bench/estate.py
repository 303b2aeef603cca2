"""A large organisation in memory: parsed policies and the stacks of its principals, the same for every run."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.iam.names import PrincipalKind
from analytics.iam.policy import parse_policy
from analytics.iam.stack import ControlLevel, NamedPolicy, PolicyStack, PrincipalFacts

if TYPE_CHECKING:
    from analytics.iam.catalogue import Catalogue

TEAMS = ("payments", "search", "data", "platform", "mobile")
GLOBAL_SERVICES = ["iam:*", "organizations:*", "route53:*", "cloudfront:*", "support:*", "sts:*"]
BREAK_GLASS = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/break-glass"}}
EU_ONLY = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}
FULL_ACCESS = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@dataclass(frozen=True, slots=True)
class EstateSize:
    """How large: principals, distinct customer policies, accounts; five levels of SCPs above each account."""

    principals: int = 30_000
    policies: int = 6_000
    accounts: int = 400
    seed: int = 7


def make_stacks(catalogue: Catalogue, size: EstateSize) -> list[PolicyStack]:
    """The stacks of every principal, as a snapshot would give them: equal documents are one object."""
    rng = random.Random(size.seed)
    policies = [_policy(number, rng, catalogue) for number in range(size.policies)]
    boundaries = rng.sample(policies, min(20, len(policies)))
    levels = _levels(rng, size.accounts)
    return [
        _stack(number, rng, policies=policies, boundaries=boundaries, levels=levels, size=size)
        for number in range(size.principals)
    ]


def _policy(number: int, rng: random.Random, catalogue: Catalogue) -> NamedPolicy:
    statements = [_statement(rng, catalogue) for _ in range(rng.randint(1, 5))]
    document = {"Version": "2012-10-17", "Statement": statements}
    return NamedPolicy(f"policy-{number}", parse_policy(document, name=f"policy-{number}"))


def _statement(rng: random.Random, catalogue: Catalogue) -> dict[str, object]:
    actions = [_action_pattern(rng, catalogue) for _ in range(rng.randint(1, 12))]
    statement: dict[str, object] = {
        "Effect": "Deny" if rng.random() < 0.06 else "Allow",
        "NotAction" if rng.random() < 0.03 else "Action": actions,
        "Resource": "*" if rng.random() < 0.5 else f"arn:aws:s3:::bucket-{rng.randrange(5000)}/*",
    }
    if rng.random() < 0.15:
        statement["Condition"] = rng.choice(_CONDITIONS)
    return statement


_CONDITIONS = (
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}},
    {"StringEquals": {"aws:PrincipalTag/team": "payments"}},
    {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/team-*"}},
    {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
)


def _action_pattern(rng: random.Random, catalogue: Catalogue) -> str:
    name = rng.choice(catalogue.actions)
    service, _, verb = name.partition(":")
    kind = rng.random()
    if kind < 0.65:
        return name
    return f"{service}:{verb[: rng.randint(3, 7)]}*" if kind < 0.92 else f"{service}:*"


def _levels(rng: random.Random, accounts: int) -> list[tuple[ControlLevel, ...]]:
    """Five levels above each account, root first; the upper ones are shared."""
    root = _level("r-root", [FULL_ACCESS], [_deny(["organizations:LeaveOrganization"], BREAK_GLASS)])
    units = [
        _level(f"ou-{at}", [FULL_ACCESS], [_deny(None, EU_ONLY), _deny(["cloudtrail:*"], BREAK_GLASS)])
        for at in range(4)
    ]
    teams = [_level(f"ou-team-{at}", [FULL_ACCESS], [_deny(["iam:CreateUser", "iam:*AccessKey*"])]) for at in range(16)]
    stages = [_level(f"ou-stage-{at}", [FULL_ACCESS], [_deny(["ec2:*Vpc*"], BREAK_GLASS)]) for at in range(40)]
    own = _level("account", [FULL_ACCESS])
    return [(root, rng.choice(units), rng.choice(teams), rng.choice(stages), own) for _ in range(accounts)]


def _level(node: str, *documents: list[dict[str, object]]) -> ControlLevel:
    parsed = [parse_policy({"Version": "2012-10-17", "Statement": statements}, name=node) for statements in documents]
    return ControlLevel(node, node, tuple(NamedPolicy(f"{node}-{at}", one) for at, one in enumerate(parsed)))


def _deny(actions: list[str] | None, condition: dict[str, object] | None = None) -> dict[str, object]:
    spoken_of = {"NotAction": GLOBAL_SERVICES} if actions is None else {"Action": actions}
    return {"Effect": "Deny", **spoken_of, "Resource": "*", **({"Condition": condition} if condition else {})}


def _stack(
    number: int,
    rng: random.Random,
    *,
    policies: list[NamedPolicy],
    boundaries: list[NamedPolicy],
    levels: list[tuple[ControlLevel, ...]],
    size: EstateSize,
) -> PolicyStack:
    at = rng.randrange(size.accounts)
    account_id = f"{100_000_000_000 + at}"
    name = "break-glass" if rng.random() < 0.002 else f"{rng.choice(['team', 'svc'])}-{number}"
    facts = PrincipalFacts(
        arn=f"arn:aws:iam::{account_id}:role/{name}",
        account_id=account_id,
        kind=PrincipalKind.ROLE,
        tags=(("team", rng.choice(TEAMS)),),
        organization_id="o-exampleorg",
        organization_path="o-exampleorg/r-root/",
        unique_id=f"AROAEXAMPLE{number:010}",
    )
    return PolicyStack(
        principal=facts,
        identity=tuple(rng.sample(policies, rng.randint(1, 9))),
        boundary=rng.choice(boundaries) if rng.random() < 0.2 else None,
        scp_levels=levels[at],
    )
