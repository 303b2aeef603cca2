"""What would lower a score: single changes of one identity, each with the exact score that it would leave.

Drop the unused actions of a service, add a boundary of the services used or the template that fits best, narrow trust,
remove a key, deny the unused high-risk actions by an SCP. INVARIANT: `score_after` is what the same function gives for
the identity once the change is made, and every change that is named lowers the score. A change breaks 0 calls only
where all that it takes away was seen to lie idle; what this export cannot tell is not proven.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analytics.engine.reach import Reachable
from analytics.findings.boundaries.fit import Fits, fitter_of
from analytics.findings.boundaries.inventory import has_boundary
from analytics.findings.boundaries.templates import template
from analytics.findings.lowering.actions import ActionChanges
from analytics.findings.lowering.values import Change, ChangeKind
from analytics.findings.remediation.boundary import boundary_document
from analytics.findings.remediation.commands import own_policy
from analytics.findings.remediation.rules import remediation_rules
from analytics.findings.trust.credentials import key_party
from analytics.findings.trust.parties import narrowed_trust
from analytics.iam.names import PrincipalKind
from analytics.iam.stack import NamedPolicy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from analytics.findings.assess import Assessor
    from analytics.findings.estate import Estate, Subject
    from analytics.findings.trust.values import TrustedParty

__all__ = ["Change", "ChangeKind", "Lowering"]

_NEVER_USED = "never used"
_KEPT = 500  # boundaries after which the engine forgets those that it compiled


class Lowering:
    """Changes of every identity of one estate."""

    def __init__(self, assessor: Assessor, unresolved: Collection[str] = ()) -> None:
        """`unresolved`: ARNs of identities with calls in the window whose action is not known."""
        self._assessor = assessor
        self._estate = assessor.estate
        self._unresolved = frozenset(unresolved)
        self._actions = ActionChanges(assessor)
        self._characters = remediation_rules().quotas.managed_policy_characters
        self._passing = self._estate
        self._made = 0
        self._fitter = fitter_of(self._estate)
        self._templates: dict[tuple[str, str, str], NamedPolicy] = {}

    def of(self, arn: str, never_used: Collection[int] = ()) -> tuple[Change, ...]:
        """The changes that lower the score, the best first. `never_used`: positions of parties that nobody used."""
        subject = self._estate.subjects[arn]
        before = self._assessor.of(arn).risk.score
        if not before or subject.kind is PrincipalKind.SERVICE_LINKED_ROLE:
            return ()
        found = [
            *self._of_actions(subject),
            *self._narrow_trust(subject, never_used, before),
            *self._remove_key(subject, never_used),
            *self._proven(subject, self._actions.deny_unused(subject)),
        ]
        lowering = [change for change in found if change.score_after < before]
        return tuple(sorted(lowering, key=lambda change: change.score_after))  # stable: the order above among equals

    def _of_actions(self, subject: Subject) -> Iterator[Change]:
        """Changes of its policies and its boundary."""
        yield from self._proven(subject, self._actions.drop_unused(subject))
        yield from self._proven(subject, self._boundary(subject))
        yield from self._proven(subject, self._template(subject))

    def _proven(self, subject: Subject, changes: Iterator[Change]) -> Iterator[Change]:
        """Nothing is proven of what actions are needed while an action of its calls is not known."""
        unknown = subject.arn in self._unresolved
        return (replace(change, calls_broken=None) if unknown else change for change in changes)

    def _boundary(self, subject: Subject) -> Iterator[Change]:
        """Within the services that it used, where it has no boundary yet."""
        if has_boundary(subject) or not subject.seen or subject.kind is PrincipalKind.ROOT:
            return
        name, arn = own_policy(subject, "boundary", ())
        proposal = boundary_document(subject, arn, self._estate, self._characters)
        if proposal is None:
            return
        boundary = NamedPolicy(name, proposal.document, arn, arn)
        bounded = self._passing_estate().changed(subject, stack=replace(subject.stack, boundary=boundary))
        count = len(proposal.services)
        title = f"Add a boundary of the {count} services that it used"
        yield Change(
            ChangeKind.BOUNDARY,
            title if count > 1 else "Add a boundary of the one service that it used",
            {"services": list(proposal.services), "granted_services": proposal.granted_services},
            self._actions.score_of_bounded(bounded, boundary),
            calls_broken=0 if proposal.exact else None,
        )

    def _template(self, subject: Subject) -> Iterator[Change]:
        """Within the template that holds all it used and leaves least else, where it has no boundary yet."""
        suits = subject.seen and not has_boundary(subject)  # nothing speaks for a template where nothing was used
        best = self._fitter.best(subject) if suits else None
        if best is None:
            return
        boundary = self._boundary_of(best.template, subject.account_id, subject.arn.split(":")[1])
        bounded = self._estate.changed(subject, stack=replace(subject.stack, boundary=boundary))
        detail = {
            "template": best.template,
            "fits": best.fits.value,
            "actions_cut": best.cut,
            "unused_weight": best.weight_before,
            "unused_weight_left": best.weight_left,
        }
        score = self._actions.score_of_bounded(bounded, boundary)
        proven = best.fits is Fits.SURELY and not best.unseen_cut
        title = f"Add the boundary template {best.template}"
        yield Change(ChangeKind.TEMPLATE, title, detail, score, calls_broken=0 if proven else None)

    def _boundary_of(self, template_id: str, account_id: str, partition: str) -> NamedPolicy:
        """The template for one account, made once: it is compiled once, too."""
        key = (template_id, account_id, partition)
        if key not in self._templates:
            document = self._fitter.document(template(template_id), account_id, partition)
            arn = f"arn:{partition}:iam::{account_id}:policy/boundary/{template_id}"
            self._templates[key] = NamedPolicy(template_id, document, arn, arn)
        return self._templates[key]

    def _passing_estate(self) -> Estate:
        """The estate with an engine that forgets: a boundary that is proposed is compiled once only."""
        if self._made % _KEPT == 0:
            self._passing = replace(self._estate, reachable=Reachable(self._estate.catalogue))
        self._made += 1
        return self._passing

    def _narrow_trust(self, subject: Subject, never_used: Collection[int], before: float) -> Iterator[Change]:
        """Without the parties that nobody used where that lowers the score, or else without the most exposed one."""
        parties = self._assessor.of(subject.arn).parties
        unused = [party for at, party in enumerate(parties) if at in never_used]
        for basis, chosen in ((_NEVER_USED, unused), ("most exposed", list(parties[:1]))):
            change = self._without(subject, chosen, basis)
            if change is not None and change.score_after < before:
                yield change
                return

    def _without(self, subject: Subject, parties: list[TrustedParty], basis: str) -> Change | None:
        document = narrowed_trust(subject, parties) if parties else None
        if document is None:
            return None
        risk = self._assessor.what_if(self._estate.changed(subject, trust=document)).risk
        named = [party.party for party in parties]
        whom = named[0] if len(named) == 1 else f"{named[0]} and {len(named) - 1:,} more"
        left = [one.party for one in self._assessor.of(subject.arn).parties if one not in parties]
        if len(named) == 1 and named[0] in left:  # another statement lets it in, under conditions of its own
            whom += f" by statement {(parties[0].statement or 0) + 1} of the trust policy"
        detail = {"parties": named, "basis": basis, "statements": [party.statement for party in parties]}
        broken = 0 if basis == _NEVER_USED else None
        return Change(ChangeKind.TRUST, f"Stop trusting {whom}", detail, risk.score, broken)

    def _remove_key(self, subject: Subject, never_used: Collection[int]) -> Iterator[Change]:
        """Without the one active key whose end lowers the score most."""
        known = subject.credentials
        if known is None:
            return
        parties = self._assessor.of(subject.arn).parties
        idle = {party.party for at, party in enumerate(parties) if at in never_used}
        found: list[Change] = []
        for at, key in enumerate(known.access_keys):
            if key.active:
                rest = (*known.access_keys[:at], *known.access_keys[at + 1 :])
                without = self._estate.changed(subject, credentials=replace(known, access_keys=rest))
                created = f"{key.created:%Y-%m-%d}" if key.created else None
                detail = {"key": at + 1, "created": created}
                risk = self._assessor.what_if(without).risk
                broken = 0 if key_party(at + 1) in idle else None
                found.append(Change(ChangeKind.KEY, f"Remove access key {at + 1}", detail, risk.score, broken))
        yield from sorted(found, key=lambda change: change.score_after)[:1]
