"""Whose account is whose, as seen from one role: its own, the organisation's, a known vendor's, or unknown.

An account that is not listed anywhere is unknown, not hostile. Where the organisation was not collected, only accounts
of the snapshot itself count as one's own.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.findings.trust.facts import known_accounts
from analytics.findings.trust.values import ORGANIZATION, SAME_ACCOUNT, UNKNOWN_ACCOUNT, VENDOR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.findings.estate import AccountFacts, Estate

_COLLECTED = frozenset({"ok", "failed"})


@dataclass(frozen=True, eq=False, slots=True)
class World:
    """The accounts of an estate, and the organisation they are in."""

    organization_id: str | None  # None: not collected
    management_account_id: str | None
    accounts: Mapping[str, AccountFacts]
    paths: Mapping[str, str]  # account -> `o-…/r-…/ou-…/`, as aws:PrincipalOrgPaths has it
    unique_ids: Mapping[str, str]  # `AROA…`, `AIDA…` -> ARN, of the identities of the snapshot

    def is_own(self, account_id: str) -> bool:
        """Whether the account is one of the organisation, or of the snapshot."""
        facts = self.accounts.get(account_id)
        return facts is not None and (facts.in_organization or facts.collected in _COLLECTED)

    def class_of(self, account_id: str, home: str) -> str:
        """The trust class of an account as a whole, for a role of the account `home`."""
        if account_id == home:
            return SAME_ACCOUNT
        if self.is_own(account_id):
            return ORGANIZATION
        return VENDOR if account_id in known_accounts() else UNKNOWN_ACCOUNT

    def name_of(self, account_id: str) -> str | None:
        """The account's or the vendor's name; the management account is named as such."""
        facts = self.accounts.get(account_id)
        name = facts.name if facts is not None else None
        if account_id == self.management_account_id:
            return f"{name} (management account)" if name else "management account"
        return name or (None if self.is_own(account_id) else known_accounts().get(account_id))


_KEPT: OrderedDict[int, tuple[Mapping[str, AccountFacts], World]] = OrderedDict()
_MOST_KEPT = 8


def world_of(estate: Estate) -> World:
    """The world of an estate; the same object for estates that share their accounts, as proposals do."""
    key = id(estate.accounts)
    held = _KEPT.get(key)
    if held is not None and held[0] is estate.accounts and held[1].organization_id == estate.organization_id:
        return held[1]
    world = World(
        estate.organization_id,
        estate.management_account_id,
        estate.accounts,
        {
            facts.account_id: facts.organization_path
            for subject in estate.subjects.values()
            if (facts := subject.stack.principal).organization_path
        },
        {
            unique_id: arn
            for arn, subject in estate.subjects.items()
            if (unique_id := subject.stack.principal.unique_id) is not None
        },
    )
    _KEPT[key] = (estate.accounts, world)
    if len(_KEPT) > _MOST_KEPT:
        _KEPT.popitem(last=False)
    return world
