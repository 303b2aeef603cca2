"""`python -m analytics`: one command a line of docs/ARCHITECTURE.md, stable for scripts and pipelines.

Exit status: 0 done, 1 a check failed, 2 bad input or usage, with one sentence on stderr. With `--json` there is one
document on stdout and nothing else. Heavy modules are imported by the commands that need them, so `--help` is instant.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from analytics.sources.convert import ConvertReport

app = typer.Typer(
    help="Headroom: how much more AWS access every identity has than it uses.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StoreOption = Annotated[
    Path | None, typer.Option("--store", help="Folder of the builds [default: HEADROOM_STORE or data/local].")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="CSV on stdout.")]


def main() -> NoReturn:
    """Run a command; an input error becomes one sentence and exit status 2."""
    try:
        app(standalone_mode=True)
    except (ValueError, OSError, RuntimeError) as error:
        if not _is_ours(error):
            raise
        fail(_sentence(error))
    sys.exit(0)


def _is_ours(error: Exception) -> bool:
    """Errors that are sentences for people; anything else is a fault and shows its trace."""
    return type(error).__module__.startswith("analytics.") or isinstance(error, OSError)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"`{error.filename}`: {error.strerror}; check the path, its permissions and the space on the disk"
    return str(error)


def fail(sentence: str) -> NoReturn:
    """Bad input or usage."""
    typer.echo(f"headroom: {sentence}", err=True)
    raise SystemExit(2)


@app.command()
def demo(
    store: StoreOption = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another organisation of the same shape.")] = 7,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of the events [default: today, UTC].")
    ] = None,
) -> None:
    """Write the sample organisation and build it."""
    from analytics.demo import EARLIER_DAYS, days_until, make_sample

    target = _store_folder(store)
    sample = target / "sample"
    last_day = until.date() if until else _today()
    with _progress() as report:
        report("Writing the sample organisation", 0, 1)
        make_sample(sample, seed=seed, until=last_day)
        report("Building the state of a month before", 0, 1)
        before = [str(day) for day in days_until(sample / "events", last_day - timedelta(days=EARLIER_DAYS))]
        _build(before, sample / "snapshot-earlier", target, None, report)
        build_id = _build([str(sample / "events")], sample / "snapshot", target, None, report)
    typer.echo(f"The sample organisation is built as {build_id} in {target}.", err=True)


@app.command()
def convert(
    sources: Annotated[list[str], typer.Argument(metavar="SRC...", help="Raw CloudTrail: files, folders or globs.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the Parquet files.")],
    workers: Annotated[int | None, typer.Option(min=1, help="Processes [default: one for each core].")] = None,
) -> None:
    """Turn raw CloudTrail .json and .json.gz files into Parquet, partitioned by date."""
    from analytics.sources.convert import convert as convert_files

    with _progress() as report:
        result = convert_files(
            sources, out, workers=workers, progress=lambda done, total: report("Converting", done, total)
        )
    for file in result.unreadable:
        typer.echo(f"`{file.path}` {file.reason}", err=True)
    if len(result.unreadable) == len(result.files):
        fail(f"none of the {len(result.files):,} files could be read; give raw CloudTrail logs")
    typer.echo(_converted(result), err=True)


def _converted(result: ConvertReport) -> str:
    """What became of every record, in one sentence."""
    records = f"{result.written:,} of {result.found:,} records from {len(result.files):,} files are converted"
    if not result.rejects:
        return f"{records}."
    return f"{records}; `{result.rejects}` lists what is not ({result.rejected:,} records rejected), and why."


@app.command()
def build(
    events: Annotated[
        list[str], typer.Option("--events", help="CloudTrail Parquet: a file, folder or glob; may be repeated.")
    ],
    snapshot: Annotated[
        Path | None,
        typer.Option(help="Snapshot folder, or one authorization-details file; without it there is usage only."),
    ] = None,
    store: StoreOption = None,
    window: Annotated[
        int | None, typer.Option(min=1, max=3660, help="Days to judge use over, back from the last event.")
    ] = None,
) -> None:
    """Read events and a snapshot, and publish a build."""
    with _progress() as report:
        build_id = _build(events, snapshot, _store_folder(store), window, report)
    typer.echo(f"Build {build_id} is published in {_store_folder(store)}.", err=True)


@app.command()
def health(store: StoreOption = None, json: JsonOption = False, csv: CsvOption = False) -> None:
    """Can the data be trusted: files, rows, rejects, unresolved events, accounts collected."""
    from analytics.outputs import documents

    _show(store, documents.health, "files", json=json, csv=csv)


@app.command()
def identities(store: StoreOption = None, json: JsonOption = False, csv: CsvOption = False) -> None:
    """Every identity in rank order, with what it is granted and what it used."""
    from analytics.outputs import documents

    _show(store, documents.identities, "identities", json=json, csv=csv)


@app.command()
def show(
    arn: Annotated[str, typer.Argument(help="The identity's ARN.")],
    store: StoreOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """One identity: services, and every action with its state and the statement that grants it."""
    from analytics.outputs import documents

    _show(store, lambda con: documents.show(con, arn), "actions", json=json, csv=csv)


@app.command()
def explain(
    arn: Annotated[str, typer.Argument(help="The identity's ARN.")],
    action: Annotated[str, typer.Argument(help="As in a policy: s3:GetObject.")],
    resource: Annotated[str | None, typer.Argument(help="An ARN; without it the answer is for every resource.")] = None,
    store: StoreOption = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Why an identity may or may not do something, layer by layer, with the statements that decide."""
    from analytics.outputs import documents

    _show(store, lambda con: documents.explain(con, arn, action, resource), "layers", json=json, csv=csv)


@app.command()
def simulate(
    file: Annotated[Path | None, typer.Argument(help="Decision cases as JSON lines [default: stdin].")] = None,
) -> None:
    """Decide cases of policy evaluation: JSON lines in, one decision a line out, in the same order."""
    from analytics.engine.simulate import simulate as decide_cases

    failed = False
    with file.open("rb") if file else nullcontext(sys.stdin.buffer) as lines:
        for answer in decide_cases(line for line in lines if line.strip()):
            failed |= answer.failed
            sys.stdout.buffer.write(answer.line + b"\n")
    sys.stdout.buffer.flush()
    if failed:
        raise SystemExit(2)


def _build(
    events: list[str], snapshot: Path | None, store: Path, window: int | None, report: Callable[[str, int, int], None]
) -> str:
    from dataclasses import replace

    from analytics.build import build_store
    from analytics.settings import read_settings
    from analytics.store import Store

    settings = read_settings(store)
    if window is not None:
        settings = replace(settings, window_days=window)
    return build_store(events, snapshot, Store(store), settings=settings, now=datetime.now(UTC), progress=report)


def _show(
    store: Path | None,
    document: Callable[[DuckDBPyConnection], dict[str, Any]],
    rows: str,
    *,
    json: bool,
    csv: bool,
) -> None:
    """Print a document: as JSON, its main list as CSV, or as a table for a person."""
    from analytics.outputs import printing
    from analytics.store import Store

    if json and csv:
        fail("`--json` and `--csv` cannot both be given; choose one")
    con = Store(_store_folder(store)).connect()
    try:
        content = document(con)
    finally:
        con.close()
    if json:
        printing.as_json(content)
    elif csv:
        printing.as_csv(content[rows])
    else:
        printing.as_table(content, rows)


def _store_folder(given: Path | None) -> Path:
    from analytics.settings import default_store

    return given or default_store()


def _today() -> date:
    return datetime.now(UTC).date()


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
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
