"""On which of an action's resources a statement speaks: all that matter, none, or some.

Resources are asked for as patterns, and one pattern within others is decided by running them side by side
(`analytics.iam.witness`). INVARIANT: True only where every resource in question is inside, False only where none is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from analytics.iam.condition import any_true
from analytics.iam.match import Template, Wild, filled, has_variables, template, text_test
from analytics.iam.witness import Pattern, TooManyStatesError, examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.engine.decide_policy import CompiledStatement
    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.iam.catalogue import Catalogue
    from analytics.iam.condition import Context, Truth

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_FRESH = "\N{BULLET}"  # in no policy
MOST_PATTERNS = 24  # of one statement beside one question


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources that a request names.

    With `required`, every request names one of each, so that it is enough to stop one of these types; otherwise all
    of `patterns` must be stopped. `capped`: they belong to a class that nobody has told the patterns of.
    """

    patterns: tuple[str, ...]
    required: tuple[str, ...] = ()
    capped: bool = False
    lone: bool = False  # the action is asked of `*` alone


def resources_of(
    scenario: Scenario, action: str, catalogue: Catalogue, patterns: Sequence[str], account_id: str
) -> Resources:
    """The resources of a scenario's request; `patterns`: its class as a team has told it."""
    types = catalogue.resource_types(action)
    if not types:
        return Resources(("*",), lone=True)
    known = tuple(_pattern(one.arn, account_id) for one in types)
    if patterns and scenario.resource != "any":
        kinds = tuple(template(text, variables=False) for text in known)
        return Resources(tuple(text for text in patterns if within(text, kinds) is not False) or tuple(patterns))
    required = tuple(text for text, one in zip(known, types, strict=True) if one.required)
    return Resources(known, required, capped=scenario.resource != "any" and not scenario.probe_context)


def speaks_of(statements: Sequence[CompiledStatement], asked: Resources, context: Context) -> Truth:
    """Whether the statements together speak of the resources."""
    if any(one.scope.everywhere for one in statements):
        return True
    if asked.lone:
        return False
    each = [_on(statements, pattern, context) for pattern in asked.patterns]
    if asked.required:
        need = [_on(statements, pattern, context) for pattern in asked.required]
        found: Truth = True if True in need else False if not any(one is not False for one in each) else None
    else:
        found = True if all(one is True for one in each) else False if all(one is False for one in each) else None
    return None if found and asked.capped else found


def _on(statements: Sequence[CompiledStatement], pattern: str, context: Context) -> Truth:
    """One pattern against all statements, which count together, as if they were one."""
    wide: dict[Template, None] = {}
    but: list[tuple[Template, ...]] = []
    found: list[Truth] = []
    for one in statements:
        unsure = any(context.is_unknown(key) for key in one.scope.keys)
        templates = _ready(one, context)
        if not one.statement.not_resource:
            wide.update(dict.fromkeys(templates))
            found += [None] if unsure else []
        elif unsure:
            found.append(False if within(pattern, templates) else None)
        else:
            but.append(templates)
    return any_true([*found, _reached(pattern, tuple(wide), tuple(but))])


@lru_cache(maxsize=65_536)
def _reached(pattern: str, wide: tuple[Template, ...], but: tuple[tuple[Template, ...], ...]) -> Truth:
    """Whether all texts of a pattern match one of `wide` or lie outside one of `but`, or none does."""
    inside = [within(pattern, one) for one in but]
    found = any_true([within(pattern, wide), *(None if one is None else not one for one in inside)])
    every = (*wide, *(part for one in but for part in one))
    if found is not None or not but or len(every) > MOST_PATTERNS:
        return found
    try:
        shown = examples([Pattern.of(template(pattern, variables=False)), *map(Pattern.of, every)])
    except TooManyStatesError:
        return None
    truths = []
    for answers in (one[1:] for one in shown if one[0]):
        rest = iter(answers[len(wide) :])
        outside = [True not in [next(rest) for _ in one] for one in but]
        truths.append(any(answers[: len(wide)]) or any(outside))
    return True if all(truths) else None


def _ready(statement: CompiledStatement, context: Context) -> tuple[Template, ...]:
    """The texts of the Resource element with the variables that are known filled in."""
    parts = (one if not has_variables(one) else filled(one, context.single) for one in statement.scope.templates)
    return tuple(one for one in parts if one is not None)


@lru_cache(maxsize=65_536)
def within(pattern: str, wide: tuple[Template, ...]) -> Truth:
    """Whether all texts of a pattern match one of the others (True), or none does (False)."""
    parts = template(pattern, variables=False)
    if any(Wild.ONE not in one and text_test(one)(pattern) for one in wide):
        return True
    near = tuple(one for one in wide if not _is_apart(parts, one))
    if not near:
        return False
    shown = "".join(part if isinstance(part, str) else _FRESH for part in parts)
    if len(near) > MOST_PATTERNS or not any(text_test(one)(shown) for one in near):
        return None if any(meet(parts, one) for one in near) else False
    try:
        found = examples([Pattern.of(parts), *map(Pattern.of, near)])
    except TooManyStatesError:
        return None
    truths = [any(answers[1:]) for answers in found if answers[0]]
    return True if all(truths) else None if any(truths) else False


@lru_cache(maxsize=65_536)
def meet(one: Template, other: Template) -> bool:
    """Whether some text matches both patterns."""
    a, b = (
        tuple(letter for part in parts for letter in (part if isinstance(part, str) else (part,)))
        for parts in (one, other)
    )
    row = [True] + [False] * len(b)
    for at, letter in enumerate(b):
        row[at + 1] = row[at] and letter is Wild.RUN
    for mine in a:
        after = [row[0] and mine is Wild.RUN]
        for at, theirs in enumerate(b):
            if Wild.RUN in (mine, theirs):
                after.append(row[at + 1] or after[at] or (mine is theirs and row[at]))
            else:
                after.append(row[at] and (mine == theirs or Wild.ONE in (mine, theirs)))
        row = after
    return row[-1]


def _is_apart(one: Template, other: Template) -> bool:
    """Whether the texts before the first wildcard cannot both begin a text, or they are of two accounts.

    A wildcard goes over colons, but no Region and no name of a resource holds the account of another.
    """
    a, b = _head(one), _head(other)
    if not a.startswith(b) and not b.startswith(a):
        return True
    mine, theirs = _account(one), _account(other)
    return mine != theirs and mine.isdecimal() and theirs.isdecimal()


@lru_cache(maxsize=65_536)
def _account(parts: Template) -> str:
    """The account of an ARN's pattern; empty where it has none, or it is no ARN."""
    fields = "".join(part if isinstance(part, str) else "*" for part in parts).split(":", 5)
    return fields[4] if len(fields) == 6 and fields[0] == "arn" else ""


def _head(parts: Template) -> str:
    return parts[0] if parts and isinstance(parts[0], str) and not isinstance(parts[0], Wild) else ""


def _pattern(arn: str, account_id: str) -> str:
    """The ARN of a resource type as a pattern."""
    known = {"Partition": "aws", "Account": account_id}
    return _VARIABLE.sub(lambda found: known.get(found[1], "*"), arn)
