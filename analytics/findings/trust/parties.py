"""Every way to become an identity, with its class after conditions, denies and resource control policies.

Each entry of a trust document is tried by itself: callers that stand for whoever it may mean ask for the role, and the
engine that decides everything else decides this (docs/METHOD.md, "Trust"). The most exposed caller that is let in tells
the class. INVARIANT: a wider document never gives a weaker class, a Deny or a control policy never a stronger one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analytics.findings.trust.credentials import credential_parties
from analytics.findings.trust.document import party_text
from analytics.findings.trust.entries import entries, without
from analytics.findings.trust.role import parties_of_role
from analytics.findings.trust.scale import old_key_days
from analytics.findings.trust.values import ANYONE, NOBODY, ORGANIZATION, PartyKind, TrustedParty, exposure_rank
from analytics.findings.trust.words import CHAINED, CHAINED_FROM, CLASS_WORDS, UNREADABLE
from analytics.iam.names import PrincipalKind, parse_arn

if TYPE_CHECKING:
    from collections.abc import Collection

    from analytics.findings.estate import Estate, Subject
    from analytics.iam.policy import PolicyDocument

_WITH_CREDENTIALS = frozenset({PrincipalKind.USER, PrincipalKind.ROOT})
_NOBODY = TrustedParty("nobody", PartyKind.NOBODY, None, None, NOBODY, (), None, None, surely=True, notes=())
_UNREADABLE = TrustedParty("*", PartyKind.ANYONE, None, None, ANYONE, (), None, None, surely=False, notes=(UNREADABLE,))


def trusted_parties(subject: Subject, estate: Estate) -> tuple[TrustedParty, ...]:
    """Every way to become the identity, the most exposed first; `nobody` alone where there is none.

    A trust document that could not be read counts as open to anyone: what is not known is never taken for safe.
    """
    found = _direct(subject, estate)
    chained = (_with_chain(party, subject, estate) if party.kind is PartyKind.PRINCIPAL else party for party in found)
    return tuple(chained) or (_NOBODY,)


def narrowed_trust(subject: Subject, unused_parties: Collection[TrustedParty]) -> PolicyDocument | None:
    """The trust document without these parties, all else as it was; None where there is nothing to narrow.

    That is so when none of them stands in the document, and when nobody would be left: then the role itself can go.
    """
    if subject.trust is None:
        return None
    partition = subject.arn.split(":", 2)[1]
    unwanted = {(party.statement, party.party) for party in unused_parties}
    present = list(entries(subject.trust))
    dropped = [entry for entry in present if (entry.statement, party_text(entry, partition)) in unwanted]
    return without(subject.trust, dropped) if dropped else None


def _direct(subject: Subject, estate: Estate) -> tuple[TrustedParty, ...]:
    """The parties without the chains behind them."""
    if subject.kind in _WITH_CREDENTIALS:
        found = credential_parties(subject, estate, old_key_days=old_key_days())
        return tuple(sorted(found, key=lambda party: exposure_rank(party.trust_class)))
    return parties_of_role(subject, estate) if subject.trust is not None else (_UNREADABLE,)


def _with_chain(party: TrustedParty, subject: Subject, estate: Estate) -> TrustedParty:
    """The party with a note where it is a role itself: whoever may become that one may become this one."""
    first = _role_behind(party.party, estate)
    if party.trust_class == NOBODY or not _is_role(party.party):
        return party
    notes = [CHAINED.format(arn=party.party)]
    if first is not None:
        exposed = _most_exposed_along(first, subject, estate)
        if exposed is not None:
            arn, trust_class = exposed
            notes.append(CHAINED_FROM.format(arn=arn, whom=CLASS_WORDS[trust_class]))
    return replace(party, notes=(*party.notes, *notes))


def _most_exposed_along(first: Subject, start: Subject, estate: Estate) -> tuple[str, str] | None:
    """Of all roles in the chains that lead to `first` the most exposed, where that is more than the organisation."""
    seen, waiting = {start.arn, first.arn}, [first]
    best: tuple[str, str] | None = None
    while waiting:
        role = waiting.pop()
        for party in _direct(role, estate):
            rank = exposure_rank(party.trust_class)
            if rank < exposure_rank(best[1] if best else ORGANIZATION):
                best = (role.arn, party.trust_class)
            behind = _role_behind(party.party, estate) if party.kind is PartyKind.PRINCIPAL else None
            if behind is not None and behind.arn not in seen and party.trust_class != NOBODY:
                seen.add(behind.arn)
                waiting.append(behind)
    return best


def _is_role(arn: str) -> bool:
    return ":role/" in arn or ":assumed-role/" in arn


def _role_behind(arn: str, estate: Estate) -> Subject | None:
    """The role of the snapshot that an ARN names, by itself or through a session."""
    found = estate.subjects.get(arn)
    parsed = parse_arn(arn)
    if found is None and parsed is not None and parsed.resource.startswith("assumed-role/"):
        name = parsed.resource.split("/")[1]
        found = estate.subjects.get(f"arn:{parsed.partition}:iam::{parsed.account_id}:role/{name}")
    return found if found is not None and found.kind not in _WITH_CREDENTIALS else None
