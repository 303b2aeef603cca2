"""Which escalation paths an identity still holds once it has lost some actions.

A path needs all its actions, and what they are allowed on does not change when others go: paths fall away whole, the
rest stays as it is. Three things ask for the search itself: a path that lifts a limit leads to whatever is held then;
a role may be assumed for what one is, without a policy; and what a self-escalation leads to follows the limits.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from analytics.findings.escalation.paths import ASSUME, SELF_ESCALATION, read_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.findings.escalation.values import HeldPath
    from analytics.iam.catalogue import Catalogue

_UNBOUND = ("iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary")


class HeldActions:
    """The actions of paths over one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        paths = read_paths()
        self._masks = {path.id: catalogue.mask(path.required_actions) for path in paths}
        self._lifting = frozenset(path.id for path in paths if path.lifts)
        self._assume = catalogue.mask([ASSUME])
        self._unbound = catalogue.mask(_UNBOUND)
        self._all = reduce(or_, self._masks.values(), self._unbound)

    def needed(self, paths: Sequence[HeldPath]) -> int:
        """The actions of some paths together."""
        return reduce(or_, (self._masks[path.path_id] for path in paths), 0)

    def without(self, paths: Sequence[HeldPath], lost: int) -> tuple[HeldPath, ...]:
        """The paths that need none of the lost actions."""
        return tuple(path for path in paths if not self._masks[path.path_id] & lost)

    def not_lifting(self, paths: Sequence[HeldPath]) -> tuple[HeldPath, ...]:
        """Those that stand by themselves."""
        return tuple(path for path in paths if path.path_id not in self._lifting)

    def any_lifting(self, paths: Sequence[HeldPath]) -> bool:
        """Whether one of them lifts a limit."""
        return any(path.path_id in self._lifting for path in paths)

    def take_assuming(self, paths: Sequence[HeldPath], lost: int) -> bool:
        """Whether the right to assume roles goes, and a path needs it."""
        return bool(lost & self._assume & self.needed(paths))

    def is_exact(self, kept: Sequence[HeldPath], lost: int, *, new_limit: bool) -> bool:
        """Whether paths only fall away, `kept` being what is left. `new_limit`: by a boundary or an SCP."""
        if not new_limit and not lost & self._all:
            return True
        if self.any_lifting(kept):
            return False
        limits = new_limit or bool(lost & self._unbound)
        return not (limits and any(path.category == SELF_ESCALATION for path in kept))
