"""Policies compiled for reach: what holds for every principal as two pairs of sets, the rest kept as pieces.

A statement whose condition asks who the principal is stays a piece, and is added per principal. INVARIANT: equal
condition blocks are one object, so that each is judged once per principal however many policies repeat it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from operator import or_
from typing import TYPE_CHECKING

from analytics.engine.reach_conditions import Certainty
from analytics.engine.reach_sets import NOTHING, LayerReach, Reach
from analytics.iam.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analytics.engine.reach_conditions import Block, Judge, KnownPrincipal, Verdict
    from analytics.iam.catalogue import Catalogue
    from analytics.iam.policy import PolicyDocument, Statement
    from analytics.iam.stack import NamedPolicy


_PIECES_KEPT = 256


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement: its effect, the actions it speaks of on all and on some resources, and its condition."""

    effect: Effect
    actions: Reach
    block: Block


@dataclass(slots=True)
class Sums:
    """The sums of the statements of one layer, or of one policy, so far; plain integers, for this is the inner loop."""

    allowed_surely: int = 0
    allowed_maybe: int = 0
    denied_surely: int = 0
    denied_maybe: int = 0
    by_choice: dict[str, int] = field(default_factory=dict)

    def add(self, effect: Effect, actions: Reach, verdict: Verdict) -> None:
        """Add a statement whose condition holds as the verdict says."""
        if verdict.certainty is Certainty.NEVER:
            return
        surely = actions.surely if verdict.certainty is Certainty.ALWAYS else 0
        if effect is Effect.DENY:
            # That the caller can choose a request which is not denied does not make the others less denied.
            self.denied_surely |= 0 if verdict.choice else surely
            self.denied_maybe |= actions.maybe
            return
        self.allowed_maybe |= actions.maybe
        if not verdict.choice:
            self.allowed_surely |= surely
            return
        for _, carried_by in verdict.choice:
            surely &= carried_by
        for key, _ in verdict.choice:
            self.by_choice[key] = self.by_choice.get(key, 0) | surely

    def merge(self, other: CompiledPolicy) -> None:
        """Add what a policy holds for every principal."""
        if other.allowed.surely:
            self.allowed_surely |= other.allowed.surely
        self.allowed_maybe |= other.allowed.maybe
        if other.denied.maybe:
            self.denied_surely |= other.denied.surely
            self.denied_maybe |= other.denied.maybe
        for key, actions in other.by_choice:
            self.by_choice[key] = self.by_choice.get(key, 0) | actions

    def layer(self) -> LayerReach:
        """What the layer lets through: a deny takes away, and what stays may depend on a choice."""
        surely = self.allowed_surely & ~self.denied_maybe if self.denied_maybe else self.allowed_surely
        maybe = self.allowed_maybe & ~self.denied_surely if self.denied_surely else self.allowed_maybe
        if not self.by_choice:
            return LayerReach(Reach(surely, maybe))
        settled = self.allowed_surely | self.denied_maybe
        by_choice = {key: left for key, actions in self.by_choice.items() if (left := actions & ~settled)}
        return LayerReach(Reach(functools.reduce(or_, by_choice.values(), surely), maybe), by_choice)


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """One policy: its sums over what holds for every principal, and the pieces that depend on the principal."""

    allowed: Reach
    denied: Reach
    by_choice: tuple[tuple[str, int], ...]
    pieces: tuple[Piece, ...]


class PolicyCompiler:
    """Compiles each distinct policy once, by the identity of its frozen document."""

    def __init__(self, catalogue: Catalogue, judge: Judge) -> None:
        self._catalogue = catalogue
        self._judge = judge
        self._compiled: dict[int, tuple[PolicyDocument, CompiledPolicy]] = {}
        self._limits: dict[tuple[tuple[int, ...], ...], Limits] = {}
        self._pieces: dict[int, tuple[PolicyDocument, tuple[Piece, ...]]] = {}

    def policy(self, document: PolicyDocument) -> CompiledPolicy:
        """The compiled form of a document; the document is kept, so that its identity stays its own."""
        kept = self._compiled.get(id(document))
        if kept is None:
            kept = self._compiled[id(document)] = (document, self._compile(document))
        return kept[1]

    def limits(self, layers: Iterable[Iterable[NamedPolicy]]) -> Limits:
        """The compiled form of limiting layers, shared by all principals under the same documents."""
        documents = tuple(tuple(named.document for named in layer) for layer in layers)
        key = tuple(tuple(map(id, layer)) for layer in documents)
        limits = self._limits.get(key)
        if limits is None:
            limits = self._limits[key] = Limits([[self.policy(one) for one in layer] for layer in documents])
        return limits

    def pieces(self, document: PolicyDocument) -> tuple[Piece, ...]:
        """The statements of a document, each on its own; kept for the documents that were asked about lately."""
        kept = self._pieces.get(id(document))
        if kept is None:
            if len(self._pieces) >= _PIECES_KEPT:
                self._pieces.clear()
            kept = self._pieces[id(document)] = (document, tuple(self._take_apart(document)))
        return kept[1]

    def _take_apart(self, document: PolicyDocument) -> Iterator[Piece]:
        for statement in document.statements:
            actions = on_resources(statement, spoken_of(statement, self._catalogue), self._catalogue)
            yield Piece(statement.effect, actions, self._judge.block(statement.condition, document.version))

    def _compile(self, document: PolicyDocument) -> CompiledPolicy:
        sums, pieces = Sums(), []
        for piece in self._take_apart(document):
            if piece.block.same_for_all is not None:
                sums.add(piece.effect, piece.actions, piece.block.same_for_all)
            else:
                pieces.append(piece)
        return CompiledPolicy(
            allowed=Reach(sums.allowed_surely, sums.allowed_maybe),
            denied=Reach(sums.denied_surely, sums.denied_maybe),
            by_choice=tuple(sums.by_choice.items()),
            pieces=tuple(pieces),
        )


class Limits:
    """Layers that only limit (a boundary, or all levels of SCPs), combined once for each way their conditions fall."""

    def __init__(self, layers: Sequence[Sequence[CompiledPolicy]]) -> None:
        self._layers = layers
        pieces = (piece for layer in layers for policy in layer for piece in policy.pieces)
        self._blocks = tuple(dict.fromkeys(piece.block for piece in pieces if piece.block is not None))
        self._reaches: dict[tuple[Verdict, ...], LayerReach] = {}

    def reach(self, known: KnownPrincipal) -> LayerReach:
        """What all layers let through for a principal; a layer without policies lets nothing through."""
        verdicts = tuple(known.verdict(block) for block in self._blocks)
        reach = self._reaches.get(verdicts)
        if reach is None:
            layers = (layer_reach(layer, known, Sums()) for layer in self._layers)
            reach = self._reaches[verdicts] = functools.reduce(LayerReach.within, layers)
        return reach


def layer_reach(policies: Iterable[CompiledPolicy], known: KnownPrincipal, sums: Sums) -> LayerReach:
    """The policies of one layer together, for one principal; `sums` is what it has without any policy."""
    for policy in policies:
        sums.merge(policy)
        for piece in policy.pieces:
            sums.add(piece.effect, piece.actions, known.verdict(piece.block))
    return sums.layer()


def spoken_of(statement: Statement, catalogue: Catalogue) -> int:
    """The actions that a statement names, or leaves out with NotAction."""
    mask = 0
    for pattern in statement.not_action or statement.action:
        mask |= catalogue.expand(pattern)
    return catalogue.full & ~mask if statement.not_action else mask


def on_resources(statement: Statement, actions: int, catalogue: Catalogue) -> Reach:
    """Scope by resource: a wildcard-only action is requested on `*` itself, and no narrower pattern matches that."""
    lone = actions & catalogue.wildcard_only
    if statement.not_resource:
        if any(_matches_all(pattern) for pattern in statement.not_resource):
            return NOTHING
        may_spare_star = any(_may_match_star(pattern) for pattern in statement.not_resource)
        return Reach(0 if may_spare_star else lone, actions)
    if not statement.resource or any(_matches_all(pattern) for pattern in statement.resource):
        return Reach(actions, actions)
    may_match_star = any(_may_match_star(pattern) for pattern in statement.resource)
    return Reach(0, actions if may_match_star else actions & ~lone)


def _matches_all(pattern: str) -> bool:
    return pattern.strip("*") == "" != pattern


def _may_match_star(pattern: str) -> bool:
    """Whether the pattern could match the text `*`: `?*`, or a variable that stands for it."""
    return "${" in pattern or pattern.strip("*?") == ""
