"""Reading JSON that other tools wrote: every value is checked, what is wrong is noted, and the rest goes on."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import orjson

from analytics.sources.snapshot_values import Problem, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_BYTES = 2 << 30  # of one file, unpacked: no account's dump comes near; a gzip bomb does
_KINDS = {dict: "an object", list: "a list", str: "text", bool: "a boolean"}
_Value = TypeVar("_Value")


class Notes:
    """Collects problems, each once, in the order met."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def add(self, subject: str, reason: str) -> None:
        """Note one problem: the subject, and a sentence about it."""
        self._found.setdefault(Problem(*(_printable(text) for text in (subject, reason))))

    def problems(self) -> tuple[Problem, ...]:
        """Everything noted so far."""
        return tuple(self._found)


@dataclass(frozen=True, slots=True)
class Record:
    """A JSON object from outside. A read of the wrong type is noted and gives what an absent value gives."""

    values: Mapping[str, object]
    subject: str  # what the notes are about
    notes: Notes

    def has(self, key: str) -> bool:
        """Whether the key is there with a value other than null."""
        return self.values.get(key) is not None

    def is_list_or_absent(self, key: str) -> bool:
        """Whether a list under the key can be taken at its word."""
        return not self.has(key) or isinstance(self.values[key], list)

    def about(self, subject: str) -> Record:
        """The same object under a more telling subject."""
        return Record(self.values, subject, self.notes)

    def text(self, *keys: str) -> str | None:
        """The first of the keys that holds text; empty text is none."""
        for key in keys:
            if found := self._typed(key, str):
                return found
        return None

    def flag(self, key: str) -> bool | None:
        """A boolean."""
        return self._typed(key, bool)

    def record(self, key: str) -> Record | None:
        """An object within this one."""
        values: dict[str, object] | None = self._typed(key, dict)
        return None if values is None else Record(values, self.subject, self.notes)

    def records(self, key: str) -> tuple[Record, ...]:
        """A list of objects; anything else in the list is noted."""
        items: list[object] = self._typed(key, list) or []
        found = []
        for index, item in enumerate(items):
            if isinstance(item, dict):
                found.append(Record(item, self.subject, self.notes))
            else:
                self.notes.add(self.subject, f"`{key}`, entry {index}, is {kind_of(item)} and not an object; left out")
        return tuple(found)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        value = self.values.get(key)
        items = [value] if isinstance(value, str) else self._typed(key, list) or []
        if any(not isinstance(item, str) for item in items):
            self.notes.add(self.subject, f"`{key}` holds entries that are not text; those are left out")
        return tuple(item for item in items if isinstance(item, str))

    def moment(self, key: str) -> datetime | None:
        """A time in UTC: ISO text, or seconds since 1970 as some SDKs print it."""
        value = self.values.get(key)
        if value is None:
            return None
        found = moment(value)
        if found is None:
            self.notes.add(self.subject, f"`{key}` is not a date and time that can be read; left out")
        return found

    def tags(self, key: str) -> Tags:
        """Tags, as `[{"Key": …, "Value": …}]` or as one object."""
        value = self.values.get(key)
        if isinstance(value, dict):
            pairs = list(value.items())
        else:
            pairs = [(tag.values.get("Key"), tag.values.get("Value", "")) for tag in self.records(key)]
        texts = tuple((name, text) for name, text in pairs if isinstance(name, str) and isinstance(text, str))
        if len(texts) < len(pairs):
            self.notes.add(self.subject, f"`{key}` holds tags that are not text; those are left out")
        return texts

    def _typed(self, key: str, kind: type[_Value]) -> _Value | None:
        value = self.values.get(key)
        if value is None or isinstance(value, kind):
            return value
        self.notes.add(self.subject, f"`{key}` is {kind_of(value)}, expected {_KINDS[kind]}; left out")
        return None


def read_json(path: Path) -> object:
    """The document of a .json or .json.gz file; ValueError with the reason when there is none."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise ValueError("does not exist") from error
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"cannot be read ({error})") from error
    if len(content) > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES >> 30} GiB")
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # what `>` in Windows PowerShell writes
            content = content.decode("utf-16").encode()
        parsed: object = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        raise ValueError(f"is not JSON ({error})") from error
    return parsed


def read_record(path: Path, subject: str, notes: Notes) -> Record | None:
    """The object in a file that may be absent; None, and a note, where it cannot be used."""
    if not path.exists():
        return None
    try:
        document = read_json(path)
    except ValueError as error:
        notes.add(subject, f"the file {error}; what it says is not collected")
        return None
    if isinstance(document, dict):
        return Record(document, subject, notes)
    notes.add(subject, f"the file holds {kind_of(document)} and not a JSON object; what it says is not collected")
    return None


def _printable(text: str) -> str:
    """Text that UTF-8 can write: names of files need not be."""
    return text.encode("utf-8", "backslashreplace").decode()


def moment(value: object) -> datetime | None:
    """The time in UTC, or None: a time without zone is taken as UTC, which is what AWS prints."""
    try:
        if isinstance(value, str):
            parsed = datetime.fromisoformat(value)
            return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass  # neither form: the caller notes it
    return None


def kind_of(value: object) -> str:
    """The JSON type in words."""
    return "null" if value is None else _KINDS.get(type(value), "a number")
