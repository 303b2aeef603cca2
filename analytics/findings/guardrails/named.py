"""Whom policies name, as callers who ask for themselves: one for each name, pattern, id or tag.

Several denies may each spare somebody else, so a principal is also asked with all tags that the policies speak of.
INVARIANT: whoever is asked can be in scope: an account that the pattern does not fit is not asked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.reach_facts import TAG_PREFIX
from analytics.findings.guardrails.naming import PRINCIPAL_ARN, USER_ID, about_names, is_wild
from analytics.findings.guardrails.probes import Caller, example, facts_of, is_about_strangers
from analytics.findings.organization.caller import OUTSIDE_ACCOUNT, outsider
from analytics.iam.match import text_matches
from analytics.iam.names import PrincipalKind, kind_of_arn, parse_arn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from analytics.findings.guardrails.chain import At, Spoken
    from analytics.findings.guardrails.probes import Place
    from analytics.findings.guardrails.scenarios import Scenario

_ASKED_AS = (PrincipalKind.ROLE, PrincipalKind.SSO_ROLE, PrincipalKind.USER, PrincipalKind.ROOT)


class Named(NamedTuple):
    """One principal as the policies name it, where they do, and as who it asks."""

    text: str
    wild: bool
    at: At
    caller: Caller


def named_callers(
    spoken: Spoken, callers: Sequence[Caller], scenario: Scenario, accounts: Callable[[str], Place | None]
) -> Iterator[Named]:
    """The principals in scope that the policies name; `callers` stand for everybody else."""
    if scenario.principal == "root_user":
        return
    outside = is_about_strangers(scenario)
    places = tuple(dict.fromkeys(caller.place for caller in callers))
    tags = {
        key.removeprefix(TAG_PREFIX): example(values[0])
        for key, values in spoken.named.items()
        if key.startswith(TAG_PREFIX) and values
    }
    seen: set[tuple[str, str]] = set()
    for placed in spoken.placed:
        for test in placed.statement.requirements:
            if not about_names(test):
                continue
            for value in test.condition.values:
                if (test.key, value) in seen:
                    continue
                seen.add((test.key, value))
                of = _strangers if outside else _callers
                text = value if test.key == PRINCIPAL_ARN else f"{test.condition.key} {value}"
                wild = test.key.startswith(TAG_PREFIX) or is_wild(value) or (outside and _is_of_any_account(value))
                for caller in _tagged(of(test.key, value, places, accounts), tags):
                    yield Named(text, wild, placed.at, caller)


def _is_of_any_account(pattern: str) -> bool:
    """Whether a pattern of ARNs fits principals of more than one account: to strangers that is no one name."""
    parsed = parse_arn(pattern)
    return parsed is None or not parsed.account_id.isdecimal()


def _tagged(callers: Iterable[Caller], tags: Mapping[str, str]) -> Iterator[Caller]:
    """Each as it is, and with every tag that the policies speak of."""
    for caller in callers:
        yield caller
        if tags:
            held = {**tags, **dict(caller.who.tags or ())}
            yield caller._replace(who=replace(caller.who, tags=tuple(held.items())))


def _callers(
    key: str, value: str, places: Sequence[Place], accounts: Callable[[str], Place | None]
) -> Iterator[Caller]:
    if key == PRINCIPAL_ARN:
        yield from _by_arn(value, places, accounts)
        return
    for place in places:
        role, user = (f"arn:aws:iam::{place.account_id}:{kind}" for kind in ("role/any-role", "user/any-user"))
        if key.startswith(TAG_PREFIX):
            tag = (key.removeprefix(TAG_PREFIX), example(value))
            yield Caller(facts_of(role, PrincipalKind.ROLE, place, (tag,)), place)
        elif key == USER_ID:
            of_user = value.startswith("AIDA")
            who = facts_of(*((user, PrincipalKind.USER) if of_user else (role, PrincipalKind.ROLE)), place)
            yield Caller(replace(who, unique_id=example(value)), place)
        else:
            name = f"arn:aws:iam::{place.account_id}:user/{example(value)}"
            yield Caller(facts_of(name, PrincipalKind.USER, place), place)


def _by_arn(pattern: str, places: Sequence[Place], accounts: Callable[[str], Place | None]) -> Iterator[Caller]:
    """The roles, users or root users that a pattern of ARNs fits, where there can be some."""
    parsed = parse_arn(pattern)
    account, name = (parsed.account_id, parsed.resource) if parsed else ("*", pattern.rpartition(":")[2])
    if account.isdecimal():
        fitting = [accounts(account)]
    else:
        fitting = [one for one in places if "${" in account or text_matches(account, one.account_id)]
    named = example(name)
    whole = named == "root" or named.startswith(("role/", "user/"))
    for place in filter(None, fitting):
        for resource in (named,) if whole else (f"role/{named}", f"user/{named}"):
            arn = f"arn:aws:iam::{place.account_id}:{resource}"
            if ("${" in pattern or text_matches(pattern, arn)) and kind_of_arn(arn) in _ASKED_AS:
                yield Caller(facts_of(arn, kind_of_arn(arn), place), place)


def _strangers(
    key: str, value: str, places: Sequence[Place], accounts: Callable[[str], Place | None]
) -> Iterator[Caller]:
    """A principal of another organisation's account that a pattern of ARNs fits."""
    parsed = parse_arn(value) if key == PRINCIPAL_ARN else None
    if parsed is None or accounts(parsed.account_id) is not None:
        return
    account = parsed.account_id if parsed.account_id.isdecimal() else OUTSIDE_ACCOUNT
    arn = f"arn:aws:iam::{account}:{example(parsed.resource)}"
    if kind_of_arn(arn) in _ASKED_AS:
        yield Caller(replace(outsider(), arn=arn, account_id=account), places[0])
