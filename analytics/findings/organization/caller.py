"""Of whom the picture of a node is: an ordinary role that no policy names, asking in a way that is not itself refused.

A guardrail that spares one role, or one Region, would otherwise leave every action undecided. So the picture is of a
role without tags and with a name of its own, in an account of the node, that chooses what a caller chooses freely (the
Region, TLS …; `data/reference/free_condition_keys.csv`) so that no deny meets it for that alone. INVARIANT: one set of
choices serves all policies at once; a deny that it cannot avoid stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from analytics.engine.reach_choice import candidates, free_keys
from analytics.engine.reach_layers import spoken_of
from analytics.iam.condition import Context, compile_condition
from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect
from analytics.iam.stack import PrincipalFacts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.iam.catalogue import Catalogue
    from analytics.iam.policy import Condition, PolicyDocument, Statement
    from analytics.iam.stack import ControlLevel

NAME = "role/an-ordinary-role-of-the-account"
UNIQUE_ID = "AROAORDINARYROLEOFACC"
ANY_ACCOUNT = "000000000000"  # an account that no policy names
OUTSIDE_ACCOUNT = "000000000001"
OUTSIDE = "o-outside000"


@dataclass(frozen=True, slots=True)
class Asked:
    """The levels that are left when the caller has chosen, and the choices by condition key (lower case)."""

    levels: tuple[ControlLevel, ...]
    choices: tuple[tuple[str, str], ...]


def ordinary_role(account_id: str | None, organization_id: str | None, organization_path: str | None) -> PrincipalFacts:
    """A role of the organisation without tags, whom no policy names."""
    account_id = account_id or ANY_ACCOUNT
    return PrincipalFacts(
        arn=f"arn:aws:iam::{account_id}:{NAME}",
        account_id=account_id,
        kind=PrincipalKind.ROLE,
        tags=(),
        organization_id=organization_id,
        organization_path=organization_path,
        unique_id=UNIQUE_ID,
    )


def outsider() -> PrincipalFacts:
    """A role of another organisation, of whom RCPs are asked."""
    return ordinary_role(OUTSIDE_ACCOUNT, OUTSIDE, f"{OUTSIDE}/r-outs/")


def choose(levels: Sequence[ControlLevel], catalogue: Catalogue) -> Asked:
    """Take the denies away that the caller avoids by choosing free keys, one value of each key for all of them."""
    free = free_keys(catalogue)
    on: dict[str, list[tuple[Condition, str]]] = {}
    for level in levels:
        for named in level.policies:
            for statement in named.document.statements:
                for condition in _free_conditions(statement, free, catalogue):
                    on.setdefault(condition.key.lower(), []).append((condition, named.document.version))
    choices = {key: value for key, tests in on.items() if (value := _avoiding(key, tests)) is not None}
    chosen = tuple(sorted(choices.items()))
    return Asked(
        tuple(
            replace(
                level,
                policies=tuple(
                    replace(named, document=_avoided(named.document, chosen, catalogue)) for named in level.policies
                ),
            )
            for level in levels
        ),
        chosen,
    )


@lru_cache(maxsize=4096)
def _avoided(document: PolicyDocument, choices: tuple[tuple[str, str], ...], catalogue: Catalogue) -> PolicyDocument:
    """The document with the denies that the choices avoid speaking of nothing; positions stay. Equal ones are one."""
    free, keys = free_keys(catalogue), dict(choices)
    statements = tuple(
        replace(statement, action=(), not_action=())
        if any(one.key.lower() in keys for one in _free_conditions(statement, free, catalogue))
        else statement
        for statement in document.statements
    )
    return document if statements == document.statements else replace(document, statements=statements)


def _free_conditions(statement: Statement, free: Mapping[str, int], catalogue: Catalogue) -> list[Condition]:
    """The conditions of a deny on keys that the requests for all of its actions carry and the caller chooses."""
    if statement.effect is not Effect.DENY:
        return []
    actions = spoken_of(statement, catalogue)
    return [
        condition
        for condition in statement.condition
        if condition.key.lower() in free and not actions & ~free[condition.key.lower()]
    ]


def _avoiding(key: str, tests: Sequence[tuple[Condition, str]]) -> str | None:
    """A value under which none of the conditions holds; the values that policies name come first."""
    compiled = [compile_condition(condition, version) for condition, version in tests]
    return next(
        (
            value
            for value in candidates([condition for condition, _ in tests])
            if all(test.truth(Context({key: (value,)})) is False for test in compiled)
        ),
        None,
    )
