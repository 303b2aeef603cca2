"""What a reader should know of a party beside its class, as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.findings.trust import words
from analytics.findings.trust.entries import Entry, Field
from analytics.findings.trust.facts import provider_of, services
from analytics.findings.trust.federation import has_audience, is_foreign, issuer_of, open_claims
from analytics.findings.trust.guesses import account_id_of, is_pattern
from analytics.findings.trust.values import (
    ANYONE,
    EXTERNAL_CLASSES,
    FEDERATED,
    OIDC_ANY_SUBJECT,
    OIDC_PINNED,
    UNKNOWN_ACCOUNT,
    VENDOR,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.findings.trust.callers import Scene
    from analytics.findings.trust.document import Found
    from analytics.iam.policy import Statement

_SOURCES = frozenset({"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"})


def notes_of(
    scene: Scene, entry: Entry, statement: Statement, found: Found, *, missing: frozenset[str]
) -> Iterator[str]:
    """The notes on one party, in a fixed order."""
    if found.guess is not None and found.guess.note is not None and found.admission.possible:
        yield found.guess.note
    if found.trust_class in EXTERNAL_CLASSES:
        yield from _outsiders(statement, found)
    match entry.field:
        case Field.OTHERS:
            yield words.OTHERS
        case Field.AWS:
            yield from _named(entry, found, missing)
        case Field.SERVICE:
            yield from _service(entry.text, statement)
        case Field.FEDERATED:
            yield from _provider(scene, entry.text, found)


def _outsiders(statement: Statement, found: Found) -> Iterator[str]:
    if found.admission.needs_external_id:
        yield words.NEEDS_EXTERNAL_ID
    elif found.trust_class in (UNKNOWN_ACCOUNT, VENDOR):
        yield words.NO_EXTERNAL_ID
    if found.admission.limits:
        yield words.limited_by(found.admission.limits)
    elif statement.condition and found.trust_class in (ANYONE, UNKNOWN_ACCOUNT, VENDOR):
        yield words.CHOSEN_BY_CALLER


def _named(entry: Entry, found: Found, missing: frozenset[str]) -> Iterator[str]:
    if entry.text in missing:
        yield words.NOT_IN_SNAPSHOT
    if is_pattern(entry.text):
        yield words.NO_WILDCARDS
    elif account_id_of(entry) is None and found.guess is None:
        yield words.GONE


def _service(service: str, statement: Statement) -> Iterator[str]:
    """The confused deputy, where AWS documents a source for the service's calls and the statement looks at none."""
    fact = services().get(service)
    looked_at = {condition.key.lower() for condition in statement.condition}
    if fact is not None and fact.confused_deputy and not looked_at & _SOURCES:
        yield words.CONFUSED_DEPUTY


def _provider(scene: Scene, text: str, found: Found) -> Iterator[str]:
    if is_foreign(scene, text):
        yield words.PROVIDER_ELSEWHERE
    if ":saml-provider/" in text:
        return
    provider = provider_of(issuer_of(text))
    if found.trust_class == OIDC_ANY_SUBJECT:
        is_guest = provider.guest_claim is not None and _says_guest(found, provider.guest_claim)
        yield words.ANY_GUEST if is_guest else words.ANY_SUBJECT.format(provider=provider.name)
    if found.trust_class == FEDERATED:
        yield words.ANY_OF_ISSUER
    if found.trust_class == OIDC_PINNED:
        yield from (words.OWNER_ONLY.format(text=subject) for subject in open_claims(scene, text))
    if not has_audience(scene, text):
        yield words.NO_AUDIENCE


def _says_guest(found: Found, guest: tuple[str, str]) -> bool:
    values = found.guess.caller.values if found.guess is not None else {}
    return any(key.endswith(f":{guest[0]}") and value == (guest[1],) for key, value in values.items())
