"""Whether other statements already say what a statement says, in every request in which it would speak.

The answer is by text: conditions that are equal or fewer, resources that are equal or wider. What text cannot show is
not claimed. INVARIANT: for the actions that are reported as covered, the other statements speak whenever this one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.engine.reach_layers import spoken_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.findings.estate import NodeFacts
    from analytics.iam.catalogue import Catalogue
    from analytics.iam.policy import Condition, PolicyDocument, Statement
    from analytics.iam.stack import NamedPolicy


@dataclass(frozen=True, slots=True)
class Placed:
    """A document with the words that name it and its place."""

    title: str  # "deny-root at Prod"
    document: PolicyDocument

    @classmethod
    def of(cls, node: NodeFacts, policy: NamedPolicy) -> Placed:
        """A policy at a node of the organisation."""
        return cls(f"{policy.name} at {node.name}", policy.document)


def covered_by(
    statement: Statement, version: str, actions: int, others: Iterable[Placed], catalogue: Catalogue
) -> tuple[int, set[str]]:
    """What is left of the statement's actions when others have spoken, and which documents did."""
    by: set[str] = set()
    for placed in others:
        for other in placed.document.statements:
            if not actions:
                return 0, by
            if other.effect is statement.effect and speaks_whenever(other, placed.document.version, statement, version):
                taken = actions & spoken_of(other, catalogue)
                if taken:
                    actions &= ~taken
                    by.add(placed.title)
    return actions, by


def speaks_whenever(wide: Statement, wide_version: str, narrow: Statement, narrow_version: str) -> bool:
    """Whether `wide` applies to every resource, in every request, in which `narrow` applies; actions aside."""
    if (wide.principal, wide.not_principal) != (narrow.principal, narrow.not_principal):
        return False
    if wide_version != narrow_version and (_has_variables(wide) or _has_variables(narrow)):
        return False
    if not _conditions(wide) <= _conditions(narrow):
        return False
    return _reaches_over(wide, narrow)


def same_text(one: PolicyDocument, other: PolicyDocument) -> bool:
    """Whether two documents say the same: ids, Sids and the order of lists aside."""
    return one.version == other.version and _meaning(one) == _meaning(other)


def _meaning(document: PolicyDocument) -> frozenset[object]:
    return frozenset(
        (
            statement.effect,
            frozenset(action.lower() for action in statement.action),
            frozenset(action.lower() for action in statement.not_action),
            frozenset(statement.resource),
            frozenset(statement.not_resource),
            _conditions(statement),
            statement.principal,
            statement.not_principal,
        )
        for statement in document.statements
    )


def _conditions(statement: Statement) -> frozenset[object]:
    """A statement's conditions, all of which must hold; the order of the values has no meaning."""
    return frozenset(map(_normal, statement.condition))


def _normal(condition: Condition) -> object:
    values = frozenset(condition.values)
    return (condition.operator, condition.qualifier, condition.if_exists, condition.key.lower(), values)


def _reaches_over(wide: Statement, narrow: Statement) -> bool:
    if "*" in wide.resource or not (wide.resource or wide.not_resource):
        return True
    if narrow.resource and wide.resource:
        return all(any(_holds(pattern, text) for pattern in wide.resource) for text in narrow.resource)
    if narrow.not_resource and wide.not_resource:
        return set(wide.not_resource) <= set(narrow.not_resource)
    return False


def _holds(pattern: str, text: str) -> bool:
    """Whether a resource pattern matches all that another matches: equal, or a prefix of it and anything after."""
    prefix = pattern.removesuffix("*")
    is_prefix = prefix != pattern and not any(mark in prefix for mark in "*?$")
    return pattern == text or (is_prefix and text.startswith(prefix))


def _has_variables(statement: Statement) -> bool:
    texts = (*statement.resource, *statement.not_resource)
    return any("${" in text for text in texts) or any(
        "${" in value for condition in statement.condition for value in condition.values
    )
