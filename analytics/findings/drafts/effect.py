"""What a draft does: the matrix and the scores before it and with it in force, by the functions that made them.

No draft is shown that was not proven here: with its policies attached every cell that it was drafted for is covered,
or conditional where only that is possible, and no other cell is worse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analytics.findings.drafts.conditions import DraftError
from analytics.findings.drafts.place import nodes_below, with_policies

if TYPE_CHECKING:
    from analytics.findings.drafts.compose import Draft
    from analytics.findings.estate import Estate
    from analytics.findings.guardrails.matrix import Cell

CellsOf = Callable[[str], Iterable["Cell"]]  # of one target
ScoreOf = Callable[[str], float]  # of one identity
CLOSED = ("conditional", "covered")
# For comparing cells (guardrail_scenarios.yaml, how_to_read); what cannot be compared has no rank.
_RANK: Mapping[str, int] = {"gap": 0, "partial": 1, "conditional": 2, "covered": 3}


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell of the matrix without the draft and with it."""

    scenario: str
    target: str
    layer: str
    before: str
    after: str
    note: str | None = None  # of the cell with the draft

    @property
    def is_worse(self) -> bool:
        """Whether less is stopped than before."""
        return _RANK.get(self.after, -1) < _RANK.get(self.before, -1)

    @property
    def is_closed(self) -> bool:
        """Whether the draft turned an open cell into one that stops everything, surely or under a condition."""
        return self.after in CLOSED and self.before not in CLOSED


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """The risk score of one identity, whose policies the draft changes."""

    principal_arn: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Effect:
    """Everything that a draft changes, of its target and below. `calls_broken` is None until it is proven by replay."""

    drafted: tuple[CellChange, ...]  # the cells that it was drafted for, at its target
    cells: tuple[CellChange, ...]  # all cells that it changes
    scores: tuple[ScoreChange, ...]  # of the identities that it limits, largest change first
    identities_changed: int  # whose effective permissions are fewer
    calls_broken: int | None = None

    @property
    def risk_removed(self) -> float:
        """The sum over the identities, in points of the score."""
        return round(sum(change.before - change.after for change in self.scores), 1)

    @property
    def still_open(self) -> tuple[CellChange, ...]:
        """The cells that it was drafted for and does not close."""
        return tuple(change for change in self.drafted if change.after not in CLOSED)


def compare(
    estate: Estate,
    draft: Draft,
    *,
    cells_of: Callable[[Estate], CellsOf],
    score_of: Callable[[Estate], ScoreOf] | None = None,
) -> Effect:
    """The matrix and the scores of the estate and of the estate with the draft, at its target and below it.

    `cells_of` and `score_of` make the matrix and the scores of an estate; without the latter no score is compared.
    """
    other = with_policies(estate, draft.policies, draft.layer)
    limited = [arn for arn, subject in estate.subjects.items() if other.subjects[arn] is not subject]
    now, then = cells_of(estate), cells_of(other)
    changes = [change for target in targets_of(draft, estate) for change in _cells(now(target), then(target))]
    mine = {(one, draft.target, draft.layer) for one in draft.scenarios}
    return Effect(
        drafted=tuple(one for one in changes if (one.scenario, one.target, one.layer) in mine),
        cells=tuple(one for one in changes if one.before != one.after),
        scores=_scores(limited, score_of(estate), score_of(other)) if score_of else (),
        identities_changed=sum(estate.subjects[arn].reach != other.subjects[arn].reach for arn in limited),
    )


def proven(draft: Draft, effect: Effect) -> Draft:
    """The draft with what its reader must know of the proof; DraftError where it does not close its cells."""
    worse = next((change for change in effect.cells if change.is_worse), None)
    if worse is not None:
        raise DraftError(
            f"the draft for {_ids(draft)} would make scenario `{worse.scenario}` at `{worse.target}` worse "
            f"({worse.before} to {worse.after} in the layer `{worse.layer}`), so it is not shown"
        )
    for change in effect.still_open:
        reason = f": {change.note}" if change.note else ""
        raise DraftError(
            f"scenario `{change.scenario}` stays {_words(change.after)} at `{draft.target_name}` in the layer "
            f"`{draft.layer}` with all its actions denied{reason}"
        )
    missing = set(draft.scenarios) - {change.scenario for change in effect.drafted}
    if missing:
        raise DraftError(f"the matrix has no cell of scenario `{min(missing)}` at `{draft.target_name}`")
    conditional = [
        f"`{change.scenario}` becomes conditional, not covered{f': {change.note}' if change.note else ''}"
        for change in effect.drafted
        if change.after == "conditional"
    ]
    return replace(draft, notes=(*draft.notes, *conditional))


def targets_of(draft: Draft, estate: Estate) -> tuple[str, ...]:
    """The targets of the matrix that a draft can change: its own and those below; of an identity, its account too."""
    subject = estate.subjects.get(draft.target)
    if subject is not None:
        return draft.target, subject.account_id
    return nodes_below(draft.target, estate)


def _cells(before: Iterable[Cell], after: Iterable[Cell]) -> list[CellChange]:
    was = {(cell.scenario, cell.target, cell.layer): cell for cell in before}
    return [
        CellChange(cell.scenario, cell.target, cell.layer.value, old.state.value, cell.state.value, cell.note)
        for cell in after
        if (old := was.get((cell.scenario, cell.target, cell.layer))) is not None
    ]


def _scores(arns: Iterable[str], before: ScoreOf, after: ScoreOf) -> tuple[ScoreChange, ...]:
    changes = (ScoreChange(arn, before(arn), after(arn)) for arn in arns)
    return tuple(sorted(changes, key=lambda change: (change.after - change.before, change.principal_arn)))


def _ids(draft: Draft) -> str:
    return ", ".join(f"`{scenario}`" for scenario in draft.scenarios)


def _words(state: str) -> str:
    return state.replace("_", " ")
