"""Changes that take actions from an identity: the unused ones of a service, or all that are high-risk.

Most scores follow from counts of actions and from the paths that fall away; where paths may change in another way, the
identity is assessed anew under the changed policies.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analytics.engine.reach import Reach
from analytics.findings.assess import TO_EVERYTHING
from analytics.findings.boundaries.fit import unconditional
from analytics.findings.drafts.size import compact_text
from analytics.findings.lowering.paths import HeldActions
from analytics.findings.lowering.services import ServiceLosses, best_first, not_outdone
from analytics.findings.lowering.values import Change, ChangeKind
from analytics.findings.remediation.narrow import Narrower
from analytics.findings.remediation.words import counted
from analytics.findings.risk.facts import path_facts
from analytics.findings.risk.score import strongest_path
from analytics.iam.catalogue import bit_numbers
from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect, PolicyDocument, Statement
from analytics.iam.stack import NamedPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from analytics.findings.assess import Assessor
    from analytics.findings.escalation.values import HeldPath
    from analytics.findings.estate import Subject

_SCP = "deny-unused-high-risk"


class _Candidate(NamedTuple):
    service: str
    actions: int
    kept: tuple[HeldPath, ...]  # paths, as far as they need none of the actions


class ActionChanges:
    """Changes of actions over one estate."""

    def __init__(self, assessor: Assessor) -> None:
        self._assessor = assessor
        self._estate = assessor.estate
        catalogue = self._estate.catalogue
        self._paths = HeldActions(catalogue)
        self._narrower = Narrower(catalogue)
        weights = self._estate.weights
        self._high_risk = catalogue.mask(
            action
            for action, weight in zip(catalogue.actions, weights.weights, strict=True)
            if weight >= weights.high_risk_from
        )
        self._losses = ServiceLosses(catalogue, weights, assessor.weights)

    def drop_unused(self, subject: Subject) -> Iterator[Change]:
        """Without the unused actions of the one service that lowers the score most."""
        if subject.kind is PrincipalKind.ROOT:  # it has no policies from which they could be dropped
            return
        found = self._best(subject)
        if found is not None:
            score, one = found
            detail = {"service": one.service, **self._counted(subject, one.actions)}
            title = f"Drop the unused actions of {one.service}"
            yield Change(ChangeKind.DROP_UNUSED, title, detail, score, _broken(detail))

    def _best(self, subject: Subject) -> tuple[float, _Candidate] | None:
        """The service whose loss leaves the lowest score; who needs the search comes last, and only if it may win."""
        best: tuple[float, _Candidate] | None = None
        doubtful: list[tuple[float, _Candidate]] = []
        for one in self._worth_trying(subject):
            if self._is_exact(subject, one.actions, one.kept, new_limit=False):
                score = self._left(subject, one.actions, one.kept)
                best = (score, one) if best is None or score < best[0] else best
            else:
                doubtful.append((self._left(subject, one.actions, self._paths.not_lifting(one.kept)), one))
        for least, one in sorted(doubtful, key=lambda pair: pair[0]):
            if best is None or least < best[0]:
                score = self._assessor.what_if(self._narrowed(subject, one.actions)).risk.score
                best = (score, one) if best is None or score < best[0] else best
        return best

    def deny_unused(self, subject: Subject) -> Iterator[Change]:
        """Under one more SCP that denies its unused high-risk actions; where SCPs do not bind it, nothing."""
        unused = subject.reach.maybe & ~subject.seen & self._high_risk
        if not subject.stack.scp_levels or not unused:
            return
        kept = self._paths.without(self._assessor.of(subject.arn).paths, unused)
        # Under a Deny nobody assumes a role for what it is either.
        if self._paths.is_exact(kept, unused, new_limit=True):
            score = self._left(subject, unused, kept)
        else:
            score = self._assessor.what_if(self._denied(subject, unused)).risk.score
        detail = self._counted(subject, unused)
        title = f"Deny its {counted(detail['actions'], 'unused high-risk action')} by an SCP"
        yield Change(ChangeKind.SCP, title, detail, score, _broken(detail))

    def score_of_bounded(self, bounded: Subject, boundary: NamedPolicy) -> float:
        """The score of an identity that got a boundary; kept, for the remediation list asks what pages asked before."""
        key = (bounded.arn, f"{boundary.arn} {compact_text(boundary.document)}")
        known = self._assessor.bounded.get(key)
        if known is None:
            known = self._assessor.bounded[key] = self._score_of_bounded(bounded, boundary.document)
        return known

    def _score_of_bounded(self, bounded: Subject, boundary: PolicyDocument) -> float:
        base = self._estate.subjects[bounded.arn]
        lost = base.reach.maybe & ~bounded.reach.maybe
        kept = self._paths.without(self._assessor.of(base.arn).paths, lost)
        exact = self._is_exact(base, lost, kept, new_limit=True) and self._leaves_alone(boundary, kept)
        return self._assessor.with_paths(bounded, kept).score if exact else self._assessor.what_if(bounded).risk.score

    def score_of_narrowed(self, narrowed: Subject) -> float:
        """The score of an identity whose own policies speak of fewer actions, and otherwise say what they said."""
        base = self._estate.subjects[narrowed.arn]
        paths, lost = self._assessor.of(base.arn).paths, base.reach.maybe & ~narrowed.reach.maybe
        kept = self._paths.without(paths, lost)
        # What goes may lie outside of a limit, where a path that lifts it would have led.
        if self._paths.any_lifting(paths) or not self._is_exact(base, lost, kept, new_limit=False):
            return self._assessor.what_if(narrowed).risk.score
        return self._assessor.with_paths(narrowed, kept).score

    def _leaves_alone(self, boundary: PolicyDocument, kept: Sequence[HeldPath]) -> bool:
        """Whether a boundary allows all that these paths need, on everything: else they may lead to less."""
        needed = self._paths.needed(kept)
        return not needed or not needed & ~unconditional(boundary, self._estate.catalogue)

    def _is_exact(self, subject: Subject, lost: int, kept: Sequence[HeldPath], *, new_limit: bool) -> bool:
        """Whether these paths are left, and all else is as it was."""
        if not self._paths.is_exact(kept, lost, new_limit=new_limit):
            return False
        paths = self._assessor.of(subject.arn).paths
        return not self._paths.take_assuming(paths, lost) or not self._assessor.escalations.is_named(subject)

    def _left(self, subject: Subject, lost: int, kept: Sequence[HeldPath]) -> float:
        """The score without these actions and with these paths."""
        reach = Reach(subject.reach.surely & ~lost, subject.reach.maybe & ~lost)
        return self._assessor.with_paths(replace(subject, reach=reach), kept).score

    def _worth_trying(self, subject: Subject) -> Iterator[_Candidate]:
        """The services that could be the best: no other outweighs them in everything, paths included."""
        paths = self._assessor.of(subject.arn).paths
        unused = Reach(subject.reach.surely & ~subject.seen, subject.reach.maybe & ~subject.seen)
        held, losses = self._losses.of(unused)
        kept = self._kept_without(paths, unused.maybe)
        of_paths = np.zeros((len(held), 2))
        now = self._control(paths)
        for at in np.flatnonzero(np.isin(held, list(kept))):
            left = self._control(kept[int(held[at])])
            of_paths[at] = now[0] - left[0], now[1] and not left[1]
        losses = np.hstack((losses, of_paths))
        order = best_first(losses)
        any_lifting = self._paths.any_lifting(paths)
        for place, worth in zip(held[order].tolist(), not_outdone(losses[order]).tolist(), strict=True):
            # Of those that take a path along while another lifts a limit, the loss is not fully known.
            if worth or (any_lifting and place in kept):
                service = self._losses.services[place]
                actions = unused.maybe & self._narrower.services[service]
                yield _Candidate(service, actions, kept.get(place, paths))

    def _kept_without(self, paths: tuple[HeldPath, ...], unused: int) -> dict[int, tuple[HeldPath, ...]]:
        """By the place of each service whose unused actions a path needs: the paths that need none of them."""
        touched = {int(self._losses.service_of[number]) for number in bit_numbers(self._paths.needed(paths) & unused)}
        masks = {place: self._narrower.services[self._losses.services[place]] for place in touched}
        return {place: self._paths.without(paths, unused & mask) for place, mask in masks.items()}

    def _control(self, paths: Sequence[HeldPath]) -> tuple[float, bool]:
        """The strongest path, and whether one leads to everything."""
        facts = path_facts(paths)
        return strongest_path(facts, self._assessor.weights), TO_EVERYTHING in facts

    def _counted(self, subject: Subject, actions: int) -> dict[str, int]:
        """How many, and of how many of them this export would not have shown a call."""
        return {"actions": actions.bit_count(), "unobserved": (actions & ~subject.observable).bit_count()}

    def _narrowed(self, subject: Subject, lost: int) -> Subject:
        """Under policies that do not grant these actions."""
        keep = self._estate.catalogue.full & ~lost
        policies = (
            replace(named, document=document)
            for named in subject.stack.identity
            if (document := self._narrower.document(named.document, keep)) is not None
        )
        return self._estate.changed(subject, stack=replace(subject.stack, identity=tuple(policies)))

    def _denied(self, subject: Subject, lost: int) -> Subject:
        """Under one more policy at the lowest level of SCPs."""
        actions = tuple(self._estate.catalogue.names(lost))
        document = PolicyDocument((Statement(Effect.DENY, _SCP, action=actions, resource=("*",)),), "2012-10-17")
        *upper, lowest = subject.stack.scp_levels
        added = replace(lowest, policies=(*lowest.policies, NamedPolicy(_SCP, document, None, lowest.node_id)))
        return self._estate.changed(subject, stack=replace(subject.stack, scp_levels=(*upper, added)))


def _broken(detail: Mapping[str, Any]) -> int | None:
    """No call was seen of actions that are not used; where one would not have been seen, nothing is proven."""
    return None if detail["unobserved"] else 0
