"""What policies say of one action of one identity, gathered so that equal questions are decided once.

Identities share the policies above them, and often their own: what a policy says of an action is found once, and only
statements that ask who calls are put to each identity. INVARIANT: the key of an answer holds all on which the answer
rests: the statements that bear, layer by layer, which of them fit the resource, and the value of every condition key
at which they look. Who asks is part of it only as far as a condition asks.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING

from analytics.engine.decide_policy import Compiler
from analytics.engine.reach_choice import free_keys
from analytics.engine.reach_facts import about_principal, known_context
from analytics.findings.escalation.bearing import Marks, Spoken
from analytics.findings.escalation.facts import ANY_NAME, ROLE_KINDS, VARIABLE, Held
from analytics.findings.escalation.paths import read_paths
from analytics.findings.escalation.said import Limiting, Limits, Said, may_hold
from analytics.iam.match import any_text_test, completed, template
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from analytics.engine.decide_policy import CompiledStatement
    from analytics.engine.reach import Reach
    from analytics.findings.escalation.bearing import Groups
    from analytics.findings.estate import Estate, Subject
    from analytics.iam.condition import Context
    from analytics.iam.policy import PolicyDocument
    from analytics.iam.stack import ControlLevel, PolicyStack

    Belongings = Callable[[Subject], tuple[str, ...]]  # ARNs of what is an identity's own
    Statements = tuple[CompiledStatement, ...]

FREELY = -1  # stands for all statements that allow something everywhere without a condition, and deny nothing


@dataclass(frozen=True)
class Workshop:
    """What all identities of an estate share: compiled policies, and the answers to equal questions."""

    estate: Estate
    compiler: Compiler = field(default_factory=Compiler)
    marks: Marks = field(default_factory=Marks)
    answers: dict[Hashable, Held] = field(default_factory=dict)
    spoken: dict[tuple[Hashable, ...], Spoken] = field(default_factory=dict)
    gathered: dict[tuple[int, ...], Spoken] = field(default_factory=dict)  # by what limits, and by statements
    _held: dict[tuple[int, int], dict[str, Held]] = field(default_factory=dict)
    _any_names: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    _said: dict[int, Said] = field(default_factory=dict)
    _levels: dict[tuple[int, str], tuple[ControlLevel, Statements]] = field(default_factory=dict)
    _limits: dict[tuple[int, ...], Limits] = field(default_factory=dict)
    _above: dict[tuple[int, int], tuple[PolicyStack, int]] = field(default_factory=dict)
    _matching: dict[tuple[str, Belongings, str], frozenset[str]] = field(default_factory=dict)

    @cached_property
    def free(self) -> Mapping[str, int]:
        """Condition keys of free choice, with the actions that carry them."""
        return free_keys(self.estate.catalogue)

    @cached_property
    def _asked(self) -> int:
        """The actions of all paths, which alone are asked about."""
        return self.estate.catalogue.mask(action for path in read_paths() for action in path.required_actions)

    def held(self, reach: Reach) -> dict[str, Held]:
        """What is known of the actions of paths by reach alone; one for all whose reach is the same as to them."""
        return self._held.setdefault((reach.maybe & self._asked, reach.surely & self._asked), {})

    def any_names(self, action: str, partition: str, account_id: str) -> tuple[str, ...]:
        """Resources of an account that no policy names, one of each kind that the action may be on."""
        key = (action, partition, account_id)
        if key not in self._any_names:
            fill = {"partition": partition, "account": account_id}
            kinds = self.estate.catalogue.resource_types(action)
            names = [VARIABLE.sub(lambda one: fill.get(one[0][2:-1].lower(), ANY_NAME), kind.arn) for kind in kinds]
            self._any_names[key] = tuple(names) or ("*",)
        return self._any_names[key]

    def said(self, document: PolicyDocument) -> Said:
        """What a document says of the actions of paths."""
        known = self._said.get(id(document))
        if known is None:
            catalogue = self.estate.catalogue
            positions: defaultdict[str, list[int]] = defaultdict(list)
            for at, one in enumerate(document.statements):
                named = reduce(or_, map(catalogue.expand, one.not_action or one.action), 0)
                for name in catalogue.names((~named if one.not_action else named) & self._asked):
                    positions[name.lower()].append(at)
            known = self._said[id(document)] = Said(self.compiler.policy(document), positions)
        return known

    def saying(self, document: PolicyDocument, action: str) -> Statements:
        """The statements of a document that speak of an action."""
        return self.compiler.policy(document).on(action)

    def level(self, level: ControlLevel, action: str) -> Statements:
        """What one level of control policies says of an action; accounts share their levels."""
        known = self._levels.get((id(level), action))
        if known is None:
            said = tuple(one for named in level.policies for one in self.saying(named.document, action))
            known = self._levels[id(level), action] = (level, said)
        return known[1]

    def limits(self, stack: PolicyStack) -> Limits:
        """What limits all stacks under the same boundary and control policies; it keeps theirs alive, so ids hold."""
        boundary = None if stack.boundary is None else stack.boundary.document
        key = (id(boundary), self._number_above(stack))
        if key not in self._limits:
            self._limits[key] = Limits(self, stack)
        return self._limits[key]

    def _number_above(self, stack: PolicyStack) -> int:
        """Equal for accounts under the same control policies, level by level."""
        key = (id(stack.scp_levels), id(stack.rcp_levels))
        known = self._above.get(key)
        if known is None:
            layers = (stack.scp_levels, stack.rcp_levels)
            said = tuple(
                tuple(tuple(id(one.document) for one in level.policies) for level in layer) for layer in layers
            )
            known = self._above[key] = (stack, self.marks.numbered(("above", said)))
        return known[1]

    def matching(self, account_id: str, belongings: Belongings, patterns: Sequence[str]) -> frozenset[str]:
        """The users and roles of an account of whose belongings one of the Resource patterns may mean any."""
        found = frozenset[str]()
        for pattern in patterns:
            known = self._matching.get((account_id, belongings, pattern))
            if known is None:
                test = _meaning((pattern,))
                members = self._identities.get(account_id, ())
                known = frozenset(one.arn for one in members if any(map(test, belongings(one))))
                self._matching[account_id, belongings, pattern] = known
            found |= known
        return found

    @cached_property
    def _identities(self) -> Mapping[str, list[Subject]]:
        found: defaultdict[str, list[Subject]] = defaultdict(list)
        for subject in self.estate.subjects.values():
            if subject.kind in ROLE_KINDS or subject.kind is PrincipalKind.USER:
                found[subject.account_id].append(subject)
        return found


class Gatherer:
    """Gathers what is said of the actions of one identity."""

    def __init__(self, workshop: Workshop, subject: Subject) -> None:
        self.known: Context = known_context(subject.stack.principal)
        self._workshop = workshop
        self._stack = subject.stack
        self._limits = workshop.limits(subject.stack)
        self._holds: dict[int, bool] = {}  # by statement: whether its conditions on the identity may hold
        self._is_root = subject.kind is PrincipalKind.ROOT

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

    @cached_property
    def _own(self) -> list[Said]:
        return [self._workshop.said(named.document) for named in self._stack.identity]

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
        means=_anything if patterns is None else _meaning(patterns),
        bearing={},
    )


def _patterns(own: Sequence[CompiledStatement]) -> tuple[str, ...] | None:
    """On what the statements allow; all but what is spared (NotResource) may be anything."""
    allows = [one for one in own if one.allows]
    if any(one.scope.everywhere or one.statement.not_resource for one in allows):
        return None
    return tuple(sorted({text for one in allows for text in one.statement.resource}))


def _meaning(patterns: Sequence[str]) -> Callable[[str], bool]:
    """A test of which resources patterns may mean; a variable may stand for anything."""
    texts = [VARIABLE.sub("*", pattern) for pattern in patterns]
    return any_text_test([template(text, variables=False) for text in dict.fromkeys([*texts, *map(completed, texts)])])


def _anything(_resource: str) -> bool:
    return True
