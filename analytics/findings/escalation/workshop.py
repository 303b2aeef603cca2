"""What all identities of an estate share: policies made ready, what they say, and the answers to equal questions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from analytics.engine.decide_policy import Compiler
from analytics.engine.reach_choice import free_keys
from analytics.findings.escalation.bearing import Marks, meaning
from analytics.findings.escalation.facts import ANY_NAME, MAYBE, ROLE_KINDS, SURELY, VARIABLE, Held
from analytics.findings.escalation.paths import read_paths
from analytics.findings.escalation.said import Limits, Said
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from analytics.engine.decide_policy import CompiledStatement
    from analytics.engine.reach import Reach
    from analytics.findings.escalation.bearing import Spoken
    from analytics.findings.escalation.spoken import Voice
    from analytics.findings.estate import Estate, Subject
    from analytics.iam.policy import PolicyDocument, Statement
    from analytics.iam.stack import ControlLevel, PolicyStack

    Belongings = Callable[[Subject], tuple[str, ...]]  # ARNs of what is an identity's own
    Statements = tuple[CompiledStatement, ...]


class Within(NamedTuple):
    """What reach tells of the actions of paths."""

    held: dict[str, Held]  # but for those that it does not hold
    undecided: frozenset[str]  # held on some resources, perhaps; in lower case


@dataclass(frozen=True)
class Workshop:
    """What all identities of an estate share: compiled policies, and the answers to equal questions."""

    estate: Estate
    compiler: Compiler = field(default_factory=Compiler)
    marks: Marks = field(default_factory=Marks)
    answers: dict[Hashable, Held] = field(default_factory=dict)
    spoken: dict[tuple[Hashable, ...], Spoken] = field(default_factory=dict)
    voices: dict[Hashable, Voice] = field(default_factory=dict)  # by what is the same of an identity
    gathered: dict[tuple[int, ...], Spoken] = field(default_factory=dict)  # by what limits, and by statements
    _within: dict[tuple[int, int], Within] = field(default_factory=dict)
    _any_names: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    _patterns: dict[str, frozenset[str]] = field(default_factory=dict)
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
    def asked(self) -> int:
        """The actions of all paths, which alone are asked about."""
        return self.estate.catalogue.mask(action for path in read_paths() for action in path.required_actions)

    @cached_property
    def actions(self) -> frozenset[str]:
        """Their names in lower case."""
        return frozenset(map(str.lower, self.estate.catalogue.names(self.asked)))

    def within(self, reach: Reach) -> Within:
        """What reach tells of them; one for all identities of which it tells the same."""
        maybe, surely = reach.maybe & self.asked, reach.surely & self.asked
        known = self._within.get((maybe, surely))
        if known is None:
            known = self._within[maybe, surely] = self._told(maybe, surely)
        return known

    def _told(self, maybe: int, surely: int) -> Within:
        """By the bytes of the masks: the paths ask for few of many thousand actions."""
        size = self.asked.bit_length() // 8 + 1
        some, all_ = maybe.to_bytes(size, "little"), surely.to_bytes(size, "little")
        held = {action: SURELY if all_[byte] & bit else MAYBE for action, byte, bit in self._places if some[byte] & bit}
        return Within(held, frozenset(action.lower() for action, one in held.items() if one is MAYBE))

    @cached_property
    def _places(self) -> list[tuple[str, int, int]]:
        """The actions of paths, each with its byte and its bit in a mask."""
        actions = sorted({action for path in read_paths() for action in path.required_actions})
        numbers = ((action, self.estate.catalogue.number(action)) for action in actions)
        return [(action, number // 8, 1 << number % 8) for action, number in numbers if number is not None]

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
            named = [self._named_by(statement) for statement in document.statements]
            known = self._said[id(document)] = Said(self.compiler.policy(document), named)
        return known

    def _named_by(self, statement: Statement) -> frozenset[str]:
        named = frozenset[str]().union(*map(self._matched, statement.not_action or statement.action))
        return self.actions - named if statement.not_action else named

    def _matched(self, pattern: str) -> frozenset[str]:
        """The actions of paths that an Action pattern matches; policies share most of their patterns."""
        known = self._patterns.get(pattern)
        if known is None:
            found = self.estate.catalogue.names(self.estate.catalogue.expand(pattern) & self.asked)
            known = self._patterns[pattern] = frozenset(map(str.lower, found))
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
                test = meaning((pattern,))
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
