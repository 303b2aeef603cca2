"""How a cell of the guardrail matrix looks, on page, sheet and picture: quiet when safe, loud when open.

Every state has a mark and a word, so that colour is never the only difference. Colours are (light, dark).
"""

from __future__ import annotations

from typing import NamedTuple


class CellLook(NamedTuple):
    """How one state looks, and what it says."""

    state: str  # as the table has it
    word: str
    mark: str
    fill: tuple[str, str]
    ink: tuple[str, str]
    meaning: str


_INK = ("#24405c", "#c3d9ee")
LOOKS = (
    CellLook("covered", "covered", "●", ("#c3d9ec", "#1f4668"), _INK, "every action is stopped for everybody in scope"),
    CellLook(
        "conditional", "conditional", "△", ("#f6d98c", "#7d5a0c"), ("#5c4203", "#fbe6b2"),
        "everything is stopped, but some of it only under a condition, on some resources or with a wide exemption",
    ),
    CellLook(
        "partial", "partial", "◐", ("#f2a36b", "#a8480f"), ("#4a1d02", "#ffe3cf"),
        "some action, or somebody in scope, is not stopped",
    ),
    CellLook("gap", "gap", "✕", ("#d9480f", "#e8590c"), ("#ffffff", "#ffffff"), "nothing of it is stopped"),
    CellLook(
        "not_applicable", "not applicable", "·", ("#f1f3f6", "#18212e"), ("#6d7887", "#8a96a8"),
        "this layer cannot act here",
    ),
    CellLook(
        "unknown", "unknown", "?", ("#dfe3e9", "#333f50"), ("#3f4a5a", "#d5dce6"), "what decides it was not collected"
    ),
)  # fmt: skip
LOOK = {look.state: look for look in LOOKS}
OPEN = ("partial", "gap")
STATES = tuple(look.state for look in LOOKS)
BEST = "best"
LAYER_NAMES = {
    BEST: "Best layer",
    "scp": "SCP",
    "rcp": "RCP",
    "boundary": "Boundary",
    "identity": "Identity deny",
}
CATEGORIES = {
    "logging_detection": "Logging and detection",
    "identity_privilege": "Identity and privilege",
    "organisation_account": "Organisation and account",
    "data_exposure": "Data exposure",
    "encryption_recovery": "Encryption and recovery",
    "network_cost_ai": "Network, cost and AI",
    "root_user": "Root user",
}


def look_of(state: str) -> CellLook:
    """The look of a state; one that this version does not know looks like one that nobody knows."""
    return LOOK.get(state, LOOK["unknown"])


def category_name(category: str) -> str:
    """A category in words; a team's own is written as it wrote it."""
    return CATEGORIES.get(category) or category.replace("_", " ").capitalize()
