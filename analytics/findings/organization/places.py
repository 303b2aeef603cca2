"""Accounts in the wrong place: what an account's environment tag says, and what its OU says.

An OU says an environment by a word of its path (`environment_words` of the settings). An account whose tag says another
one is misplaced; one whose OU says nothing, while other accounts of its environment have an OU that does, has no place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from analytics.findings.organization.view import policies_here
from analytics.sources.snapshot_rows import environment_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.findings.estate import Estate


class Misplacement(StrEnum):
    """How an account stands to its OU."""

    DIFFERS = "its OU says another environment"
    NO_PLACE = "its OU says no environment, and others of its environment have one that does"


@dataclass(frozen=True, slots=True)
class AccountPlace:
    """An account of the organisation with its two words for its environment. None: nothing says it."""

    account_id: str
    name: str | None
    ou_path: str | None
    environment_tag: str | None
    environment_ou: str | None


@dataclass(frozen=True, slots=True)
class MisplacedAccount:
    """An account in the wrong place, and what that costs: the control policies that its like are under."""

    place: AccountPlace
    kind: Misplacement
    environment: str  # what the tag says, in the words of the settings
    belongs: tuple[str, ...]  # OU paths that say this environment
    missing: tuple[str, ...]  # control policies in force at every well-placed account of it, and not here


def misplaced_accounts(
    places: Sequence[AccountPlace], estate: Estate, environment_words: Mapping[str, Sequence[str]]
) -> tuple[MisplacedAccount, ...]:
    """The accounts whose tag and OU disagree, by OU path and name; the management account stays where it is."""
    said = {place.account_id: _tagged(place, environment_words) for place in places}
    well_placed: dict[str, list[AccountPlace]] = {}
    for place in places:
        if place.environment_ou is not None and said[place.account_id] in (place.environment_ou, None):
            well_placed.setdefault(place.environment_ou, []).append(place)
    found = []
    for place in sorted(places, key=lambda one: (one.ou_path or "", one.name or "", one.account_id)):
        environment = said[place.account_id]
        if environment is None or place.account_id == estate.management_account_id:
            continue
        like = well_placed.get(environment, [])
        if place.environment_ou is not None and environment != place.environment_ou:
            kind = Misplacement.DIFFERS
        elif place.environment_ou is None and like:
            kind = Misplacement.NO_PLACE
        else:
            continue
        belongs = tuple(sorted({one.ou_path for one in like if one.ou_path}))
        found.append(MisplacedAccount(place, kind, environment, belongs, _missing(estate, place, like)))
    return tuple(found)


def _tagged(place: AccountPlace, words: Mapping[str, Sequence[str]]) -> str | None:
    """The tag in the words of the settings: `staging` is one for non-production; else the tag itself."""
    if not place.environment_tag:
        return None
    tag = place.environment_tag.strip().lower()
    if tag in words:
        return tag
    longer = (name for name, short in words.items() if tag.startswith(tuple(short)))  # `development` begins as `dev`
    return environment_of(tag, words) or next(longer, tag)


def _missing(estate: Estate, place: AccountPlace, like: Sequence[AccountPlace]) -> tuple[str, ...]:
    shared = [_in_force(estate, one.account_id) for one in like if one.account_id in estate.nodes]
    if not shared or place.account_id not in estate.nodes:
        return ()
    return tuple(sorted(set.intersection(*shared) - _in_force(estate, place.account_id)))


def _in_force(estate: Estate, account_id: str) -> set[str]:
    return {f"{one.layer.upper()} {one.policy.name}" for one in policies_here(estate, account_id) if one.in_force}
