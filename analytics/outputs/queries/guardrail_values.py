"""The guardrail matrix as values: scenarios, targets, cells, and the choice of what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analytics.outputs.coverage_look import BEST, LAYER_NAMES, OPEN, STATES

Numbers = np.ndarray[Any, np.dtype[np.float64]]
ABSENT = 255  # the state of a cell that the table does not hold


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the matrix: a question to every target."""

    id: str
    title: str
    category: str
    severity: str
    is_core: bool
    actions: tuple[str, ...]
    principal: str
    resource: str
    shape: str
    best_layer: str
    other_layers: tuple[str, ...]
    mitre: tuple[str, ...]
    why: str
    usual_exemptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """One column of the matrix."""

    id: str
    kind: str  # root, ou, account
    name: str
    path: str
    depth: int  # below the root; 0: the root, or what has no place in the organisation
    is_management: bool
    environment: str | None


@dataclass(frozen=True, slots=True)
class MatrixChoice:
    """What of the matrix is shown. None: everything."""

    layer: str = BEST
    extended: bool = False  # the scenarios beyond the core
    severity: str | None = None
    category: str | None = None
    ou_path: str | None = None  # with everything below it
    account_id: str | None = None
    only_open: bool = False  # scenarios with a gap among the cells shown
    target: str | None = None  # its layers are the columns

    @property
    def sentence(self) -> str:
        """The choice in words, for the provenance of a file."""
        named = {
            "layer": None if self.target else LAYER_NAMES.get(self.layer, self.layer),
            "severity": self.severity,
            "category": self.category,
            "OU": self.ou_path,
            "account": self.account_id,
            "layers of": self.target,
        }
        said = [f"{name} = {value}" for name, value in named.items() if value]
        said.append("core and extended scenarios" if self.extended else "core scenarios")
        return "; ".join([*said, *(["only scenarios with a gap"] if self.only_open else [])])


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Scenarios by targets, or by the layers of one target. Arrays are rows by columns."""

    scenarios: tuple[Scenario, ...]
    targets: tuple[Target, ...]  # of one target: that one
    layers: tuple[str, ...]  # of the columns; all the same where the columns are targets
    states: np.ndarray[Any, np.dtype[np.uint8]]  # positions in STATES, or ABSENT
    single: np.ndarray[Any, np.dtype[np.bool_]]
    facts: Mapping[str, Numbers] = field(default_factory=dict)

    @property
    def telling(self) -> list[int]:
        """The columns that count: all targets, or of one target the best of its layers."""
        every = list(range(len(self.layers)))
        return [column for column in every if self.layers[column] == BEST] if len(set(self.layers)) > 1 else every

    @property
    def open_rows(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """The scenarios that are open in a column that counts."""
        return np.asarray(self.open_cells[:, self.telling].any(axis=1))

    @property
    def open_cells(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """The cells that are partial or a gap."""
        return np.isin(self.states, [STATES.index(state) for state in OPEN])

    def counts(self) -> dict[str, int]:
        """Cells by state, in the order of STATES, in the columns that count."""
        found = np.bincount(self.states[:, self.telling].ravel(), minlength=ABSENT + 1)
        return {state: int(found[position]) for position, state in enumerate(STATES)}


@dataclass(frozen=True, slots=True)
class LayerCell:
    """One layer of one cell with its evidence; names are untrusted."""

    layer: str
    state: str
    single_layer: bool
    best_layer_of: str | None
    principals: int | None
    stopped: int | None
    statements: tuple[Mapping[str, Any], ...] = field(hash=False)
    missing_actions: tuple[str, ...]
    open_actions: tuple[str, ...]  # not surely stopped for somebody; what the counts below are about
    exemptions: tuple[str, ...]
    note: str | None
    can_act: int | None
    did_act: int | None
