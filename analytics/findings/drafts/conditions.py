"""From the probe of a scenario to the condition under which a deny must hold.

A probe is a request: each condition key with a value, with none, outside a list of the team or inside one. The deny
that stops it asks the same of the request, and no more. IAM User Guide, "Condition operators".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analytics.iam.policy import Condition

if TYPE_CHECKING:
    from analytics.findings.drafts.rules import DraftRules

Block = tuple[Condition, ...]  # all of them hold
_BOOLEANS = frozenset({"true", "false"})
_PLACEHOLDER = re.compile(r"<[a-z_ ]+>")  # `arn:aws:iam::<account>:root`


class DraftError(ValueError):
    """A gap that cannot be closed as asked; the message says why, and what works instead."""


class NoRoomError(DraftError):
    """The quota of the target is used up; a node above or below it may have room."""


def blocks_of(
    context: Mapping[str, Any],
    action: str,
    *,
    scenario: str,
    lists: Mapping[str, tuple[str, ...]],
    keys: frozenset[str],
    rules: DraftRules,
) -> tuple[Block, ...]:
    """The condition blocks under which a deny of the action stops every probe of the scenario; any may hold.

    `keys` are the service's condition keys of the action, lower case: another action's key is never in its requests,
    and a deny that asks for it would never hold. Raises DraftError for a list that is not in the settings.
    """
    own = next((value for name, value in context.items() if name.lower() == action.lower()), None)
    asked = {**own} if isinstance(own, Mapping) else {k: v for k, v in context.items() if not _is_of_action(k, v)}
    carried = {key: wanted for key, wanted in asked.items() if _is_global(key) or key.lower() in keys} or asked
    choices = {key: _choices(key, wanted, scenario, lists, rules) for key, wanted in carried.items()}
    if all(_is_literal(wanted) for wanted in carried.values()):
        # Each value is the exposure by itself: one of them is enough.
        return tuple(dict.fromkeys(block for blocks in choices.values() for block in blocks))
    return tuple(tuple(itertools.chain(*chosen)) for chosen in itertools.product(*choices.values()))


def _is_of_action(key: str, wanted: Any) -> bool:
    """Whether an entry of the probe is an action with keys of its own."""
    return isinstance(wanted, Mapping) and not set(wanted) <= {"absent", "outside", "inside"} and ":" in key


def _is_global(key: str) -> bool:
    return key.lower().startswith("aws:")


def _is_literal(wanted: Any) -> bool:
    return not isinstance(wanted, Mapping) and (isinstance(wanted, str) or all(isinstance(one, str) for one in wanted))


def _choices(
    key: str, wanted: Any, scenario: str, lists: Mapping[str, tuple[str, ...]], rules: DraftRules
) -> list[Block]:
    """Ways for the key to be as the probe has it, each of which must be denied."""
    entries: Sequence[Any] = wanted if isinstance(wanted, list | tuple) else [wanted]
    literals = tuple(_PLACEHOLDER.sub("*", entry) for entry in entries if isinstance(entry, str))
    named = [entry for entry in entries if isinstance(entry, Mapping)]
    absent = any(entry.get("absent") for entry in named)
    many = key.lower() in rules.multivalued
    found: list[Block] = [(_equals(key, literals, many=many),)] if literals else []
    for entry in named:
        if "inside" in entry:
            found.append((_equals(key, _values(entry["inside"], scenario, lists), many=many),))
        elif "outside" in entry:
            found.append(_outside(key, _values(entry["outside"], scenario, lists), many=many, or_absent=absent))
    # A negated operator holds without the key too (IAM User Guide, "... condition operators"): it stops both.
    if absent and not any("outside" in entry for entry in named):
        found.append((Condition("Null", key, ("true",)),))
    return found


def _values(name: str, scenario: str, lists: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    values = tuple(sorted(set(lists.get(name, ()))))
    if not values:
        raise DraftError(
            f"scenario `{scenario}` is about the list `{name}`, which is not known; "
            f"name its values in headroom.toml (`[guardrail_lists]`, key `{name}`)"
        )
    return values


def _equals(key: str, values: tuple[str, ...], *, many: bool) -> Condition:
    if set(map(str.lower, values)) <= _BOOLEANS:
        return Condition("Bool", key, values)
    if key.lower() == "aws:principalarn":
        return Condition("ArnLike", key, values)
    operator = "StringLike" if any(map(_is_wild, values)) and not _is_only_a_star(values) else "StringEquals"
    return Condition(operator, key, values, "ForAnyValue" if many else None)


def _outside(key: str, values: tuple[str, ...], *, many: bool, or_absent: bool) -> Block:
    """None of the values.

    A service's own key must be there, as a request may lack it: a launch is checked against its subnet too, and that
    has no instance type.
    """
    operator = "StringNotLike" if any(map(_is_wild, values)) else "StringNotEquals"
    if many:
        return (Condition(operator, key, values, "ForAnyValue"),)
    differs = Condition(operator, key, values)
    return (differs,) if or_absent or _is_global(key) else (differs, Condition("Null", key, ("false",)))


def _is_wild(value: str) -> bool:
    return "*" in value or "?" in value


def _is_only_a_star(values: tuple[str, ...]) -> bool:
    """`lambda:Principal` is `*`: the text itself, which a pattern would widen to every principal."""
    return values == ("*",)
