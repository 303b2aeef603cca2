"""Small makers of policies, stacks and catalogues: a test names only what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.iam.catalogue import AccessLevel, Action, Catalogue, Visibility
from analytics.iam.names import PrincipalKind, kind_of_arn, parse_arn
from analytics.iam.policy import Condition, Effect, PolicyDocument, Statement
from analytics.iam.stack import ControlLevel, NamedPolicy, PolicyStack, PrincipalFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
MFA = Condition(operator="Bool", key="aws:MultiFactorAuthPresent", values=("true",))


def allow(*actions: str, on: str | Sequence[str] = "*", **parts: object) -> Statement:
    """An Allow of some actions; `on` is the Resource element, other parts are the fields of a Statement."""
    return _statement(Effect.ALLOW, actions, on, parts)


def deny(*actions: str, on: str | Sequence[str] = "*", **parts: object) -> Statement:
    """A Deny of some actions; `on` is the Resource element, other parts are the fields of a Statement."""
    return _statement(Effect.DENY, actions, on, parts)


def condition(operator: str, key: str, *values: str) -> Condition:
    """`condition("ForAnyValue:StringLikeIfExists", "aws:TagKeys", "cost*")`: the operator as a policy writes it."""
    qualifier, _, rest = operator.rpartition(":")
    base = rest.removesuffix("IfExists")
    return Condition(base, key, values, qualifier=qualifier or None, if_exists=base != rest)


def document(*statements: Statement, version: str = "2012-10-17") -> PolicyDocument:
    """A policy of these statements."""
    return PolicyDocument(statements=statements, version=version)


def policy(*statements: Statement, name: str = "policy", attached_to: str = ROLE) -> NamedPolicy:
    """A named policy of these statements."""
    return NamedPolicy(name=name, document=document(*statements), attached_to=attached_to)


def level(*statements: Statement, node: str = "r-ab12") -> ControlLevel:
    """One level of the organisation with one control policy; without statements, a level without policies."""
    policies = (policy(*statements, name=f"scp-{node}", attached_to=node),) if statements else ()
    return ControlLevel(node_id=node, node_name=node, policies=policies)


def principal(arn: str = ROLE, **facts: object) -> PrincipalFacts:
    """The facts of a principal; account and kind follow from its ARN."""
    parsed = parse_arn(arn)
    account_id = parsed.account_id if parsed else ACCOUNT
    kind = kind_of_arn(arn)
    return PrincipalFacts(**{"arn": arn, "account_id": account_id, "kind": kind, **facts})


def stack(
    *statements: Statement,
    boundary: Iterable[Statement] | None = None,
    scps: Iterable[Iterable[Statement]] = (),
    rcps: Iterable[Iterable[Statement]] = (),
    who: PrincipalFacts | None = None,
    **parts: object,
) -> PolicyStack:
    """A principal with one identity policy, and perhaps a boundary and levels of control policies, root first."""
    return PolicyStack(
        principal=who or principal(),
        identity=(policy(*statements, name="identity"),) if statements else (),
        boundary=None if boundary is None else policy(*boundary, name="boundary"),
        scp_levels=tuple(level(*statements, node=f"scp-{at}") for at, statements in enumerate(scps)),
        rcp_levels=tuple(level(*statements, node=f"rcp-{at}") for at, statements in enumerate(rcps)),
        **parts,
    )


def catalogue(*names: str, wildcard_only: Iterable[str] = ()) -> Catalogue:
    """A catalogue of a few actions, all of them writes that management events show."""
    lone = set(wildcard_only)
    actions = (
        Action(name, AccessLevel.WRITE, Visibility.MANAGEMENT, wildcard_only=name in lone) for name in {*names, *lone}
    )
    return Catalogue(actions, version="test")


def _statement(effect: Effect, actions: Sequence[str], on: str | Sequence[str], parts: dict[str, object]) -> Statement:
    resource = (on,) if isinstance(on, str) else tuple(on)
    elements: dict[str, object] = {
        "effect": effect,
        "action": () if "not_action" in parts else tuple(actions),
        "resource": () if "not_resource" in parts else resource,
        **parts,
    }
    return Statement(**elements)


__all__ = [
    "ACCOUNT",
    "MFA",
    "ROLE",
    "PrincipalKind",
    "allow",
    "catalogue",
    "condition",
    "deny",
    "document",
    "level",
    "policy",
    "principal",
    "stack",
]
