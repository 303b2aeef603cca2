"""Commands that write: the sample organisation, Parquet from raw logs, a build."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.commands.common import Report, StoreOption, fail, progress, store_folder

if TYPE_CHECKING:
    from analytics.sources.convert import ConvertReport


def demo(
    store: StoreOption = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another organisation of the same shape.")] = 7,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of the events [default: today, UTC].")
    ] = None,
) -> None:
    """Write the sample organisation and build it."""
    from analytics.demo import EARLIER_DAYS, days_until, make_sample

    target = store_folder(store)
    sample = target / "sample"
    last_day = until.date() if until else _today()
    with progress() as report:
        report("Writing the sample organisation", 0, 1)
        make_sample(sample, seed=seed, until=last_day)
        report("Building the state of a month before", 0, 1)
        before = [str(day) for day in days_until(sample / "events", last_day - timedelta(days=EARLIER_DAYS))]
        _build(before, sample / "snapshot-earlier", target, None, report)
        build_id = _build([str(sample / "events")], sample / "snapshot", target, None, report)
    typer.echo(f"The sample organisation is built as {build_id} in {target}.", err=True)


def convert(
    sources: Annotated[list[str], typer.Argument(metavar="SRC...", help="Raw CloudTrail: files, folders or globs.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the Parquet files.")],
    workers: Annotated[int | None, typer.Option(min=1, help="Processes [default: one for each core].")] = None,
) -> None:
    """Turn raw CloudTrail .json and .json.gz files into Parquet, partitioned by date."""
    from analytics.sources.convert import convert as convert_files

    with progress() as report:
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
    with progress() as report:
        build_id = _build(events, snapshot, store_folder(store), window, report)
    typer.echo(f"Build {build_id} is published in {store_folder(store)}.", err=True)


def _build(events: list[str], snapshot: Path | None, store: Path, window: int | None, report: Report) -> str:
    from dataclasses import replace

    from analytics.build import build_store
    from analytics.settings import read_settings
    from analytics.store import Store

    settings = read_settings(store)
    if window is not None:
        settings = replace(settings, window_days=window)
    return build_store(events, snapshot, Store(store), settings=settings, now=datetime.now(UTC), progress=report)


def _today() -> date:
    return datetime.now(UTC).date()
