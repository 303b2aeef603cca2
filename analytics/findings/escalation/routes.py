"""The ways from identity to identity, as a graph, and the shortest of them to an administrator.

Of ways with equally many steps the one with the fewest uncertain ones is taken, then the first by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import networkx as nx

from analytics.findings.escalation.facts import SURELY
from analytics.findings.escalation.levels import ADMINISTRATOR
from analytics.findings.escalation.paths import ASSUME
from analytics.findings.escalation.values import Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from analytics.findings.escalation.targets import Candidate
    from analytics.findings.escalation.values import HeldPath

GOAL = "an administrator"  # no ARN
_ASSUMING = "sts-001"
_STEP = 1_000_000  # so that a step outweighs any number of doubts


class Routes:
    """All ways, found once.

    `found` and `assumed` are by identity. `callers` are the identities that may assume whatever role admits their
    account, with that account; `admitted` are those roles, by account: one node for an account stands for them all.
    """

    def __init__(
        self,
        found: Mapping[str, Sequence[HeldPath]],
        assumed: Mapping[str, Sequence[Candidate]],
        callers: Mapping[str, str],
        admitted: Mapping[str, Sequence[Candidate]],
        administrators: AbstractSet[str],
    ) -> None:
        self._administrators = administrators
        self._graph: Any = nx.DiGraph()  # from the goal backwards
        for arn in sorted(administrators):
            self._graph.add_edge(GOAL, arn, weight=0, step=None)
        for arn, account_id in callers.items():
            self._graph.add_edge(_hub(account_id), arn, weight=0, step=None)
        for account_id, roles in admitted.items():
            for role in roles:
                self._add_role(_hub(account_id), role)
        for arn, roles in assumed.items():
            for role in roles:
                self._add_role(arn, role, arn)
        for arn, paths in found.items():
            for path in paths:
                self._add_path(arn, path)
        self._graph.add_node(GOAL)
        self._next: Mapping[str, list[str]] = nx.dijkstra_predecessor_and_distance(self._graph, GOAL)[0]

    def of(self, arn: str) -> tuple[Step, ...]:
        """The steps from an identity to an administrator; none where there is no way, or no need of one."""
        return () if arn in self._administrators or arn not in self._next else tuple(self._walk(arn))

    def _walk(self, arn: str) -> Iterator[Step]:
        at = here = arn
        while at != GOAL:
            onwards = min(self._next[at])
            step = self._graph.edges[onwards, at]["step"]
            if step is not None:
                yield Step(here, step.to_arn, step.path_id, step.actions, step.surely)
                here = step.to_arn or here
            at = onwards

    def _add_path(self, arn: str, path: HeldPath) -> None:
        """A path to another identity; or to all there is, of oneself or of one that is made an administrator."""
        if not path.strength or path.actions == (ASSUME,):
            return
        leads_to_all = path.target == ADMINISTRATOR and path.target_arn not in self._administrators
        if leads_to_all and arn not in self._administrators:
            end = GOAL
        elif path.target_arn is not None and path.target_arn != arn:
            end = path.target_arn
        else:
            return
        if self._is_better(arn, end, path.path_id, surely=path.surely):
            self._add(arn, end, Step(arn, path.target_arn, path.path_id, path.actions, path.surely))

    def _add_role(self, start: str, role: Candidate, arn: str = "") -> None:
        """A role that may be assumed, by an identity or by all of an account."""
        end, surely = role.subject.arn, role.trusted is SURELY
        if self._is_better(start, end, _ASSUMING, surely=surely):
            self._add(start, end, Step(arn, end, _ASSUMING, (ASSUME,), surely))

    def _is_better(self, start: str, end: str, path_id: str, *, surely: bool) -> bool:
        """Whether a step would be taken rather than the one that is known."""
        known = self._graph.get_edge_data(end, start)
        return known is None or (not surely, path_id) < (not known["step"].surely, known["step"].path_id)

    def _add(self, start: str, end: str, step: Step) -> None:
        self._graph.add_edge(end, start, weight=_STEP + (not step.surely), step=step)


def _hub(account_id: str) -> str:
    return f"account {account_id}"
