"""Conditions on `aws:userid` for the sessions of a role: `AROA…:name`, where the caller chooses the name.

IAM User Guide, "IAM policy elements: Variables and tags", the table of principal key values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analytics.iam.condition import any_true

if TYPE_CHECKING:
    from analytics.iam.policy import Condition

USER_ID = "aws:userid"
_NEGATED = {"StringEquals": False, "StringLike": False, "StringNotEquals": True, "StringNotLike": True}
_WILD = re.compile(r"[*?]")


def holds_for_sessions(condition: Condition, unique_id: str) -> bool | None:
    """Whether a condition on `aws:userid` holds for every session of a role (True), for none (False) or for some."""
    negated = _NEGATED.get(condition.operator)
    if negated is None or condition.qualifier or any("${" in value for value in condition.values):
        return None
    like = condition.operator in ("StringLike", "StringNotLike")
    matched = any_true([_matches(value, f"{unique_id}:", like=like) for value in condition.values])
    return None if matched is None else matched != negated


def _matches(wanted: str, start: str, *, like: bool) -> bool | None:
    """Whether a text matches every id that starts so (True), none (False), or some (None)."""
    literal = _WILD.split(wanted, maxsplit=1)[0] if like else wanted
    if literal == wanted:  # one id, whole
        return None if wanted.startswith(start) else False
    if not literal.startswith(start) and not start.startswith(literal):
        return False
    is_start = not wanted[len(literal) :].strip("*")
    return True if is_start and start.startswith(literal) else None
