"""Whether keys that were not recorded could change the answer, and which of them.

Kleene's logic looks at each condition alone, so it can be in doubt where no request could be: a key is equal to a
value or it is not. Here every distinct way in which the unknown keys can bear on the statements is tried, and the
answers form a tree over the keys. INVARIANT: a key is named only if two requests that differ in that key alone get
different answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.engine.decide_possible import Possible, unknown_keys
from analytics.engine.decide_weigh import weigh
from analytics.iam.condition import Context
from analytics.iam.witness import TooManyStatesError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.engine.decide_plan import Plan
    from analytics.engine.decide_weigh import Asked, Weighed

LIMIT = 4096  # weighings; beyond it the request is called undecidable, which claims nothing

Tree = bool | tuple[str, tuple["Tree", ...]]
Values = tuple[str, ...]


class TooManyError(Exception):
    """More ways to fill in the unknown keys than are worth trying."""


def settle(plan: Plan, asked: Asked, context: Context) -> tuple[Weighed | None, tuple[str, ...]]:
    """The keys that would change the answer; when there is none, the outcome that stands whatever they were."""
    try:
        possible = Possible(plan, asked, context)
        search = _Search(plan, asked, possible.values())
        tree = search.tree(context.values, possible.keys)
    except (TooManyError, TooManyStatesError):
        return None, unknown_keys(plan, context)
    return search.found, tuple(sorted(_keys(tree)))


class _Search:
    def __init__(self, plan: Plan, asked: Asked, choices: Mapping[str, Sequence[Values]]) -> None:
        self._plan = plan
        self._asked = asked
        self._choices = choices
        self._left = LIMIT
        self.found: Weighed | None = None  # the outcome of the first way that was tried

    def tree(self, values: Mapping[str, Values], unknown: tuple[str, ...]) -> Tree:
        """The answer as a tree over the unknown keys; a key whose branches are all alike is left out."""
        if not self._left:
            raise TooManyError
        self._left -= 1
        weighed = weigh(self._plan, self._asked, Context(values, frozenset(unknown)))
        if weighed.allowed is not None:
            self.found = self.found or weighed
            return weighed.allowed
        key, *rest = unknown
        branches = tuple(self.tree({**values, key: value}, tuple(rest)) for value in self._choices[key])
        return branches[0] if all(branch == branches[0] for branch in branches) else (key, branches)


def _keys(tree: Tree) -> set[str]:
    if isinstance(tree, bool):
        return set()
    key, branches = tree
    return {key}.union(*map(_keys, branches))
