"""Changes that take actions from an identity: the unused ones of a service, or all that are high-risk.

Most scores follow from counts of actions and from the paths that fall away; where paths may change in another way, the
identity is assessed anew under the changed policies.
"""

from __future__ import annotations

from dataclasses import replace
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.reach import Reach
from analytics.findings.assess import TO_EVERYTHING
from analytics.findings.lowering_paths import HeldActions
from analytics.findings.lowering_values import Change, ChangeKind
from analytics.findings.remediation_narrow import Narrower
from analytics.findings.remediation_words import counted
from analytics.findings.risk import strongest_path
from analytics.findings.risk_facts import path_facts
from analytics.findings.risk_weights import CLASSES
from analytics.iam.names import PrincipalKind
from analytics.iam.policy import Effect, PolicyDocument, Statement
from analytics.iam.stack import NamedPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analytics.findings.assess import Assessor
    from analytics.findings.escalation_values import HeldPath
    from analytics.findings.estate import Subject

_SCP = "deny-unused-high-risk"


class _Loss(NamedTuple):
    """What goes with the unused actions of a service: the more of each, the lower the score without them."""

    high_risk: float  # weight
    everything: float  # weight
    reveals: float
    control: float = 0.0  # of the strongest path
    administrator: bool = False

    def is_within(self, other: _Loss) -> bool:
        """Whether the other loss is no less in anything."""
        return all(mine <= theirs for mine, theirs in zip(self, other, strict=True))


class _Candidate(NamedTuple):
    service: str
    actions: int
    kept: tuple[HeldPath, ...]  # paths, as far as they need none of the actions
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
        found = self._best(subject)
        if found is not None:
            score, one = found
            detail = {"service": one.service, **self._counted(subject, one.actions)}
            yield Change(ChangeKind.DROP_UNUSED, f"Drop the unused actions of {one.service}", detail, score)

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
        yield Change(
            ChangeKind.SCP, f"Deny its {counted(detail['actions'], 'unused high-risk action')} by an SCP", detail, score
        )

    def score_of_bounded(self, bounded: Subject) -> float:
        """The score of an identity that got a boundary."""
        base = self._estate.subjects[bounded.arn]
        # Where only certainty is lost, paths may become less certain: that is for the search to say.
        doubted = base.reach.surely & ~bounded.reach.surely & bounded.reach.maybe
        lost = base.reach.maybe & ~bounded.reach.maybe
        kept = self._paths.without(self._assessor.of(base.arn).paths, lost)
        exact = self._is_exact(base, lost, kept, new_limit=True) and not self._paths.needed(kept) & doubted
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
        """The services that could be the best: no other outweighs them in everything."""
        paths = self._assessor.of(subject.arn).paths
        tried: list[_Candidate] = []
        for one in sorted(self._services(subject, paths), key=lambda one: one.loss, reverse=True):
            if not any(one.loss.is_within(other.loss) for other in tried):
                tried.append(one)
                yield one
            elif one.kept is not paths and self._paths.any_lifting(paths):  # of these the loss is not fully known
                yield one

    def _services(self, subject: Subject, paths: tuple[HeldPath, ...]) -> Iterator[_Candidate]:
        """Every service with unused actions, and what goes with them."""
        needed, now = self._paths.needed(paths), self._control(paths)
        unused = subject.reach.maybe & ~subject.seen
        surely = unused & subject.reach.surely
        for service, mask in self._narrower.services.items():
            actions = unused & mask
            if not actions:
                continue
            loss = self._loss_of(service, Reach(surely & mask, actions))
            if not actions & needed:
                yield _Candidate(service, actions, paths, loss)
                continue
            kept = self._paths.without(paths, actions)
            left = self._control(kept)
            lost = loss._replace(control=now[0] - left[0], administrator=now[1] and not left[1])
            yield _Candidate(service, actions, kept, lost)

    def _control(self, paths: Sequence[HeldPath]) -> tuple[float, bool]:
        """The strongest path, and whether one leads to everything."""
        facts = path_facts(paths)
        return strongest_path(facts, self._assessor.weights), TO_EVERYTHING in facts

    def _loss_of(self, service: str, reach: Reach) -> _Loss:
        """Kept by the actions: many identities hold the same ones of a service."""
        start = self._estate.catalogue.services[service].start
        key = (service, reach.surely >> start, reach.maybe >> start)
        found = self._losses.get(key)
        if found is None:
            found = self._losses[key] = self._loss(reach)
        return found

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
