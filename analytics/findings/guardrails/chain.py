"""What the policies of a layer say of an action, and whether they stop a request: yes, no, or it hangs on something.

A chain is the levels of control policies from the root down, or the one boundary, or the identity policies of a
principal. A deny that applies stops, and so does a level that allows nothing. INVARIANT: True and False are never
guesses; adding a deny never turns True into anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from analytics.findings.guardrails.naming import places_named, spares_by_pattern
from analytics.findings.guardrails.scope import Resources, speaks_of
from analytics.iam.condition import any_true

if TYPE_CHECKING:
    from analytics.engine.decide_policy import CompiledPolicy, CompiledStatement, Compiler
    from analytics.iam.condition import Context, Presence, Requirement, Truth
    from analytics.iam.policy import PolicyDocument
    from analytics.iam.stack import NamedPolicy

    Test = Requirement | Presence

PART = "part of the resources"


class At(NamedTuple):
    """Where a statement stands in a chain: level, policy, number in the policy (None: the policy allows nothing)."""

    level: int
    policy: int
    number: int | None


class Placed(NamedTuple):
    """A statement and its place."""

    statement: CompiledStatement
    at: At


@dataclass(frozen=True)
class Block:
    """The denies of an action that hang on the same conditions; their resources count together."""

    placed: tuple[Placed, ...]

    @cached_property
    def statements(self) -> tuple[CompiledStatement, ...]:
        """The statements."""
        return tuple(one.statement for one in self.placed)

    @property
    def tests(self) -> Sequence[Test]:
        """The conditions, all of which must hold."""
        return self.placed[0].statement.requirements

    def spares_by_pattern(self, account_id: str) -> bool:
        """Whether it leaves out principals of the account by a wildcard or by a tag: who can be named so is spared."""
        return any(spares_by_pattern(test, account_id) for test in self.tests)

    def hangs_on(self, asked: Resources, context: Context) -> tuple[str, ...]:
        """The condition keys of which nothing is known, where all else fits; PART: it speaks of some resources."""
        truths = [(test.condition.key, test.truth(context)) for test in self.tests]
        spoken = speaks_of(self.statements, asked, context)
        if spoken is False or any(truth is False for _, truth in truths):
            return ()
        part = (PART,) if spoken is None and not asked.capped else ()
        return (*part, *(key for key, truth in truths if truth is None))

    def truth(self, asked: Resources, context: Context) -> Truth:
        """Whether it applies to the resources in this context."""
        found = speaks_of(self.statements, asked, context)
        for test in self.tests:
            if found is False:
                return False
            met = test.truth(context)
            if met is not True:
                found = met
        if found and any(not _is_for_all(one) for one in self.statements):
            return None
        return found


@dataclass(frozen=True)
class Spoken:
    """What a chain says of one action."""

    blocks: tuple[Block, ...]
    limits: tuple[tuple[tuple[Block, ...], tuple[At, ...]], ...]  # levels that do not let all pass: allows, policies

    @cached_property
    def tests(self) -> tuple[Test, ...]:
        """All conditions."""
        return tuple(test for one in self.placed for test in one.statement.requirements)

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        """All statements: the denies, and the allows of levels that do not let all pass."""
        blocks = (*self.blocks, *(block for allows, _ in self.limits for block in allows))
        return tuple(one for block in blocks for one in block.placed)

    @cached_property
    def named(self) -> Mapping[str, tuple[str, ...]]:
        """The values that are compared with each key (lower case)."""
        found: dict[str, dict[str, None]] = {}
        for test in self.tests:
            found.setdefault(test.key, {}).update(dict.fromkeys(test.condition.values))
        return {key: tuple(values) for key, values in found.items()}

    def stopped(self, asked: Resources, context: Context) -> Stop:
        """Whether the request is stopped, and by what."""
        truths: list[tuple[Truth, tuple[Block, ...]]] = [
            (block.truth(asked, context), (block,)) for block in self.blocks
        ]
        if not any(truth for truth, _ in truths):
            account_id = next(iter(context.values.get("aws:principalaccount", ())), "*")
            plain = [block for block in self.blocks if not block.spares_by_pattern(account_id)]
            truths += [
                (True, group)
                for group in (_pooled(plain, asked, context), _pooled(self.blocks, asked, context))
                if group
            ]
        withheld = [(_withheld(allows, asked, context), places) for allows, places in self.limits]
        return Stop(
            tuple((truth, blocks) for truth, blocks in truths if truth is not False),
            tuple((truth, places) for truth, places in withheld if truth is not False),
        )


@dataclass(frozen=True, slots=True)
class Stop:
    """What stops a request, surely (True) or perhaps (None): denies, alone or several together, and levels."""

    denies: tuple[tuple[Truth, tuple[Block, ...]], ...] = ()
    withheld: tuple[tuple[Truth, tuple[At, ...]], ...] = ()

    @property
    def truth(self) -> Truth:
        """Whether it is stopped."""
        return any_true([truth for truth, _ in (*self.denies, *self.withheld)])

    def plainly(self, account_id: str) -> Truth:
        """As `truth`, where a deny that spares principals by a wildcard counts as one that hangs on something."""
        sure = [
            None if truth and any(block.spares_by_pattern(account_id) for block in blocks) else truth
            for truth, blocks in self.denies
        ]
        return any_true([*sure, *(truth for truth, _ in self.withheld)])

    def places(self) -> tuple[At, ...]:
        """The deciding statements: those that surely stop it, otherwise those that may."""
        best = self.truth
        found = [
            placed.at for truth, blocks in self.denies if truth is best for block in blocks for placed in block.placed
        ]
        return (*found, *(at for truth, places in self.withheld if truth is best for at in places))


@dataclass
class Chain:
    """The policies of one layer in force somewhere, level by level; `omits`: what no level allows is stopped."""

    levels: tuple[tuple[CompiledPolicy, ...], ...]
    omits: bool
    _spoken: dict[str, Spoken] = field(default_factory=dict)

    def on(self, action: str) -> Spoken:
        """What it says of a lower-case action."""
        found = self._spoken.get(action)
        if found is None:
            found = self._spoken[action] = self._on(action)
        return found

    @cached_property
    def places_named(self) -> frozenset[str]:
        """Account ids, ids of nodes and variables in the texts: whose presence makes accounts differ."""
        documents = (policy.document for level in self.levels for policy in level)
        return frozenset().union(*map(places_named, documents))

    def _on(self, action: str) -> Spoken:
        blocks: dict[object, list[Placed]] = {}
        limits = []
        for number, level in enumerate(self.levels):
            allows: dict[object, list[Placed]] = {}
            for position, policy in enumerate(level):
                for statement in policy.on(action):
                    placed = Placed(statement, At(number, position, statement.index))
                    kind = allows if statement.allows else blocks
                    kind.setdefault(_conditions(policy.document, statement), []).append(placed)
            if self.omits and not any(one.statement.is_unconditional for held in allows.values() for one in held):
                limits.append((_blocks(allows), tuple(At(number, at, None) for at in range(len(level)))))
        return Spoken(_blocks(blocks), tuple(limits))


def chain_of(levels: Iterable[Iterable[NamedPolicy]], compiler: Compiler, *, omits: bool) -> Chain:
    """The chain of these policies."""
    return Chain(tuple(compiler.policies(one.document for one in level) for level in levels), omits)


def lets_all_pass(document: PolicyDocument) -> bool:
    """Whether it is FullAWSAccess in other words: one statement that allows everything."""
    return len(document.statements) == 1 and _allows_all(document)


def _allows_all(document: PolicyDocument) -> bool:
    (one,) = document.statements
    return one.effect == "Allow" and "*" in one.action and "*" in one.resource and not one.condition


def _blocks(held: Mapping[object, Sequence[Placed]]) -> tuple[Block, ...]:
    return tuple(Block(tuple(placed)) for placed in held.values())


def _pooled(blocks: Sequence[Block], asked: Resources, context: Context) -> tuple[Block, ...]:
    """Those whose conditions surely hold, where they speak of all resources together; else none."""
    sure = tuple(
        block
        for block in blocks
        if all(map(_is_for_all, block.statements)) and all(test.truth(context) is True for test in block.tests)
    )
    statements = [statement for block in sure for statement in block.statements]
    return sure if len(sure) > 1 and speaks_of(statements, asked, context) is True else ()


def _withheld(allows: Sequence[Block], asked: Resources, context: Context) -> Truth:
    """Whether a level does not allow the request: of what every request names it must allow each, else all or none."""
    each = []
    for one in asked.required or asked.patterns:
        alone = replace(asked, patterns=(one,), required=(), capped=False)
        found = any_true([block.truth(alone, context) for block in allows])
        each.append(True if found is None and _pooled(allows, alone, context) else found)
    if all(each):
        return False
    return True if False in each and (asked.required or not any(one is not False for one in each)) else None


def _conditions(document: PolicyDocument, statement: CompiledStatement) -> object:
    """Equal for statements that hang on the same conditions."""
    held = frozenset(
        (one.operator, one.qualifier, one.if_exists, one.key.lower(), frozenset(one.values))
        for one in statement.statement.condition
    )
    return document.version if held else "", held, _is_for_all(statement)


def _is_for_all(statement: CompiledStatement) -> bool:
    """A statement without Principal, or with every principal; RCPs allow no other (Organizations User Guide)."""
    principal = statement.statement.principal
    everyone = principal is None or principal.everyone or "*" in principal.aws
    return everyone and statement.statement.not_principal is None
