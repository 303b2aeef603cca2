"""The parties of one trust document, each with the class of the most exposed caller that its entry lets in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.decide_policy import Compiler
from analytics.findings.trust import words
from analytics.findings.trust.callers import Scene
from analytics.findings.trust.entries import Entry, Field, entries, only
from analytics.findings.trust.federation import kind_of_provider
from analytics.findings.trust.guesses import account_id_of, guesses_of, is_whole_account
from analytics.findings.trust.notes import notes_of
from analytics.findings.trust.probe import REFUSED, Admission, Door, Role
from analytics.findings.trust.values import (
    ANYONE,
    ANYONE_CONDITIONAL,
    EXTERNAL_CLASSES,
    NOBODY,
    ORGANIZATION,
    UNKNOWN_ACCOUNT,
    UNKNOWN_ACCOUNT_EXTERNAL_ID,
    VENDOR,
    VENDOR_EXTERNAL_ID,
    PartyKind,
    TrustedParty,
    exposure_rank,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analytics.findings.trust.callers import Guess, Values
    from analytics.findings.trust.world import World
    from analytics.iam.policy import PolicyDocument

_WITH_EXTERNAL_ID = {
    ANYONE: UNKNOWN_ACCOUNT_EXTERNAL_ID,
    UNKNOWN_ACCOUNT: UNKNOWN_ACCOUNT_EXTERNAL_ID,
    VENDOR: VENDOR_EXTERNAL_ID,
}
_LIMITED = frozenset({ANYONE, UNKNOWN_ACCOUNT, UNKNOWN_ACCOUNT_EXTERNAL_ID})


class Found(NamedTuple):
    """The most exposed caller that is let in, and how; nobody."""

    trust_class: str = NOBODY
    admission: Admission = REFUSED
    guess: Guess | None = None


@dataclass(frozen=True)
class Reading:
    """One role's trust document being read."""

    role: Role
    trust: PolicyDocument
    world: World
    known: Mapping[str, Values] = field(default_factory=dict)  # of identities that it names: their condition keys
    missing: frozenset[str] = frozenset()  # ARNs that it names and that their collected accounts do not hold

    @cached_property
    def compiler(self) -> Compiler:
        """Of this reading alone: what is compiled goes when it goes."""
        return Compiler()

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, `aws-us-gov`."""
        return self.role.arn.split(":", 2)[1]

    def parties(self) -> tuple[TrustedParty, ...]:
        """Every party, the most exposed first; none for a document that lets nobody begin a session."""
        found = [self._party(entry) for entry in entries(self.trust)]
        return tuple(sorted(found, key=lambda party: exposure_rank(party.trust_class)))

    def _party(self, entry: Entry) -> TrustedParty:
        statement = self.trust.statements[entry.statement]
        document = only(self.trust, entry)
        limits = (one for level in self.role.rcp_levels for one in level)
        scene = Scene(self.role.account_id, self.partition, self.world, (document, *limits))
        found, refusal = self._found(guesses_of(scene, entry, statement, self.known), document)
        account_id = found.guess.account_id if found.guess and found.guess.account_id else account_id_of(entry)
        notes = (*refusal, *notes_of(scene, entry, statement, found, missing=self.missing))
        return TrustedParty(
            party=party_text(entry, self.partition),
            kind=_kind(entry),
            account_id=account_id,
            name=self._name(entry, account_id),
            trust_class=found.trust_class,
            conditions=words.readable_conditions(statement),
            statement=entry.statement,
            sid=statement.sid,
            surely=found.admission.surely,
            notes=tuple(dict.fromkeys(notes)),
        )

    def _found(self, guesses: Iterable[Guess], document: PolicyDocument) -> tuple[Found, tuple[str, ...]]:
        """The most exposed caller that trust document and control policies let in, with a note on what is kept out.

        A control policy that surely keeps outsiders out leaves the class of the organisation: it may be detached.
        """
        ordered = sorted(guesses, key=lambda guess: exposure_rank(guess.trust_class))
        found = most_exposed(ordered, Door(self.role, document, self.compiler))
        if not self.role.rcp_levels:
            return found, () if found.admission.possible else (words.SHUT_OUT,)
        alone = most_exposed(ordered, Door(replace(self.role, rcp_levels=()), document, self.compiler))
        if not alone.admission.possible:
            return found, (words.SHUT_OUT,)
        if alone.trust_class in EXTERNAL_CLASSES and found.trust_class not in EXTERNAL_CLASSES:
            return Found(ORGANIZATION, found.admission, found.guess or alone.guess), (words.SHUT_OUT_BY_RCP,)
        return found, () if found.admission.possible else (words.REFUSED_BY_RCP,)

    def _name(self, entry: Entry, account_id: str | None) -> str | None:
        if entry.field is Field.FEDERATED:
            return words.provider_name(entry.text)
        return self.world.name_of(account_id) if account_id and entry.field is not Field.SERVICE else None


def most_exposed(ordered: Iterable[Guess], door: Door) -> Found:
    """Of callers in the order of their classes the one whose class, after conditions, is the most exposed."""
    best = Found()
    for guess in ordered:
        if exposure_rank(guess.trust_class) >= exposure_rank(best.trust_class):
            break
        admission = door.admits(guess.caller)
        if admission.possible:
            found = Found(_after_conditions(guess.trust_class, admission), admission, guess)
            best = min(best, found, key=lambda one: exposure_rank(one.trust_class))
    return best


def party_text(entry: Entry, partition: str) -> str:
    """How a party is named: an account, however it is written, by the ARN of its root."""
    if entry.field is Field.AWS and is_whole_account(entry.text):
        return f"arn:{partition}:iam::{account_id_of(entry)}:root"
    return entry.text


def _after_conditions(trust_class: str, admission: Admission) -> str:
    """The class of a caller that is let in under conditions.

    A limit that the caller does not set weighs the same for one unknown account and for anyone: otherwise the narrower
    trust would be the more exposed one.
    """
    if admission.needs_external_id:
        trust_class = _WITH_EXTERNAL_ID.get(trust_class, trust_class)
    return ANYONE_CONDITIONAL if admission.limits and trust_class in _LIMITED else trust_class


def _kind(entry: Entry) -> PartyKind:
    match entry.field:
        case Field.SERVICE:
            return PartyKind.SERVICE
        case Field.FEDERATED:
            return kind_of_provider(entry.text)
        case Field.AWS:
            return PartyKind.ACCOUNT if is_whole_account(entry.text) else PartyKind.PRINCIPAL
        case _:
            return PartyKind.ANYONE
