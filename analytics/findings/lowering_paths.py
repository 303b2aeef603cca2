"""Which escalation paths an identity still holds once it has lost some actions.

A path needs all its actions, and what they are allowed on does not change when others go: paths fall away whole, the
rest stays as it is. Three things ask for the search itself: a path that lifts a limit leads to whatever is held then;
a role may be assumed for what one is, without a policy; and what a self-escalation leads to follows the limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.findings.escalation_paths import ASSUME, SELF_ESCALATION, read_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.findings.escalation_values import HeldPath
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

    def needed(self, paths: Sequence[HeldPath]) -> int:
        """The actions of some paths together."""
        found = 0
        for path in paths:
            found |= self._masks[path.path_id]
        return found

    def without(self, paths: Sequence[HeldPath], lost: int) -> tuple[HeldPath, ...]:
        """The paths that need none of the lost actions."""
        return tuple(path for path in paths if not self._masks[path.path_id] & lost)

    def is_exact(self, paths: Sequence[HeldPath], lost: int, *, new_limit: bool) -> bool:
        """Whether `without` is all there is to know. `new_limit`: by a boundary or an SCP."""
        kept = self.without(paths, lost)
        if any(path.path_id in self._lifting for path in kept):
            return False
        if lost & self._assume and self.needed(paths) & self._assume:
            return False
        limits = new_limit or bool(lost & self._unbound)
        return not (limits and any(path.category == SELF_ESCALATION for path in kept))
