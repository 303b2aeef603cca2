"""The requests by which the matrix asks: who calls, from where to where, with which condition keys.

An attacker in an account calls directly, on resources of that account, and chooses what a caller can choose freely so
that no deny meets it. What nobody can know of the request stays unknown. INVARIANT: a key that an action never carries
(Service Authorization Reference) is absent, never unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from analytics.engine.reach_choice import candidates
from analytics.engine.reach_facts import ROLES, known_context
from analytics.findings.guardrails.scenarios import is_of_action
from analytics.findings.organization.caller import ANY_ACCOUNT, OUTSIDE_ACCOUNT, UNIQUE_ID, ordinary_role, outsider
from analytics.iam.condition import Context
from analytics.iam.match import text_matches
from analytics.iam.names import PrincipalKind
from analytics.iam.stack import PrincipalFacts

if TYPE_CHECKING:
    from collections.abc import Container

    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.iam.condition import Presence, Requirement

ABSENT: tuple[str, ...] = ()
SESSION = "a-session"
OTHER = "any-other"
ORDINARY_USER = "user/an-ordinary-user-of-the-account"
# A call by the principal itself: no service stands between, and a root session taken centrally is another caller.
_DIRECT: Mapping[str, tuple[str, ...]] = {
    "aws:viaawsservice": ("false",),
    **dict.fromkeys(
        (
            *("aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:assumedroot", "aws:sourcearn"),
            *("aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"),
        ),
        ABSENT,
    ),
}
_PLACEHOLDER = re.compile(r"<account>")
_ORGANIZATION = "aws:principalorgid"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request is made and lands: an account, or any account below a node, by an id that no policy names."""

    account_id: str
    organization_id: str | None
    path: str | None  # "o-exampleorgid/r-ab12/ou-ab12-11111111/", as aws:PrincipalOrgPaths


class Caller(NamedTuple):
    """Who asks, and where."""

    who: PrincipalFacts
    place: Place


@dataclass(frozen=True, slots=True)
class Probe:
    """The condition keys of a scenario's request; `unlisted`: keys whose list the team has not given."""

    values: Mapping[str, tuple[str, ...]]
    unlisted: frozenset[str] = frozenset()


class Carried:
    """The keys that a request for an action may carry with any value: the global ones, and the action's own."""

    __slots__ = ("_global", "_own", "_prefixes")

    def __init__(self, keys: Iterable[str], of_principal: Container[str]) -> None:
        own = set(keys)
        self._own = {key for key in own if "${" not in key}
        self._prefixes = tuple(key.partition("${")[0] for key in own if "${" in key)
        self._global = of_principal

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str):
            return False
        if key.startswith("aws:"):
            return key in self._global
        return key in self._own or key.startswith(self._prefixes or ("\0",))


def ordinary(scenario: Scenario, place: Place) -> tuple[PrincipalFacts, ...]:
    """The callers that stand for everybody in scope: a role and a user that no policy names, or the root user."""
    if scenario.principal == "root_user":
        return (facts_of(f"arn:aws:iam::{place.account_id}:root", PrincipalKind.ROOT, place),)
    if is_about_strangers(scenario):
        return (outsider(),)
    role = ordinary_role(place.account_id, place.organization_id, place.path)
    return role, facts_of(f"arn:aws:iam::{place.account_id}:{ORDINARY_USER}", PrincipalKind.USER, place)


def facts_of(arn: str, kind: PrincipalKind, place: Place, tags: tuple[tuple[str, str], ...] = ()) -> PrincipalFacts:
    """A principal of a place of whom no more is known."""
    unique_id = UNIQUE_ID.replace("AROA", "AIDA") if kind is PrincipalKind.USER else UNIQUE_ID
    return PrincipalFacts(arn, place.account_id, kind, tags, place.organization_id, place.path, unique_id)


def is_about_strangers(scenario: Scenario) -> bool:
    """Whether the caller is outside the organisation, where only RCPs reach."""
    wanted = {key.lower(): value for key, value in (scenario.probe_context or {}).items()}.get(_ORGANIZATION)
    return isinstance(wanted, Mapping) and "outside" in wanted


def caller_context(who: PrincipalFacts, place: Place, keys: Iterable[str]) -> Context:
    """What is known of a request of this caller on resources of this place; `keys`: the service's, of the action."""
    known = known_context(who)
    values = {**known.values, **_DIRECT}
    if who.kind in ROLES and who.unique_id:
        values["aws:userid"] = (who.unique_id if ":" in who.unique_id else f"{who.unique_id}:{SESSION}",)
    values["aws:resourceaccount"] = (place.account_id,)
    if place.organization_id:
        values["aws:resourceorgid"] = (place.organization_id,)
    if place.path:
        values["aws:resourceorgpaths"] = (place.path,)
    return Context(values, Carried(keys, known.unknown))


def probes_of(
    scenario: Scenario,
    action: str,
    *,
    lists: Mapping[str, tuple[str, ...]],
    keys: frozenset[str],
    named: Mapping[str, Sequence[str]],
    account_id: str,
) -> tuple[Probe, ...]:
    """The requests of a scenario for an action, each of which must be stopped.

    `keys` are the service's condition keys of the action; `named` has the values that policies compare a key with.
    """
    pinned = next((key for name, key in scenario.pinned_by.items() if name.lower() == action), None)
    if pinned is not None:
        return (Probe({pinned.lower(): (_fresh(pinned, named.get(pinned.lower(), ())),)}),)
    asked = _asked(scenario.probe_context or {}, action, keys)
    choices = [
        [
            (key.lower(), value, unlisted)
            for value, unlisted in _values(key.lower(), wanted, lists, named.get(key.lower(), ()), account_id)
        ]
        for key, wanted in asked.items()
    ]
    return tuple(
        Probe(
            {key: value for key, value, _ in chosen if value is not None},
            frozenset(key for key, _, unlisted in chosen if unlisted),
        )
        for chosen in product(*choices)
    )


def _asked(context: Mapping[str, Any], action: str, keys: frozenset[str]) -> dict[str, Any]:
    """The keys of the probe that the action carries; all where it would carry none."""
    own = next((value for name, value in context.items() if name.lower() == action and is_of_action(value)), None)
    asked = dict(own) if own is not None else {k: v for k, v in context.items() if not is_of_action(v)}
    return {k: v for k, v in asked.items() if k.lower().startswith("aws:") or k.lower() in keys} or asked


def _values(
    key: str, wanted: Any, lists: Mapping[str, tuple[str, ...]], named: Sequence[str], account_id: str
) -> Iterable[tuple[tuple[str, ...] | None, bool]]:
    """Each value that the key takes (None: not known) and whether its list is missing."""
    for one in wanted if isinstance(wanted, list | tuple) else [wanted]:
        if isinstance(one, str):
            yield (_PLACEHOLDER.sub(account_id, one),), False
        elif "absent" in one:
            yield ABSENT, False
        elif "inside" in one:
            listed = lists.get(one["inside"], ())
            yield from (((example(value),), False) for value in listed)
            if not listed:
                yield None, True
        else:
            listed = lists.get(one["outside"], ())
            outside = [value for value in map(example, named) if not _is_listed(value, listed)] if listed else []
            yield from (((value,), not listed) for value in dict.fromkeys((_fresh(key, (*listed, *named)), *outside)))


def _is_listed(value: str, listed: Iterable[str]) -> bool:
    return any(text_matches(pattern, value) for pattern in listed)


def example(pattern: str) -> str:
    """A text that the pattern matches."""
    return pattern.replace("*", "x").replace("?", "x")


def _fresh(key: str, like: Sequence[str]) -> str:
    """A value of the key's kind that nobody names."""
    if key.lower() == "aws:principalaccount":
        return OUTSIDE_ACCOUNT
    if key.lower() == "iam:permissionsboundary" or any(value.startswith("arn:") for value in like):
        sample = next((value for value in like if value.count(":") >= 5), f"arn:aws:iam::{ANY_ACCOUNT}:policy/")
        return ":".join((*map(example, sample.split(":")[:5]), f"policy/{OTHER}"))
    return OTHER


def is_of_request(key: str) -> bool:
    """Whether the caller writes the key into the request or leaves it out: the tags that it wants to set."""
    return key == "aws:tagkeys" or key.startswith("aws:requesttag/")


def choices_of(tests: Sequence[Requirement | Presence]) -> list[tuple[str, ...]]:
    """Values of a freely chosen key that these conditions may tell apart."""
    texts = candidates([test.condition for test in tests])
    return [*([ABSENT] if is_of_request(tests[0].key) else []), *((text,) for text in texts)]


def avoiding(tests: Sequence[Requirement | Presence]) -> tuple[str, ...] | None:
    """Values of a freely chosen key under which none of the conditions on it holds."""
    key = tests[0].key
    return next(
        (values for values in choices_of(tests) if all(test.truth(Context({key: values})) is False for test in tests)),
        None,
    )
