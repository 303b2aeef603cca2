"""Facts about those who can be trusted: known accounts, services, identity providers, and who sets a condition key.

Each is a data file of `data/reference`; this module alone reads them.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from typing import TYPE_CHECKING

from analytics.settings import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ACCOUNTS_FILE = REFERENCE / "known_accounts.csv"
SERVICES_FILE = REFERENCE / "service_principals.csv"
PROVIDERS_FILE = REFERENCE / "identity_providers.csv"
KEYS_FILE = REFERENCE / "trust_condition_keys.csv"
EXTERNAL_ID = "sts:externalid"


@dataclass(frozen=True, slots=True)
class Service:
    """A service principal: whether whoever changes what it runs acts as the role, and whether it tells its source."""

    name: str
    runs_code: bool
    confused_deputy: bool  # AWS documents aws:SourceArn or aws:SourceAccount for the trust of its roles
    reason: str


@dataclass(frozen=True, slots=True)
class Provider:
    """A family of OIDC providers.

    A shared issuer signs tokens for all its customers, so only claims tell them apart; a private one has one customer.
    IAM User Guide, "Identity-provider controls for shared OIDC providers".
    """

    name: str
    is_shared: bool
    pins: frozenset[str]  # claims that an outsider cannot have at will; empty: every claim but the audience
    owner_pattern: re.Pattern[str] | None  # found in a subject that names the owner without a wildcard
    guest_claim: tuple[str, str] | None  # claim and value of whoever has not signed in

    def is_pin(self, claim: str) -> bool:
        """Whether a condition on the claim keeps other customers of the issuer out."""
        return claim in self.pins if self.pins else claim != "aud"

    def names_owner(self, subject: str) -> bool:
        """Whether a subject's pattern fixes the owner, whatever its wildcards stand for."""
        if self.owner_pattern is not None:
            return self.owner_pattern.search(subject) is not None
        return not any(wild in subject for wild in "*?")


UNKNOWN_PROVIDER = Provider("an issuer that Headroom does not know", True, frozenset(), None, None)


@cache
def known_accounts() -> Mapping[str, str]:
    """The name behind the public account ids of vendors and of AWS itself."""
    return {row["account_id"]: row["name"] for row in _rows(ACCOUNTS_FILE)}


@cache
def services() -> Mapping[str, Service]:
    """The service principals of which something is known, by name."""
    return {
        row["service"]: Service(
            row["service"], row["runs_code"] == "yes", row["confused_deputy"] == "yes", row["reason"]
        )
        for row in _rows(SERVICES_FILE)
    }


@cache
def provider_of(issuer: str) -> Provider:
    """The family of an issuer (host and path, without a scheme); UNKNOWN_PROVIDER where it is none of the list."""
    wanted = issuer.lower().removesuffix("/")
    fitting = (provider for pattern, provider in _providers() if pattern.fullmatch(wanted))
    return next(fitting, UNKNOWN_PROVIDER)


@cache
def callers_choice(key: str) -> bool:
    """Whether the caller, or the administrator of its own account, sets the value of a condition key (lower case)."""
    return any(pattern.fullmatch(key) for pattern in _chosen())


@cache
def _chosen() -> tuple[re.Pattern[str], ...]:
    rows = (row for row in _rows(KEYS_FILE) if row["who_sets_it"] == "caller")
    return tuple(_glob(row["condition_key"].lower()) for row in rows)


@cache
def _providers() -> tuple[tuple[re.Pattern[str], Provider], ...]:
    return tuple((_glob(row["issuer"]), _provider(row)) for row in _rows(PROVIDERS_FILE))


def _provider(row: Mapping[str, str]) -> Provider:
    claim, _, value = row["guest_claim"].partition("=")
    return Provider(
        row["provider"],
        row["tenancy"] == "shared",
        frozenset(row["pins"].split()),
        re.compile(row["owner_pattern"]) if row["owner_pattern"] else None,
        (claim, value) if claim else None,
    )


def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


def _rows(path: Path) -> Iterator[Mapping[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
