"""The condition keys whose value a caller chooses freely in the request, such as the Region that it addresses.

The keys and the actions whose requests carry them are `data/reference/free_condition_keys.csv`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.iam.catalogue import Catalogue
    from analytics.iam.policy import Condition

FREE_KEYS_FILE = Path(__file__).parents[2] / "data" / "reference" / "free_condition_keys.csv"
_SOME_OTHER_VALUE = "any-other"


def free_keys(catalogue: Catalogue, path: Path = FREE_KEYS_FILE) -> Mapping[str, int]:
    """Each free condition key, in lower case, with the actions whose every request carries it."""
    keys: dict[str, int] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            actions = 0
            for pattern in row["actions"].split():
                actions |= catalogue.expand(pattern)
            keys[row["condition_key"].lower()] = actions
    return keys


def candidates(conditions: Sequence[Condition]) -> list[str]:
    """Values worth trying for a key that all these conditions test: those that they name and their neighbours."""
    named = [value.replace("*", "").replace("?", "x") for condition in conditions for value in condition.values]
    beside = [str(float(value) + step) for value in named if _is_number(value) for step in (-1, 1)]
    return [*dict.fromkeys((*named, *beside, _SOME_OTHER_VALUE, "true", "false"))]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()
