"""Drafted denies made as few and as small as they can be, beside what is attached already.

INVARIANT: what the result denies, together with the attached statements, is what the drafted denies deny together with
them. Actions are left out only where an attached deny holds whenever the drafted one would.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from operator import or_
from typing import TYPE_CHECKING

from analytics.engine.reach_layers import spoken_of
from analytics.findings.action_parts import action_parts
from analytics.findings.drafts.statements import EVERYTHING, Deny, statement_of
from analytics.iam.condition import OPERATORS, VARIABLES_SINCE
from analytics.iam.match import arn_matches
from analytics.iam.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.iam.catalogue import Catalogue
    from analytics.iam.policy import Condition, PolicyDocument, Statement


def smallest(
    denies: Iterable[Deny], attached: Sequence[PolicyDocument], layer: str, catalogue: Catalogue
) -> tuple[Deny, ...]:
    """The denies without what the attached policies deny anyway, equal ones joined, actions in their shortest form."""
    held = [one for document in attached if _is_readable(document) for one in document.statements]
    left = joined(shrunk for one in denies if (shrunk := without(one, held, layer, catalogue)))
    for deny in sorted(left, key=lambda one: mask_of(one, catalogue).bit_count()):
        others = [other for other in left if other is not deny]
        shrunk = without(deny, [statement_of(other, layer, None) for other in others], layer, catalogue)
        left = others if shrunk is None else [*others, shrunk]
    return tuple(
        replace(one, action=shortest(mask_of(one, catalogue), catalogue)) if _is_list(one) else one for one in left
    )


def without(deny: Deny, held: Iterable[Statement], layer: str, catalogue: Catalogue) -> Deny | None:
    """The deny without the actions that a held statement denies in every request that it would; None: nothing is left.

    A deny of all but some actions is kept whole or left out.
    """
    drafted = statement_of(deny, layer, None)
    denied = functools.reduce(or_, (spoken_of(one, catalogue) for one in held if _holds_whenever(one, drafted)), 0)
    wanted = mask_of(deny, catalogue)
    if not wanted & ~denied:
        return None
    if not wanted & denied or not _is_list(deny):
        return deny
    return replace(deny, action=tuple(catalogue.names(wanted & ~denied)))


def joined(denies: Iterable[Deny]) -> list[Deny]:
    """Denies of the same requests as one; those of all actions, or of all but some, stay as they are."""
    found: dict[object, Deny] = {}
    for deny in denies:
        key = (_is_list(deny), deny.not_action, deny.resource, frozenset(deny.condition))
        same = found.get(key)
        if same is not None:
            deny = replace(  # noqa: PLW2901  the joined one takes its place
                same,
                action=tuple(sorted({*same.action, *deny.action}, key=str.lower)),
                scenarios=tuple(sorted({*same.scenarios, *deny.scenarios})),
            )
        found[key] = deny
    return list(found.values())


def mask_of(deny: Deny, catalogue: Catalogue) -> int:
    """The actions that a drafted statement speaks of."""
    return spoken_of(statement_of(deny, "scp", None), catalogue)


def shortest(mask: int, catalogue: Catalogue) -> tuple[str, ...]:
    """The actions of a mask as the fewest patterns, which match no other action."""
    parts = action_parts(catalogue)
    words = (word for service, part in parts.split(mask).items() for word in parts.words(service, part))
    return tuple(sorted(words, key=str.lower))


def _is_list(deny: Deny) -> bool:
    """Whether the statement names its actions; `*` stands for those to come as well."""
    return not deny.not_action and "*" not in deny.action


def _holds_whenever(held: Statement, drafted: Statement) -> bool:
    """Whether the held deny matches every request (of its actions) that the drafted one matches."""
    return (
        held.effect is Effect.DENY
        and _is_for_everyone(held)
        and _covers_resources(held, drafted)
        and all(any(_implies(have, asked) for have in drafted.condition) for asked in held.condition)
    )


def _is_readable(document: PolicyDocument) -> bool:
    """Whether `${…}` means in the document what it means in a draft: the older language takes it as it stands."""
    return document.version == VARIABLES_SINCE or "${" not in repr(document.statements)


def _is_for_everyone(held: Statement) -> bool:
    if held.not_principal is not None:
        return False
    return held.principal is None or held.principal.everyone or "*" in held.principal.aws


def _covers_resources(held: Statement, drafted: Statement) -> bool:
    if held.not_resource:
        return False
    if not held.resource or "*" in held.resource:
        return True
    # A pattern with `?` could match the `*` of another one as a letter.
    patterns = [pattern for pattern in held.resource if "?" not in pattern and "${" not in pattern]
    return all(
        wanted in held.resource or any(arn_matches(pattern, wanted) for pattern in patterns)
        for wanted in drafted.resource
    )


def _implies(have: Condition, asked: Condition) -> bool:
    """Whether a request that meets one condition meets the other: the same test with values that leave no more."""
    if (have.operator_text, have.key.lower()) != (asked.operator_text, asked.key.lower()):
        return False
    negated = have.operator in OPERATORS and OPERATORS[have.operator].negated
    fewer, more = (asked, have) if negated else (have, asked)
    return set(fewer.values) <= set(more.values)


def same_requests(statement: Statement, drafted: Statement) -> bool:
    """Whether two denies by action differ in their actions alone."""
    return (
        statement.effect is drafted.effect is Effect.DENY
        and not statement.not_action
        and not drafted.not_action
        and not statement.not_resource
        and set(statement.resource or EVERYTHING) == set(drafted.resource)
        and _normal(statement.condition) == _normal(drafted.condition)
        and statement.principal == drafted.principal
        and statement.not_principal is None
    )


def _normal(conditions: Iterable[Condition]) -> frozenset[tuple[str, str, frozenset[str]]]:
    return frozenset((one.operator_text, one.key.lower(), frozenset(one.values)) for one in conditions)
