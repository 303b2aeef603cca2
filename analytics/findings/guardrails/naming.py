"""How policies name principals and places: by ARN, id or tag, by account and OU, whole or by a pattern."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from analytics.engine.reach_facts import TAG_PREFIX
from analytics.findings.guardrails.scope import meet
from analytics.iam.match import template

if TYPE_CHECKING:
    from analytics.iam.condition import Presence, Requirement
    from analytics.iam.policy import PolicyDocument

    Test = Requirement | Presence

SOME = "*"  # accounts or OUs named by a wildcard
PRINCIPAL_ARN, USER_ID = "aws:principalarn", "aws:userid"


def places_named(document: PolicyDocument) -> frozenset[str]:
    """What a document names of accounts and nodes."""
    found: set[str] = set()
    for statement in document.statements:
        values = [value for condition in statement.condition for value in condition.values]
        for text in (*statement.resource, *statement.not_resource, *values):
            found.update(_NAMES.findall(text))
            if _SOME.search(_NAMES.sub("", text)):
                found.add(SOME)
    return frozenset(found)


_NAMES = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])|\$\{aws|ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}")
_SOME = re.compile(r"ou-|(?:^|:)(?=[0-9*?]*[0-9])[0-9*?]*[*?][0-9*?]*(?::|$)")  # part of an id, and a wildcard


def about_names(test: Test) -> bool:
    """Whether a condition tells principals of one account apart: by name, id or tag."""
    return test.key in (PRINCIPAL_ARN, USER_ID, "aws:username") or test.key.startswith(TAG_PREFIX)


def is_negated(test: Test) -> bool:
    """Whether the condition holds for those that it does not name."""
    return "Not" in test.condition.operator


def can_spare(test: Test) -> bool:
    """Whether it leaves out who is named or tagged so; others only say whom a statement is meant for."""
    return about_names(test) and (is_negated(test) or test.condition.operator == "Null")


def is_wild(pattern: str) -> bool:
    """Whether a pattern of a principal can fit more than one name: `arn:aws:iam::*:role/x` is one role an account."""
    name = pattern.split(":", 5)[-1] if pattern.startswith("arn:") else pattern.partition(":")[0]
    return any(mark in name for mark in ("*", "?", "${"))


def spares_by_pattern(test: Test, account_id: str) -> bool:
    """Whether a condition leaves out principals of the account by a wildcard or by a tag."""
    if not about_names(test) or not is_negated(test):
        return False
    if test.key.startswith(TAG_PREFIX):
        return True
    if "Equals" in test.condition.operator and test.condition.operator.startswith("String"):
        return False
    wild = filter(is_wild, test.condition.values)
    return any(test.key != PRINCIPAL_ARN or _fits_somebody(value, account_id) for value in wild)


@lru_cache(maxsize=65_536)
def _fits_somebody(pattern: str, account_id: str) -> bool:
    """Whether a role or user of the account can have a name that the pattern fits."""
    if "${" in pattern:
        return True
    each = (template(f"arn:aws:iam::{account_id}:{kind}/*", variables=False) for kind in ("role", "user"))
    return any(meet(template(pattern, variables=False), one) for one in each)
