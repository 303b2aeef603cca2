"""CloudTrail Parquet as one view of events: find the files, look at their footers, write the SELECT.

INVARIANT: a file that cannot be read is a `SourceFile` with a problem, never an exception and never silence.
Hive partition columns are ignored: every canonical column is in the records themselves, so folder names such as
`region=` can neither shadow nor contradict them.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.sources.columns import COLUMNS, RELATION, Expression, expression, literal, quoted
from analytics.sources.footers import NOTHING_TOLD, Told, exact, statistics
from analytics.sources.layouts import Recognition, Schema, recognise, schema_of

SOURCE_FILE = "source_file"
CANONICAL: tuple[str, ...] = (*(column.name for column in COLUMNS), SOURCE_FILE)
"""The names of the canonical columns, in order."""


class SourceError(ValueError):
    """A path that was asked for and leads to no file at all."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """What the footer of one Parquet file says; with a `problem` it is not read."""

    path: str
    layout: str | None = None  # A, B or D of docs/EVENTS.md
    rows: int = 0
    uncompressed_bytes: int = 0
    schema_key: str = ""  # equal for files that can be read together
    problem: str | None = None  # one sentence without the path: what is wrong and what to do
    rejected: int = 0  # of a file that is not read: records known to be in it, and left out
    schema: Schema = field(default=(), repr=False)
    filled: bool = False  # no text that the canonical columns read is empty
    span: tuple[datetime, datetime] | None = None  # first and last event, naive UTC, where statistics tell


def discover(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Files from files, folders (searched whole) and globs: sorted, each once.

    Names that begin with `_` or `.` inside a folder are left out, as Hive, Spark and Athena do with their own notes.
    Raises SourceError for a path that leads to no file.
    """
    found: dict[str, str] = {}
    for given in paths:
        path = os.fspath(given)
        files = list(_expand(path))
        if not files:
            raise SourceError(_nothing_at(path))
        for name in files:
            found.setdefault(os.path.realpath(name), os.path.normpath(name))
    return sorted(found.values())


def _nothing_at(path: str) -> str:
    if "://" in path:
        return f"`{path}` is a URL, which is not read; copy the files to a local folder and name that"
    if Path(path).is_dir():
        return f"folder `{path}` holds no files; name the folder that holds the logs"
    return f"`{path}` matches no file; check the spelling, and quote a pattern such as '*.parquet'"


def _expand(path: str) -> Iterator[str]:
    matches = [path] if os.path.lexists(path) else sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - a pattern may be absolute
    for match in matches:
        if Path(match).is_dir():
            yield from _walk(Path(match), set())
        else:
            yield match


def _walk(folder: Path, seen: set[Path]) -> Iterator[str]:
    real = folder.resolve()
    if real in seen:  # a symbolic link that leads back up
        return
    seen.add(real)
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(("_", ".")):
            continue
        if entry.is_dir():
            yield from _walk(entry, seen)
        else:
            yield str(entry)


def inspect(paths: Iterable[str | os.PathLike[str]]) -> list[SourceFile]:
    """The footer of every file, in the order given; only footers are read."""
    files = [_inspect(os.fspath(path)) for path in paths]
    told = statistics([file.path for file in files if file.problem is None])
    return [_with(file, told.get(file.path, NOTHING_TOLD)) for file in files]


def _with(file: SourceFile, told: Told) -> SourceFile:
    return replace(file, filled=told.filled, span=told.span) if file.problem is None else file


def _inspect(path: str) -> SourceFile:
    try:
        with pq.ParquetFile(path) as file:
            metadata = file.metadata
            known = _known(file.schema_arrow.serialize().to_pybytes())
    except (pa.ArrowException, OSError, ValueError) as error:
        return SourceFile(path, problem=_unreadable(path, error))
    return SourceFile(
        path,
        layout=known.recognised.layout,
        rows=metadata.num_rows,
        uncompressed_bytes=sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)),
        schema_key=known.key,
        problem=known.recognised.problem,
        schema=known.schema,
    )


class _Known(NamedTuple):
    recognised: Recognition
    schema: Schema
    key: str


@lru_cache(maxsize=4096)
def _known(arrow: bytes) -> _Known:
    """What a schema, as Arrow writes it, means: thousands of files have the same few."""
    schema = schema_of(pa.ipc.read_schema(pa.py_buffer(arrow)))
    text = "\n".join(f"{one.sql}\t{one.whole}" for one in _expressions(schema, frozenset(CANONICAL)))
    return _Known(recognise(schema), schema, hashlib.sha256(text.encode()).hexdigest()[:16])


# What a file that is no Parquet begins with, and what to say of it.
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "is a gzip file and not Parquet; raw CloudTrail logs go through `convert` first"),
    (b"{", "is JSON and not Parquet; raw CloudTrail logs go through `convert` first"),
    (b"[", "is JSON and not Parquet; raw CloudTrail logs go through `convert` first"),
    (b"PARE", "is an encrypted Parquet file; decrypt it first"),
    (b"PAR1", "is a Parquet file that is cut off or damaged: its footer cannot be read; copy it again"),
    (b"ORC", "is an ORC file; write the table as Parquet"),
    (b"Obj\x01", "is an Avro file; write the table as Parquet"),
)


def _unreadable(path: str, error: Exception) -> str:
    try:
        with Path(path).open("rb") as file:
            start = file.read(4)
    except OSError as unopened:
        return f"cannot be opened ({unopened.strerror or unopened}); check the path and its permissions"
    if not start:
        return "is empty (0 bytes); copy it again or leave it out"
    for beginning, sentence in _BEGINNINGS:
        if start.startswith(beginning):
            return sentence
    return f"is not a Parquet file ({_first_line(str(error))}); leave it out"


def _first_line(message: str) -> str:
    line = message.strip().split("\n", maxsplit=1)[0].rstrip(".")[:200]
    return "".join(char if char.isprintable() else "?" for char in line)


def _expressions(schema: Schema, wanted: frozenset[str], *, filled: bool = False) -> tuple[Expression, ...]:
    return tuple(expression(column, schema, filled=filled) for column in COLUMNS if column.name in wanted)


def events_select(files: Sequence[SourceFile], columns: Iterable[str] | None = None) -> str:
    """The SELECT that gives the canonical columns of all files without a problem.

    Files that need the same expressions share one `read_parquet`. Name the `columns` that are wanted (default: all,
    `CANONICAL`): files whose other columns conflict then still share one. No readable file gives a SELECT of no rows.
    """
    wanted = frozenset(CANONICAL if columns is None else columns)
    if unknown := sorted(wanted - set(CANONICAL)):
        raise ValueError(f"no canonical column {', '.join(f'`{name}`' for name in unknown)}; see docs/EVENTS.md")
    groups: dict[tuple[Expression, ...], list[str]] = {}
    by_kind: dict[tuple[Schema, bool], tuple[Expression, ...]] = {}
    for file in files:
        if file.problem is None:
            kind = (file.schema, file.filled)
            if kind not in by_kind:
                by_kind[kind] = _expressions(file.schema, wanted, filled=file.filled)
            groups.setdefault(by_kind[kind], []).append(file.path)
    if not groups:
        return _no_rows(wanted)
    return "\nUNION ALL BY NAME\n".join(_select(ones, paths, wanted) for ones, paths in groups.items())


def _select(expressions: tuple[Expression, ...], paths: Sequence[str], wanted: frozenset[str]) -> str:
    lines = [f"{one.sql} AS {quoted(one.column.name)}" for one in expressions]
    if SOURCE_FILE in wanted:
        lines.append(f"{RELATION}.{quoted(_FILE)} AS {SOURCE_FILE}")
    files = ", ".join(literal(exact(path)) for path in paths)
    options = f"hive_partitioning = false, union_by_name = false, filename = {literal(_FILE)}"
    return f"SELECT {', '.join(lines)}\nFROM read_parquet([{files}], {options}) AS {RELATION}"


_FILE = "headroom source file"  # a name that no export has


def _no_rows(wanted: frozenset[str]) -> str:
    types = {column.name: column.type for column in COLUMNS} | {SOURCE_FILE: "VARCHAR"}
    empty = ", ".join(f"CAST(NULL AS {types[name]}) AS {quoted(name)}" for name in CANONICAL if name in wanted)
    return f"SELECT {empty} WHERE false"


def verified(files: Iterable[SourceFile], columns: Iterable[str] | None = None) -> list[SourceFile]:
    """The same files, those whose data cannot be read now with a problem: for when a SELECT over several has failed.

    Reads every value of the columns, each file by itself, in a database of its own.
    """
    wanted = tuple(CANONICAL if columns is None else columns)
    return [_verify(file, wanted) for file in files]


def _verify(file: SourceFile, wanted: tuple[str, ...]) -> SourceFile:
    if file.problem is not None:
        return file
    query = f"SELECT bit_xor(hash({', '.join(wanted)})) FROM ({events_select([file], wanted)})"
    try:
        with duckdb.connect() as con:
            con.execute(query).fetchall()
    except duckdb.Error as error:
        reason = _first_line(str(error).replace(file.path, "it"))
        return replace(file, problem=f"is a damaged Parquet file ({reason}); copy it again")
    return file
