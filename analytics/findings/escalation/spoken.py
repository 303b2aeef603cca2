"""What policies say of one action of one identity, gathered so that equal questions are decided once.

Identities share the policies above them, and often their own. INVARIANT: the key of an answer holds all on which the
answer rests: the statements that bear, layer by layer, which of them fit the resource, and the value of every
condition key at which they look. Who asks is part of it only as far as a condition asks.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.decide_policy import Compiler
from analytics.engine.reach_choice import free_keys
from analytics.engine.reach_facts import about_principal, known_context
from analytics.findings.escalation.facts import ANY_NAME, ROLE_KINDS, VARIABLE, Held
from analytics.findings.escalation.paths import read_paths
from analytics.iam.match import any_text_test, completed, template
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from analytics.engine.decide_policy import CompiledPolicy, CompiledStatement
    from analytics.findings.estate import Estate, Subject
    from analytics.iam.condition import Context
    from analytics.iam.policy import Condition, PolicyDocument
    from analytics.iam.stack import NamedPolicy, PolicyStack

    Belongings = Callable[[Subject], tuple[str, ...]]  # ARNs of what is an identity's own
    Groups = tuple[tuple[str, tuple[CompiledStatement, ...]], ...]  # each with its layer

FREELY = -1  # stands for all statements that allow something everywhere without a condition, and deny nothing


class Bearing(NamedTuple):
    """What bears on an action and one resource; `number` stands for effects and conditions, layer by layer."""

    number: int
    keys: tuple[str, ...]  # on which the answer hangs
    conditions: tuple[Condition, ...]


class Spoken(NamedTuple):
    """The statements that speak of an action of one identity.

    Statements whose conditions on the identity itself do not hold are left out.
    """

    number: int  # stands for what they say, layer by layer
    is_root: bool
    keys: tuple[str, ...]  # of conditions and variables, in lower case
    groups: Groups
    scoped: tuple[CompiledStatement, ...]  # those that do not bear on every resource
    patterns: tuple[str, ...] | None  # on what its own policies may allow the action; None: on anything
    means: Callable[[str], bool]  # whether that may be a resource
    bearing: dict[Hashable, Bearing]  # by which of the scoped ones fit


class Limiting(NamedTuple):
    """What limits an action for some identities; `number` stands for the statements, layer by layer."""

    number: int
    groups: Groups


class Limits:
    """Boundary and control policies of all identities under the same of them."""

    def __init__(self, workshop: Workshop, stack: PolicyStack) -> None:
        self._workshop = workshop
        self._stack = stack
        self._groups: dict[str, Groups] = {}
        self._about: dict[str, list[CompiledStatement]] = {}
        self._found: dict[tuple[str, tuple[bool, ...]], Limiting] = {}

    def on(self, action: str, may_hold: Callable[[CompiledStatement], bool]) -> Limiting:
        """What limits an action for an identity of which `may_hold` knows whether a statement's conditions may hold.

        Of conditions that do not ask who it is, the answer is the same for all identities.
        """
        if action not in self._groups:
            groups = self._groups[action] = tuple(self._said(action))
            self._about[action] = [
                one for _layer, group in groups for one in group if any(map(about_principal, one.keys))
            ]
        about = self._about[action]
        key = (action, tuple([may_hold(one) for one in about]) if about else ())
        found = self._found.get(key)
        if found is None:
            groups = tuple((layer, tuple(filter(may_hold, group))) for layer, group in self._groups[action])
            marks = frozenset((layer, frozenset(map(self._workshop.mark, group))) for layer, group in groups)
            found = self._found[key] = Limiting(self._workshop.numbered(marks), groups)
        return found

    def _said(self, action: str) -> Iterator[tuple[str, tuple[CompiledStatement, ...]]]:
        """By layer and level; one that lets everything pass does not limit."""
        stack, compiled = self._stack, self._workshop.compiler.policy
        layers: list[tuple[str, tuple[NamedPolicy, ...]]] = []
        if stack.boundary is not None:
            layers.append(("boundary", (stack.boundary,)))
        layers += [("scp", level.policies) for level in stack.scp_levels]
        layers += [("rcp", level.policies) for level in stack.rcp_levels]
        for layer, policies in layers:
            group = tuple(one for named in policies for one in compiled(named.document).on(action))
            if not (all(one.allows for one in group) and any(one.is_unconditional for one in group)):
                yield layer, group


@dataclass(frozen=True)
class Workshop:
    """What all identities of an estate share: compiled policies, and the answers to equal questions."""

    estate: Estate
    compiler: Compiler = field(default_factory=Compiler)
    answers: dict[Hashable, Held] = field(default_factory=dict)
    spoken: dict[tuple[Hashable, ...], Spoken] = field(default_factory=dict)
    _numbers: dict[Hashable, int] = field(default_factory=dict)
    _any_names: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    _forms: dict[int, int] = field(default_factory=dict)
    _marks: dict[int, int] = field(default_factory=dict)
    _speaking: dict[int, tuple[PolicyDocument, frozenset[str]]] = field(default_factory=dict)
    _limits: dict[tuple[int, ...], Limits] = field(default_factory=dict)
    _matching: dict[tuple[str, Belongings, str], frozenset[str]] = field(default_factory=dict)

    @cached_property
    def free(self) -> Mapping[str, int]:
        """Condition keys of free choice, with the actions that carry them."""
        return free_keys(self.estate.catalogue)

    @cached_property
    def _asked(self) -> int:
        """The actions of all paths, which alone are asked about."""
        return self.estate.catalogue.mask(action for path in read_paths() for action in path.required_actions)

    def any_names(self, action: str, partition: str, account_id: str) -> tuple[str, ...]:
        """Resources of an account that no policy names, one of each kind that the action may be on."""
        key = (action, partition, account_id)
        if key not in self._any_names:
            fill = {"partition": partition, "account": account_id}
            kinds = self.estate.catalogue.resource_types(action)
            names = [VARIABLE.sub(lambda one: fill.get(one[0][2:-1].lower(), ANY_NAME), kind.arn) for kind in kinds]
            self._any_names[key] = tuple(names) or ("*",)
        return self._any_names[key]

    def numbered(self, found: Hashable) -> int:
        """A short name for something found, none of the values of Held."""
        return self._numbers.setdefault(found, len(Held) + len(self._numbers))

    def bearing(self, spoken: Spoken, resource: str, context: Context) -> Bearing:
        """What bears on a resource, where the context has the keys of variables."""
        fits = tuple([one.scope.covers(resource, context) for one in spoken.scoped])
        key = (fits, resource) if None in fits else fits
        found = spoken.bearing.get(key)
        if found is None:
            out = {id(one) for one, fit in zip(spoken.scoped, fits, strict=True) if fit is False}
            open_ = {id(one) for one, fit in zip(spoken.scoped, fits, strict=True) if fit is None}
            groups = [(layer, [one for one in group if id(one) not in out]) for layer, group in spoken.groups]
            bearing = [one for _layer, group in groups for one in group]
            marks = frozenset(
                (layer, frozenset((self.mark(one), resource) if id(one) in open_ else self._form(one) for one in group))
                for layer, group in groups
            )
            needs = [need for one in bearing for need in one.requirements]
            keys = frozenset[str]().union(
                *(need.keys for need in needs), *(one.keys for one in bearing if id(one) in open_)
            )
            found = spoken.bearing[key] = Bearing(
                self.numbered((spoken.is_root, marks)), tuple(sorted(keys)), tuple(need.condition for need in needs)
            )
        return found

    def mark(self, statement: CompiledStatement) -> int:
        """Equal for statements that say the same of an action of which they speak."""
        number = self._marks.get(id(statement))
        if number is None:
            one = statement.statement
            said = (self._form(statement), one.resource, one.not_resource)
            number = self._marks[id(statement)] = self.numbered(said)
        return number

    def _form(self, statement: CompiledStatement) -> int:
        """Equal for statements of the same effect under the same conditions; of which resources they speak is apart."""
        number = self._forms.get(id(statement))
        if number is None:
            form = (statement.allows, statement.statement.condition, statement.version)
            number = self._forms[id(statement)] = self.numbered(form)
        return number

    def speaking(self, document: PolicyDocument) -> frozenset[str]:
        """The actions of paths, in lower case, of which a document speaks."""
        known = self._speaking.get(id(document))
        if known is None:
            catalogue, said = self.estate.catalogue, 0
            for one in document.statements:
                named = reduce(or_, map(catalogue.expand, one.not_action or one.action), 0)
                said |= catalogue.full & ~named if one.not_action else named
            names = frozenset(map(str.lower, catalogue.names(said & self._asked)))
            known = self._speaking[id(document)] = (document, names)
        return known[1]

    def limits(self, stack: PolicyStack) -> Limits:
        """What limits all stacks under the same boundary and control policies; it keeps theirs alive, so ids hold."""
        boundary = None if stack.boundary is None else stack.boundary.document
        key = (id(boundary), id(stack.scp_levels), id(stack.rcp_levels))
        if key not in self._limits:
            self._limits[key] = Limits(self, stack)
        return self._limits[key]

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
        may_hold = self._may_hold
        own = [
            one
            for said, policy in self._own
            if action in said
            for one in policy.on(action)
            if not one.requirements or may_hold(one)
        ]
        limiting = self._limits.on(action, may_hold)
        freely = True in [one.is_unconditional for one in own] if not self._is_root else not own
        if freely and False not in [one.allows for one in own]:
            key: tuple[Hashable, ...] = (self._is_root, limiting.number, FREELY)
            own = []
        else:
            key = (self._is_root, limiting.number, frozenset(map(self._workshop.mark, own)))
            freely = False
        spoken = self._workshop.spoken.get(key)
        if spoken is None:
            groups = limiting.groups if freely else (("identity", tuple(own)), *limiting.groups)
            patterns = None if freely or self._is_root else _patterns(own)
            spoken = self._workshop.spoken[key] = _spoken(
                self._workshop.numbered(key), groups, patterns, is_root=self._is_root
            )
        return spoken

    @cached_property
    def _own(self) -> list[tuple[frozenset[str], CompiledPolicy]]:
        shop = self._workshop
        documents = (named.document for named in self._stack.identity)
        return [(shop.speaking(one), shop.compiler.policy(one)) for one in documents]

    def _may_hold(self, statement: CompiledStatement) -> bool:
        """False where a condition on the identity itself does not hold, whatever it requests."""
        holds = self._holds.get(id(statement))
        if holds is None:
            holds = all(need.truth(self.known) is not False for need in statement.requirements)
            self._holds[id(statement)] = holds
        return holds


def _spoken(number: int, groups: Groups, patterns: tuple[str, ...] | None, *, is_root: bool) -> Spoken:
    speaking = [one for _layer, group in groups for one in group]
    return Spoken(
        number=number,
        is_root=is_root,
        keys=tuple(sorted(frozenset[str]().union(*(one.keys for one in speaking)))),
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
