"""The calls that a boundary template would have stopped, counted over all identities at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analytics.findings.bits import holds, pack
from analytics.findings.boundaries.inventory import can_have_boundary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from analytics.findings.boundaries.fit import Fit, Fitter
    from analytics.findings.estate import Subject


@dataclass(frozen=True, slots=True)
class UsedCalls:
    """Calls that were not denied, by identity and action, in the build's window; parallel arrays."""

    principal_arns: tuple[str, ...]
    principal: NDArray[np.int64]  # position in `principal_arns`
    number: NDArray[np.int64]  # of the action
    calls: NDArray[np.int64]
    needed: NDArray[np.bool_]  # the action was surely needed; else it may have been

    @classmethod
    def none(cls) -> UsedCalls:
        """Nothing is known of calls."""
        empty = np.zeros(0, np.int64)
        return cls((), empty, empty, empty, np.zeros(0, np.bool_))


def fit_all(fitter: Fitter, subjects: Sequence[Subject], used: UsedCalls) -> tuple[Fit, ...]:
    """Every identity that can have a boundary under every template, with the calls of the window that would break."""
    asked = [subject for subject in subjects if can_have_boundary(subject)]
    needed = needed_actions(used)
    by_subject = [fitter.of(subject, needed.get(subject.arn, 0)) for subject in asked]
    return tuple(with_calls(by_subject, [subject.arn for subject in asked], used, len(fitter.catalogue.actions)))


def needed_actions(used: UsedCalls) -> dict[str, int]:
    """By identity, the actions of which it is sure that a call needed them, as a set."""
    found: dict[str, int] = {}
    for principal, number in zip(used.principal[used.needed].tolist(), used.number[used.needed].tolist(), strict=True):
        arn = used.principal_arns[principal]
        found[arn] = found.get(arn, 0) | 1 << number
    return found


def with_calls(
    by_subject: Sequence[tuple[Fit, ...]], arns: Sequence[str], used: UsedCalls, actions: int
) -> Iterator[Fit]:
    """Count the calls of lost actions and of actions at risk, template by template, over all identities at once."""
    positions = {arn: at for at, arn in enumerate(arns)}
    owner = np.array([positions.get(arn, -1) for arn in used.principal_arns], np.int64)
    row = owner[used.principal] if len(owner) else np.zeros(0, np.int64)
    mine = row >= 0
    row, number = row[mine], used.number[mine]
    calls, needed = used.calls[mine], used.needed[mine]
    counted: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for at in range(len(by_subject[0]) if by_subject else 0):
        lost = _holds_any([fits[at].lost for fits in by_subject], row, number, actions)
        risked = _holds_any([fits[at].at_risk for fits in by_subject], row, number, actions)
        sure = _sums(row, calls, lost & needed, len(arns))
        perhaps = _sums(row, calls, risked | (lost & ~needed), len(arns))  # the action may not have been needed
        counted.append((sure, perhaps))
    for position, fits in enumerate(by_subject):
        for fit, (sure, perhaps) in zip(fits, counted, strict=True):
            yield replace(fit, calls_lost=int(sure[position]), calls_at_risk=int(perhaps[position]))


def _holds_any(masks: list[int], row: NDArray[np.int64], number: NDArray[np.int64], actions: int) -> NDArray[np.bool_]:
    """Whether the set of each row's identity holds the action; equal sets are packed once."""
    numbers: dict[int, int] = {}
    index = np.array([numbers.setdefault(mask, len(numbers)) for mask in masks], np.int64)
    return holds(pack(list(numbers), actions), index[row], number)


def _sums(row: NDArray[np.int64], calls: NDArray[np.int64], chosen: NDArray[np.bool_], size: int) -> NDArray[np.int64]:
    return np.bincount(row[chosen], weights=calls[chosen], minlength=size).astype(np.int64)
