"""How much AWS stores of a policy, and drafted statements spread over as few documents as that allows.

All characters of a control policy count, so policies are printed without white space (Organizations user guide,
"Quotas"). INVARIANT: the documents of a split deny together exactly what the statements deny.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

from analytics.findings.drafts.conditions import DraftError
from analytics.findings.drafts.statements import statement_of
from analytics.iam.policy import PolicyDocument, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analytics.findings.drafts.statements import Deny
    from analytics.iam.policy import Statement

VERSION = "2012-10-17"
_SID_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Limit:
    """The quota of a layer: characters of a document, and documents attached directly to one node or identity."""

    characters: int
    attached: int


def compact(document: PolicyDocument) -> dict[str, Any]:
    """The policy as a JSON object in its shortest form: lists of one element as the element."""
    printed = to_json(document)
    printed["Statement"] = [_short(statement) for statement in printed["Statement"]]
    return printed


@lru_cache(maxsize=256)
def compact_text(document: PolicyDocument) -> str:
    """The policy as AWS counts it; kept for those that were asked for lately, for each is counted and printed."""
    return json.dumps(compact(document), ensure_ascii=False, separators=(",", ":"))


def characters(document: PolicyDocument) -> int:
    """Of the policy's shortest text."""
    return len(compact_text(document))


def documents_of(denies: Sequence[Deny], layer: str, limit: Limit) -> tuple[PolicyDocument, ...]:
    """The denies as few documents, each within the limit: the largest first, each into the first with room.

    DraftError for a statement that does not fit alone however its actions are divided.
    """
    pieces = sorted(
        (piece for deny in denies for piece in _fitting(deny, layer, limit)),
        key=lambda deny: (-characters(document_of([deny], layer)), deny.scenarios, deny.action),
    )
    bins: list[list[Deny]] = []
    for piece in pieces:
        room = next((held for held in bins if characters(document_of([*held, piece], layer)) <= limit.characters), None)
        if room is None:
            bins.append([piece])
        else:
            room.append(piece)
    return tuple(document_of(held, layer) for held in bins)


def document_of(denies: Iterable[Deny], layer: str, before: Sequence[Statement] = ()) -> PolicyDocument:
    """The denies as one document, in order, after the statements that stand before; Sids name their scenarios."""
    taken: set[str] = {statement.sid for statement in before if statement.sid}
    statements = []
    for deny in sorted(denies, key=lambda deny: (deny.scenarios, deny.action, deny.not_action, deny.resource)):
        sid = _free_sid(deny.scenarios, taken)
        taken.add(sid)
        statements.append(statement_of(deny, layer, sid))
    return PolicyDocument((*before, *statements), VERSION)


def _fitting(deny: Deny, layer: str, limit: Limit) -> list[Deny]:
    """The deny, or halves of it, by action and then by resource, until each fits into a document alone."""
    size = characters(document_of([deny], layer))
    if size <= limit.characters:
        return [deny]
    if len(deny.action) > 1:
        parts = [replace(deny, action=part) for part in _halves(deny.action)]
    elif len(deny.resource) > 1:
        parts = [replace(deny, resource=part) for part in _halves(deny.resource)]
    else:
        raise DraftError(
            f"the deny for {', '.join(f'`{one}`' for one in deny.scenarios)} has {size:,} characters and a document "
            f"holds {limit.characters:,}; exempt fewer principals"
        )
    return [piece for part in parts for piece in _fitting(part, layer, limit)]


def _halves(texts: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    middle = len(texts) // 2
    return texts[:middle], texts[middle:]


def _short(statement: dict[str, Any]) -> dict[str, Any]:
    short = {element: _single(value) for element, value in statement.items()}
    if "Condition" in short:
        short["Condition"] = {
            operator: {key: _single(values) for key, values in keys.items()}
            for operator, keys in statement["Condition"].items()
        }
    if isinstance(short.get("Principal"), dict):
        short["Principal"] = {kind: _single(values) for kind, values in statement["Principal"].items()}
    return short


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _free_sid(scenarios: Sequence[str], taken: set[str]) -> str:
    """`LOG01`, or `LOG01IAM06` for two; a number follows where the document has it already."""
    letters = "".join(filter(_is_plain, "".join(scenarios)))
    base = letters[: _SID_CHARACTERS - 8] or "Draft"
    numbered = (base if number == 1 else f"{base}Part{number}" for number in count(1))
    return next(sid for sid in numbered if sid not in taken)


def _is_plain(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()
