"""The CloudTrail records in a raw log file, whatever they are wrapped in.

Log files as CloudTrail delivers them (`{"Records": [...]}`), bare arrays, JSON lines, values one after another without
a line break (Firehose), EventBridge events (`detail`), CloudWatch Logs subscriptions and exports (`logEvents`,
`events`, each with a `message`), and the answers of `aws cloudtrail lookup-events` (`Events`, `CloudTrailEvent`).
INVARIANT: what was found is yielded, once and in order, or `UnreadableError` says why nothing can be.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

MAX_BYTES = 256 * 1024 * 1024
"""The most JSON, unpacked, that one file may hold: it bounds the memory of a converter process."""


class UnreadableError(ValueError):
    """A file of which no record can be read: one sentence without the path, saying what to do."""


class DigestError(UnreadableError):
    """A CloudTrail digest file, which lists log files and holds no events."""


class Unparsed(NamedTuple):
    """Text that stands where a record should be, and why it is none."""

    text: str
    reason: str


def read_records(path: Path, *, max_bytes: int = MAX_BYTES) -> Iterator[Any]:
    """Each record of a file: any JSON value, or `Unparsed`. Raises UnreadableError, before or between records."""
    data = _unpacked(path, max_bytes)
    try:
        values: Iterator[Any] = iter((orjson.loads(data),))
    except orjson.JSONDecodeError as error:
        values = _values(data.decode("utf-8", errors="replace"), error)
    del data  # up to MAX_BYTES that nobody needs any more
    for value in values:
        if isinstance(value, dict) and "digestStartTime" in value and "logFiles" in value:
            raise DigestError("is a CloudTrail digest file, which holds no events")
        yield from _unwrapped(value, 0)


def _unpacked(path: Path, max_bytes: int) -> bytes:
    """The JSON bytes of a plain or gzip file; which of them is told by its first bytes, not by its name."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            with gzip.GzipFile(fileobj=raw) if packed else raw as file:
                data: bytes = file.read(max_bytes + 1)
    except EOFError:
        raise UnreadableError("is a gzip file that is cut off; copy it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableError(f"is a damaged gzip file ({error}); copy it again") from None
    except OSError as error:
        raise UnreadableError(f"cannot be read ({error.strerror or error}); check the path and permissions") from None
    if len(data) > max_bytes:
        raise UnreadableError(f"holds more than {max_bytes >> 20} MiB of JSON; split it into smaller files")
    return _json_bytes(data)


def _json_bytes(data: bytes) -> bytes:
    data = data.removeprefix(b"\xef\xbb\xbf").strip()
    if not data:
        raise UnreadableError("is empty; copy it again or leave it out")
    if data.startswith(b"PAR1"):
        raise UnreadableError("is already Parquet; give it to `build` as it is")
    if data[:1] not in b"{[":
        raise UnreadableError("is neither JSON nor gzip of JSON; leave it out")
    return data


_DECODER = json.JSONDecoder()


def _values(text: str, error: orjson.JSONDecodeError) -> Iterator[Any]:
    """The JSON values that stand one after another in a text; a line that is none is `Unparsed`."""
    at, found = 0, False
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end].strip()
        if not line:
            at = end + 1
            continue
        try:
            value, at = _value(text, at, end, line)
        except (ValueError, RecursionError) as reason:
            if not found:
                raise UnreadableError(f"is not whole JSON ({error}); copy it again or leave it out") from None
            value, at = Unparsed(line, f"is not JSON: {reason}"), end + 1
        found = True
        yield value


def _value(text: str, at: int, end: int, line: str) -> tuple[Any, int]:
    """The value that begins in this line, and where the next one may begin."""
    try:
        return orjson.loads(line), end + 1
    except orjson.JSONDecodeError:
        # Several values in a line, one value over several lines, or half of a surrogate pair in a text.
        start = at + len(text[at:end]) - len(text[at:end].lstrip())
        value, after = _DECODER.raw_decode(text, start)
        return _plain(value), after


def _plain(value: Any) -> Any:
    """The value with text that is Unicode and numbers that fit; what the stricter parser would have given."""
    text = json.dumps(value, ensure_ascii=False)
    return orjson.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


# The key that holds what is wrapped, and, for a list of wrappers, the key of each of them.
_ENVELOPES: Mapping[str, str | None] = {
    "Records": None,
    "detail": None,
    "logEvents": "message",
    "events": "message",
    "Events": "CloudTrailEvent",
}
_DEEPEST = 4  # a CloudWatch Logs export of EventBridge events in an array needs three


def _unwrapped(value: Any, depth: int) -> Iterator[Any]:
    inner = _inside(value) if depth < _DEEPEST else None
    if inner is None:
        yield value
        return
    for one in inner:
        yield from _unwrapped(one, depth + 1)


def _inside(value: Any) -> list[Any] | None:
    """What an envelope holds, or None for a value that is no envelope."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or "eventSource" in value:
        return None
    for key, text_key in _ENVELOPES.items():
        held = value.get(key)
        if isinstance(held, list):
            return [_message(one, text_key) for one in held]
        if isinstance(held, dict) and text_key is None:
            return [held]
    return None


def _message(wrapper: Any, text_key: str | None) -> Any:
    text = wrapper.get(text_key) if text_key and isinstance(wrapper, dict) else None
    if not isinstance(text, str):
        return wrapper
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        return Unparsed(text, f"`{text_key}` is not JSON: {error}")
