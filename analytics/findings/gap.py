"""What is granted against what was used: counts and weights per identity and service.

An action in `maybe` is used (a call that needed it succeeded), possible (a call that may have needed it), unused (this
export would have shown a call) or unobserved (it would not). Identities share few distinct sets, so sets are counted
once per distinct reach and export coverage, and only the calls that were seen are looked up per identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analytics.findings.bits import counts, holds, pack
from analytics.iam.catalogue import AccessLevel, Visibility

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analytics.engine.reach import Reach
    from analytics.findings.weights import ActionWeights
    from analytics.iam.catalogue import Catalogue

CHUNK = 4096  # sets counted at a time: bounds memory at 30,000 identities


class Use(StrEnum):
    """What the export says about one granted action."""

    USED = "used"
    POSSIBLE = "possible"  # a call that may have needed it, or one refused before authorisation was decided
    UNUSED = "unused"  # this export would have shown a call, and there was none in the window
    UNOBSERVED = "unobserved"  # a call would not have been shown


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the export holds of one account in one window."""

    has_events: bool
    sees_read_only: bool
    sees_kms: bool
    data_events_logged: frozenset[str]  # CloudTrail resource types logged for every resource of the account


def observable(catalogue: Catalogue, coverage: Coverage, data_event_types: Mapping[str, frozenset[str]]) -> int:
    """The actions of which this export would have shown a call: only those may be called unused.

    `data_event_types` gives, per lower-case action, the CloudTrail resource types under which its calls are logged; all
    of them must be, since one call is logged under one of them (an object read through an access point).
    """
    if not coverage.has_events:
        return 0
    read_only = {AccessLevel.READ, AccessLevel.LIST}
    kms = catalogue.services.get("kms", range(0))

    def shown(number: int) -> bool:
        match catalogue.visibility[number]:
            case Visibility.MANAGEMENT:
                if number in kms and not coverage.sees_kms:
                    return False
                return coverage.sees_read_only or catalogue.levels[number] not in read_only
            case Visibility.DATA:
                types = data_event_types.get(catalogue.actions[number].lower())
                return types is not None and types <= coverage.data_events_logged
            case _:
                return False

    return sum(1 << number for number in range(len(catalogue.actions)) if shown(number))


def reach_service(catalogue: Catalogue, reaches: Sequence[Reach]) -> Iterator[pa.RecordBatch]:
    """One row per distinct reach and service with a grant: surely, maybe, and `maybe` by level and visibility."""
    classes = ((catalogue.levels, AccessLevel), (catalogue.visibility, Visibility))
    named = {
        str(kind).replace(" ", "_"): _mask(number for number, has in enumerate(column) if has is kind)
        for column, kinds in classes
        for kind in kinds
    }
    services = list(catalogue.services)
    ranges = list(catalogue.services.values())
    size = len(catalogue.actions)
    parts = {name: pack([mask], size) for name, mask in named.items()}
    for start in range(0, len(reaches), CHUNK):
        chunk = reaches[start : start + CHUNK]
        maybe = pack([reach.maybe for reach in chunk], size)
        surely = counts(pack([reach.surely for reach in chunk], size), ranges)
        granted = counts(maybe, ranges)
        row, column = np.nonzero(granted)
        yield pa.RecordBatch.from_pydict(
            {
                "reach_id": (row + start).astype(np.int32),
                "service": _names(services, column),
                "surely": surely[row, column],
                "maybe": granted[row, column],
                **{name: counts(maybe & part, ranges)[row, column] for name, part in parts.items()},
            }
        )


def granted_service(
    catalogue: Catalogue,
    weights: ActionWeights,
    reaches: Sequence[Reach],
    profiles: Sequence[int],
    pairs: Iterable[tuple[int, int]],
) -> Iterator[pa.RecordBatch]:
    """What a reach grants per service before any call is looked at, for each pair of reach and observable set.

    Columns: reach_id, profile_id, service, granted, surely, observable (counts of actions), granted_weight,
    observable_weight (weight of the high-risk ones, `maybe` discounted by its certainty).
    """
    services = list(catalogue.services)
    ranges = list(catalogue.services.values())
    size = len(catalogue.actions)
    high_risk = {value: pack([mask], size) for value, mask in _high_risk_masks(weights).items()}
    by_profile: dict[int, list[int]] = {}
    for reach_id, profile_id in pairs:
        by_profile.setdefault(profile_id, []).append(reach_id)
    for profile_id, reach_ids in sorted(by_profile.items()):
        seen = pack([profiles[profile_id]], size)
        for start in range(0, len(reach_ids), CHUNK):
            chosen = reach_ids[start : start + CHUNK]
            maybe = pack([reaches[index].maybe for index in chosen], size)
            surely = pack([reaches[index].surely for index in chosen], size)
            granted = counts(maybe, ranges)
            cells = np.nonzero(granted)
            weight = np.zeros(len(cells[0]))
            weight_seen = np.zeros(len(cells[0]))
            for value, part in high_risk.items():
                for total, within in ((weight, part), (weight_seen, part & seen)):
                    sure = counts(surely & within, ranges)[cells]
                    only_maybe = counts(maybe & within, ranges)[cells] - sure
                    np.add(total, value * (weights.surely * sure + weights.maybe * only_maybe), out=total)
            yield pa.RecordBatch.from_pydict(
                {
                    "reach_id": np.array(chosen, np.int32)[cells[0]],
                    "profile_id": np.full(len(weight), profile_id, np.int32),
                    "service": _names(services, cells[1]),
                    "granted": granted[cells],
                    "surely": counts(surely, ranges)[cells],
                    "observable": counts(maybe & seen, ranges)[cells],
                    "granted_weight": weight,
                    "observable_weight": weight_seen,
                }
            )


def seen_actions(
    weights: ActionWeights,
    reaches: NDArray[np.uint64],
    surely: NDArray[np.uint64],
    profiles: NDArray[np.uint64],
    *,
    reach_id: NDArray[np.int64],
    profile_id: NDArray[np.int64],
    number: NDArray[np.int64],
) -> dict[str, NDArray[np.generic]]:
    """For each action that a principal was seen to use: is it in reach, would it be observable, what does it weigh."""
    in_reach = holds(reaches, reach_id, number)
    sure = holds(surely, reach_id, number)
    shown = holds(profiles, profile_id, number) & in_reach
    value = np.array(weights.weights)[number]
    certainty = np.where(sure, weights.surely, weights.maybe)
    weight = np.where(in_reach & (value >= weights.high_risk_from), value * certainty, 0.0)
    return {
        "in_reach": in_reach,
        "observable": shown,
        "weight": weight,
        "observable_weight": np.where(shown, weight, 0.0),
    }


def _high_risk_masks(weights: ActionWeights) -> dict[float, int]:
    """Weight -> the high-risk actions of that weight."""
    found: dict[float, list[int]] = {}
    for number, value in enumerate(weights.weights):
        if value >= weights.high_risk_from:
            found.setdefault(value, []).append(number)
    return {value: _mask(numbers) for value, numbers in found.items()}


def _mask(numbers: Iterable[int]) -> int:
    mask = 0
    for number in numbers:
        mask |= 1 << number
    return mask


def _names(services: Sequence[str], column: NDArray[np.int64]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(column.astype(np.int32), pa.array(services))
