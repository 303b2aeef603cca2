"""Changes that take actions from an identity: the unused ones of a service, or all that are high-risk.

Most scores follow from counts of actions and from the paths that fall away; where paths may change in another way, the
identity is assessed anew under the changed policies.
"""

from __future__ import annotations

from dataclasses import replace
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.reach import Reach
from analytics.findings.lowering_paths import HeldActions
from analytics.findings.lowering_values import Change, ChangeKind
from analytics.findings.remediation_narrow import Narrower
from analytics.findings.risk_weights import CLASSES
from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect, PolicyDocument, Statement
from analytics.iam.stack import NamedPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analytics.findings.assess import Assessor
    from analytics.findings.escalation_values import HeldPath
    from analytics.findings.estate import Subject

_SCP = "deny-unused-high-risk"


class _Loss(NamedTuple):
    """What the unused actions of a service weigh: the more of each, the lower the score without them."""

    high_risk: float
    everything: float
    reveals: float

    def is_within(self, other: _Loss) -> bool:
        """Whether the other loss is no less in anything."""
        return all(map(float.__le__, self, other))


class _Candidate(NamedTuple):
    service: str
    actions: int
    loss: _Loss


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
        by_class = [assessor.weights[f"weights.{name}"] for name in CLASSES]
        self._weights = by_class
        self._high_weights = [weight if weight >= weights.high_risk_from else 0.0 for weight in by_class]
        self._losses: dict[tuple[str, int, int], _Loss] = {}

    def drop_unused(self, subject: Subject) -> Iterator[Change]:
        """Without the unused actions of the one service that lowers the score most."""
        if subject.kind is PrincipalKind.ROOT:  # it has no policies from which they could be dropped
            return
        best: tuple[float, _Candidate] | None = None
        for one in self._worth_trying(subject):
            score = self._without(subject, one.actions, self._narrowed, new_limit=False)
            if best is None or score < best[0]:
                best = (score, one)
        if best is not None:
            score, one = best
            detail = {"service": one.service, **self._counted(subject, one.actions)}
            yield Change(ChangeKind.DROP_UNUSED, f"Drop the unused actions of {one.service}", detail, score)

    def deny_unused(self, subject: Subject) -> Iterator[Change]:
        """Under one more SCP that denies its unused high-risk actions; where SCPs do not bind it, nothing."""
        unused = subject.reach.maybe & ~subject.seen & self._high_risk
        if not subject.stack.scp_levels or not unused:
            return
        score = self._without(subject, unused, self._denied, new_limit=True)
        detail = self._counted(subject, unused)
        yield Change(
            ChangeKind.SCP, f"Deny its {detail['actions']:,} unused high-risk actions by an SCP", detail, score
        )

    def score_of_bounded(self, bounded: Subject) -> float:
        """The score of an identity that got a boundary."""
        base = self._estate.subjects[bounded.arn]
        # Where only certainty is lost, paths may become less certain: that is for the search to say.
        doubted = base.reach.surely & ~bounded.reach.surely & bounded.reach.maybe
        lost = base.reach.maybe & ~bounded.reach.maybe
        paths = self._assessor.of(base.arn).paths
        kept = self._paths.without(paths, lost)
        exact = self._paths.is_exact(paths, lost, new_limit=True) and not self._paths.needed(kept) & doubted
        return self._assessor.with_paths(bounded, kept).score if exact else self._assessor.what_if(bounded).risk.score

    def _without(
        self, subject: Subject, lost: int, make: Callable[[Subject, int], Subject], *, new_limit: bool
    ) -> float:
        """The score without these actions; `make` gives the changed identity where it has to be assessed anew."""
        paths: Sequence[HeldPath] = self._assessor.of(subject.arn).paths
        if not self._paths.is_exact(paths, lost, new_limit=new_limit):
            return self._assessor.what_if(make(subject, lost)).risk.score
        reach = Reach(subject.reach.surely & ~lost, subject.reach.maybe & ~lost)
        return self._assessor.with_paths(replace(subject, reach=reach), self._paths.without(paths, lost)).score

    def _worth_trying(self, subject: Subject) -> Iterator[_Candidate]:
        """The services that could be the best: those on which paths stand, and those that no other outweighs."""
        needed = self._paths.needed(self._assessor.of(subject.arn).paths)
        others: list[_Candidate] = []
        for one in self._services(subject):
            if one.actions & needed:
                yield one
            else:
                others.append(one)
        kept: list[_Candidate] = []
        for one in sorted(others, key=lambda one: one.loss, reverse=True):
            if not any(one.loss.is_within(other.loss) for other in kept):
                kept.append(one)
        yield from kept

    def _services(self, subject: Subject) -> Iterator[_Candidate]:
        """Every service with unused actions, and what they weigh."""
        unused = subject.reach.maybe & ~subject.seen
        surely = unused & subject.reach.surely
        for service, mask in self._narrower.services.items():
            actions = unused & mask
            if actions:
                sure = surely & mask
                start = self._estate.catalogue.services[service].start
                key = (service, sure >> start, actions >> start)
                loss = self._losses.get(key)
                if loss is None:
                    loss = self._losses[key] = self._loss(Reach(sure, actions))
                yield _Candidate(service, actions, loss)

    def _loss(self, reach: Reach) -> _Loss:
        counts = self._assessor.counter.within(reach, reach.maybe)
        revealing = self._assessor.counter.reveals(reach)
        certainty = self._assessor.weights.table("certainty")
        by_class = [
            certainty["surely"] * sure + certainty["maybe"] * maybe
            for sure, maybe in zip(counts.surely, counts.maybe, strict=True)
        ]
        return _Loss(
            sum(map(mul, self._high_weights, by_class)),
            sum(map(mul, self._weights, by_class)),
            certainty["surely"] * revealing[0] + certainty["maybe"] * revealing[1],
        )

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
