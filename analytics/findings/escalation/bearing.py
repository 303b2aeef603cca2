"""What bears on a request: which statements, of what effect and under which conditions, told apart by numbers.

Statements that say the same are one, whichever policy they stand in. INVARIANT: two requests for which the same number
bears differ in nothing but the values of the condition keys at which those statements look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.findings.escalation.facts import VARIABLE, Held
from analytics.iam.match import any_text_test, completed, template

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from analytics.engine.decide_policy import CompiledStatement
    from analytics.iam.condition import Context
    from analytics.iam.policy import Condition

    Groups = tuple[tuple[str, tuple[CompiledStatement, ...]], ...]  # each with its layer


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
    asking: tuple[str, ...]  # those of them that ask who the identity is
    groups: Groups
    scoped: tuple[CompiledStatement, ...]  # those that do not bear on every resource
    patterns: tuple[str, ...] | None  # on what its own policies may allow the action; None: on anything
    means: Callable[[str], bool]  # whether that may be a resource
    bearing: dict[Hashable, Bearing]  # by which of the scoped ones fit


class Marks:
    """Numbers for what statements say: equal where they say the same."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._forms: dict[int, int] = {}  # by statement, as its policy keeps it
        self._marks: dict[int, int] = {}

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


def meaning(patterns: Sequence[str]) -> Callable[[str], bool]:
    """A test of which resources patterns may mean; a variable may stand for anything."""
    texts = [VARIABLE.sub("*", pattern) for pattern in patterns]
    return any_text_test([template(text, variables=False) for text in dict.fromkeys([*texts, *map(completed, texts)])])
