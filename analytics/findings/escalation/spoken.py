"""What policies say of one action of one identity, gathered so that equal questions are decided once.

Identities share the policies above them, and often their own: what a policy says of an action is found once, and only
statements that ask who calls are put to each identity. INVARIANT: the key of an answer holds all on which the answer
rests: the statements that bear, layer by layer, which of them fit the resource, and the value of every condition key
at which they look. Who asks is part of it only as far as a condition asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analytics.engine.reach_facts import about_principal, known_context
from analytics.findings.escalation.bearing import Spoken, meaning
from analytics.findings.escalation.said import Limiting, may_hold
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from analytics.engine.decide_policy import CompiledStatement
    from analytics.findings.escalation.bearing import Groups
    from analytics.findings.escalation.facts import Held
    from analytics.findings.escalation.workshop import Workshop
    from analytics.findings.estate import Subject
    from analytics.iam.condition import Context

FREELY = -1  # stands for all statements that allow something everywhere without a condition, and deny nothing


@dataclass(frozen=True, slots=True)
class Voice:
    """What is kept for all identities of whom policies say the same."""

    spoken: dict[str, Spoken] = field(default_factory=dict)  # by action
    stances: dict[str, Hashable] = field(default_factory=dict)  # by action
    made: dict[tuple[str, str], Held] = field(default_factory=dict)  # by account and path


class Gatherer:
    """Gathers what is said of the actions of one identity."""

    def __init__(self, workshop: Workshop, subject: Subject) -> None:
        self.known: Context = known_context(subject.stack.principal)
        self._workshop = workshop
        self._subject = subject
        self._own = [workshop.said(named.document) for named in subject.stack.identity]
        self._limits = workshop.limits(subject.stack)
        self._holds: dict[int, bool] = {}  # by statement: whether its conditions on the identity may hold
        self._is_root = subject.kind is PrincipalKind.ROOT

    def voice(self) -> Voice:
        """What is kept for all of whom policies say the same."""
        return self._workshop.voices.setdefault(self._sameness(), Voice())

    def _sameness(self) -> Hashable:
        """Equal for identities of whom policies say the same, wherever their reach does not decide.

        Where the values are equal at which the statements look that may hold, the same ones may hold.
        """
        asking = self._limits.asking
        if self._has_all():
            own: Hashable = FREELY
        else:
            own = frozenset(map(id, self._own))
            asking = [*asking, *(pair for said in self._own for pair in said.asking)]
        undecided = self._workshop.within(self._subject.reach).undecided
        open_ = [one for one, actions in asking if not actions.isdisjoint(undecided)]
        keys = {key for one in open_ if self._may_hold(one) for key in one.keys if about_principal(key)}
        facts = frozenset((key, self.known.values.get(key), self.known.is_unknown(key)) for key in keys)
        doubtful = self._subject.stack.boundary_not_collected
        return own, id(self._limits), self._is_root, doubtful, undecided, facts

    def _has_all(self) -> bool:
        """Whether its own policies allow every action of a path, on everything and always, and deny none."""
        if self._is_root or any(said.denies for said in self._own):
            return False
        return any(said.frees == self._workshop.actions for said in self._own)

    def gather(self, action: str) -> Spoken:
        """What is said of a lower-case action."""
        own: list[CompiledStatement] = []
        for said in self._own:
            alike, asking = said[action]
            own += alike
            if asking:
                own += filter(self._may_hold, asking)
        limiting = self._limits.on(action, self._may_hold)
        key = (self._is_root, limiting.number, *map(id, own))
        spoken = self._workshop.gathered.get(key)
        if spoken is None:
            spoken = self._workshop.gathered[key] = self._spoken(own, limiting)
        return spoken

    def _spoken(self, own: list[CompiledStatement], limiting: Limiting) -> Spoken:
        """The same for statements that say the same, whichever policy they stand in."""
        shop = self._workshop
        freely = any(one.is_unconditional for one in own) if not self._is_root else not own
        if freely and all(one.allows for one in own):
            key: tuple[Hashable, ...] = (self._is_root, limiting.number, FREELY)
            own = []
        else:
            key = (self._is_root, limiting.number, frozenset(map(shop.marks.mark, own)))
            freely = False
        spoken = shop.spoken.get(key)
        if spoken is None:
            groups = limiting.groups if freely else (("identity", tuple(own)), *limiting.groups)
            patterns = None if freely or self._is_root else _patterns(own)
            spoken = shop.spoken[key] = _spoken(shop.marks.numbered(key), groups, patterns, is_root=self._is_root)
        return spoken

    def _may_hold(self, statement: CompiledStatement) -> bool:
        holds = self._holds.get(id(statement))
        if holds is None:
            holds = self._holds[id(statement)] = may_hold(statement, self.known)
        return holds


def _spoken(number: int, groups: Groups, patterns: tuple[str, ...] | None, *, is_root: bool) -> Spoken:
    speaking = [one for _layer, group in groups for one in group]
    keys = sorted(frozenset[str]().union(*(one.keys for one in speaking)))
    return Spoken(
        number=number,
        is_root=is_root,
        keys=tuple(keys),
        asking=tuple(filter(about_principal, keys)),
        groups=groups,
        scoped=tuple(one for one in speaking if not one.scope.everywhere),
        patterns=patterns,
        means=_anything if patterns is None else meaning(patterns),
        bearing={},
    )


def _patterns(own: Sequence[CompiledStatement]) -> tuple[str, ...] | None:
    """On what the statements allow; all but what is spared (NotResource) may be anything."""
    allows = [one for one in own if one.allows]
    if any(one.scope.everywhere or one.statement.not_resource for one in allows):
        return None
    return tuple(sorted({text for one in allows for text in one.statement.resource}))


def _anything(_resource: str) -> bool:
    return True
