"""Drafts kept in the store by name, one file each, and drafts given as files.

`<store>/drafts/<name>.json` is written whole or not at all. A file that cannot be used is skipped with its reason; it
stops neither a build nor the other drafts.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.findings.drafts.compose import Draft, DraftError, valid_name
from analytics.findings.drafts.exemptions import Exemption, Origin
from analytics.findings.drafts.place import DraftPolicy
from analytics.findings.drafts.size import compact
from analytics.findings.drafts.statements import LAYERS
from analytics.iam.policy import PolicyError, parse_policy, to_json
from analytics.iam.stack import NamedPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "drafts"
FORMAT = 1  # of the files
_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file among the drafts that is none."""

    path: Path
    reason: str


def keep_draft(store: Path, draft: Draft) -> Path:
    """Write the draft under its name, in the place of an earlier one of that name; its file."""
    folder = store / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{valid_name(draft.name)}{_SUFFIX}"
    handle, partial = tempfile.mkstemp(prefix=".", suffix=".partial", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(as_document(draft), file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
    return path


def drop_draft(store: Path, name: str) -> bool:
    """Remove a kept draft; False when there is none of that name."""
    path = store / FOLDER / f"{valid_name(name)}{_SUFFIX}"
    found = path.exists()
    path.unlink(missing_ok=True)
    return found


def kept_drafts(store: Path) -> tuple[tuple[Draft, ...], tuple[Unusable, ...]]:
    """The drafts of a store by name, and the files that cannot be used."""
    drafts: list[Draft] = []
    unusable: list[Unusable] = []
    for path in sorted((store / FOLDER).glob(f"*{_SUFFIX}")):
        try:
            drafts.append(_of_its_name(read_draft(path), path))
        except DraftError as error:
            unusable.append(Unusable(path, str(error)))
    return tuple(drafts), tuple(unusable)


def find_draft(store: Path, name_or_file: str) -> Draft:
    """A kept draft by name, or the draft of a file; DraftError when there is neither."""
    path = Path(name_or_file)
    looks_like_a_file = path.suffix == _SUFFIX or len(path.parts) > 1
    if not looks_like_a_file:
        path = store / FOLDER / f"{valid_name(name_or_file)}{_SUFFIX}"
    if not path.exists():
        held = ", ".join(f"`{draft.name}`" for draft in kept_drafts(store)[0]) or "none"
        raise DraftError(f"there is no draft `{name_or_file}`; the store keeps {held}, or name a JSON file")
    try:
        return read_draft(path)
    except DraftError as error:
        raise DraftError(f"draft `{path}` {error}") from error


def read_draft(path: Path) -> Draft:
    """The draft of a file. DraftError says what the file is instead, without naming it."""
    try:
        raw = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DraftError(f"is not readable JSON ({error})") from error
    return from_document(raw)


def as_document(draft: Draft) -> dict[str, Any]:
    """The draft as JSON; `from_document` reads it back."""
    return {
        "format": FORMAT,
        "name": draft.name,
        "layer": draft.layer,
        "target": draft.target,
        "target_name": draft.target_name,
        "scenarios": list(draft.scenarios),
        "policies": [
            {
                "name": policy.name,
                "attach_to": list(policy.attach_to),
                "replaces": None if policy.replaces is None else _replaced(policy.replaces),
                "document": compact(policy.document),
            }
            for policy in draft.policies
        ],
        "exemptions": [
            {
                "arn": one.arn,
                "stands_for": one.stands_for,
                "origin": one.origin.value,
                "principals": one.principals,
            }
            for one in draft.exemptions
        ],
        "notes": list(draft.notes),
    }


def from_document(raw: Any) -> Draft:
    """The draft that `as_document` printed. DraftError names the element that does not fit."""
    if not isinstance(raw, dict):
        raise DraftError("is not a draft: a draft is a JSON object")
    if raw.get("format") != FORMAT:
        raise DraftError(f"is not a draft of format {FORMAT} (`draft --name` makes one)")
    layer = _text(raw, "layer")
    if layer not in LAYERS:
        raise DraftError(f"has the layer `{layer}`; the layers are {', '.join(LAYERS)}")
    policies = tuple(_policy(entry) for entry in _objects(raw, "policies"))
    if not policies:
        raise DraftError("has no policy")
    return Draft(
        name=valid_name(_text(raw, "name")),
        layer=layer,
        target=_text(raw, "target"),
        target_name=_text(raw, "target_name"),
        scenarios=_texts(raw, "scenarios"),
        policies=policies,
        exemptions=tuple(_exemption(entry) for entry in _objects(raw, "exemptions")),
        notes=_texts(raw, "notes"),
    )


def _of_its_name(draft: Draft, path: Path) -> Draft:
    if draft.name != path.stem:
        raise DraftError(f"holds a draft of the name `{draft.name}`; a file and its draft have one name")
    return draft


def _replaced(policy: NamedPolicy) -> dict[str, Any]:
    """With its text at the time of the draft, so that a later change of it is noticed."""
    return {
        "name": policy.name,
        "arn": policy.arn,
        "attached_to": policy.attached_to,
        "document": to_json(policy.document),
    }


def _policy(raw: Mapping[str, Any]) -> DraftPolicy:
    before = raw.get("replaces")
    if before is not None and not isinstance(before, dict):
        raise DraftError("has a policy whose `replaces` is neither null nor an object")
    return DraftPolicy(
        name=_text(raw, "name"),
        document=_document(raw),
        attach_to=_texts(raw, "attach_to"),
        replaces=None
        if before is None
        else NamedPolicy(
            _text(before, "name"), _document(before), _text(before, "arn"), _text(before, "attached_to", empty=True)
        ),
    )


def _document(raw: Mapping[str, Any]) -> Any:
    try:
        return parse_policy(raw.get("document"), name=_text(raw, "name"))
    except PolicyError as error:
        raise DraftError(f"holds no valid policy: {error}") from error


def _exemption(raw: Mapping[str, Any]) -> Exemption:
    origin, principals, stands_for = raw.get("origin"), raw.get("principals"), raw.get("stands_for")
    if origin not in set(Origin) or not isinstance(principals, int) or not isinstance(stands_for, str | None):
        raise DraftError("has an exemption that is none: `origin`, `principals` or `stands_for` does not fit")
    return Exemption(_text(raw, "arn"), stands_for, Origin(origin), principals)


def _text(raw: Mapping[str, Any], key: str, *, empty: bool = False) -> str:
    value = raw.get(key)
    if not _is_text(value) or not (value or empty):
        raise DraftError(f"lacks the text `{key}`")
    return str(value)


def _is_text(value: Any) -> bool:
    """Whether it is text, of whole letters: JSON can spell half of one, which no file and no terminal takes."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _texts(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = raw.get(key)
    if not isinstance(value, list) or not all(map(_is_text, value)):
        raise DraftError(f"lacks the list of texts `{key}`")
    return tuple(value)


def _objects(raw: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = raw.get(key)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise DraftError(f"lacks the list of objects `{key}`")
    return value
