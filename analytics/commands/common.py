"""What every command shares: its options, its errors, its progress, and how a document is printed.

Exit status: 0 done, 1 a check failed, 2 bad input or usage, with one sentence on stderr. With `--json` there is one
document on stdout and nothing else. Heavy modules are imported by what needs them, so that `--help` is instant.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

StoreOption = Annotated[
    Path | None, typer.Option("--store", help="Folder of the builds [default: HEADROOM_STORE or data/local].")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="CSV on stdout.")]
STDOUT = Path("-")
Report = Callable[[str, int, int], None]  # what is being done, how much of it is done, how much there is


def fail(sentence: str) -> NoReturn:
    """Bad input or usage."""
    typer.echo(f"headroom: {sentence}", err=True)
    raise SystemExit(2)


def store_folder(given: Path | None) -> Path:
    """The store of the option, of `HEADROOM_STORE`, or the default one."""
    from analytics.settings import default_store

    return given or default_store()


@contextmanager
def opened(store: Path | None) -> Iterator[DuckDBPyConnection]:
    """A read-only connection to the build in use."""
    from analytics.store import Store

    con = Store(store_folder(store)).connect()
    try:
        yield con
    finally:
        con.close()


def show_document(
    store: Path | None,
    document: Callable[[DuckDBPyConnection], dict[str, Any]],
    rows: str,
    *,
    json: bool,
    csv: bool,
    columns: Sequence[str] = (),
    before: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Print a document: as JSON, its main list as CSV, or as a table for a person (of these columns, if any).

    `before`: other lists that a person reads first, with their columns.
    """
    from analytics.outputs import printing

    if json and csv:
        fail("`--json` and `--csv` cannot both be given; choose one")
    with opened(store) as con:
        content = document(con)
    if json:
        printing.as_json(content)
    elif csv:
        printing.as_csv(content[rows])
    else:
        printing.as_table(content, rows, columns, before=before)


def write_whole(out: Path | None, data: bytes) -> None:
    """A whole file or none: it is written beside its place and moved there. Without a path, or `-`: to stdout."""
    if out is None or out == STDOUT:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    partial = out.with_name(f".{out.name}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def progress() -> Iterator[Report]:
    """A progress bar on a terminal; elsewhere one plain line on stderr for each new thing that is done."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        said: set[str] = set()

        def line(what: str, _done: int, _total: int) -> None:
            if what not in said:
                said.add(what)
                typer.echo(f"{what} ...", err=True)

        yield line
        return
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task("", total=1)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=max(total, 1))
