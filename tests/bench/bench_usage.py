"""From events to tables: each stage against DuckDB merely scanning the columns that it reads (max, and count).

The roll-up reads LEAVES. The events whose parameters matter (who became whom, changes of policies) need MORE_LEAVES
too, of which the request parameters alone are larger than all others: what reads them stands against both scans.

    python -m tests.bench.bench_usage --rows 1000000 --rows 10000000

Every stage is a process of its own, several runs each, in turn with the scan; figures are medians, ratios are against
the scan of the same round, of seconds and, steadier on a busy machine, of processor time. Events come from
gen_cloudtrail.py and are kept in `bench-data/`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import duckdb

from analytics import build as pipeline
from analytics.build import build_store
from analytics.settings import Settings
from analytics.sources import loads
from analytics.sources.cloudtrail import discover, events_select, inspect
from analytics.sources.loads import ROLLUP_COLUMNS
from analytics.sources.usage import ingest, open_work
from analytics.sql import read_sql
from analytics.store import Store

BENCH_DATA = Path(__file__).parents[2] / "bench-data"
LEAVES = (
    "eventtime", "eventsource", "eventname", "eventtype", "awsregion", "errorcode", "readonly", "recipientaccountid",
    "sharedeventid", "useridentity.type", "useridentity.principalid", "useridentity.arn", "useridentity.accountid",
    "useridentity.username", "useridentity.invokedby", "useridentity.sessioncontext.sessionissuer.arn",
    "useridentity.sessioncontext.sessionissuer.accountid",
)  # fmt: skip
MORE_LEAVES = ("eventid", "errormessage", "sourceipaddress", "requestparameters")
EVENTS_A_DAY = 111_111  # of every size alike, so that groups are as dense in one as in the other
STAGES = ("count", "scan", "scan_all", "query", "persisted", "ingested", "tables", "build")
BASES = ("scan", "scan_all", "count")
# The steps that make tables of the events alone: not those on what identities may do.
OF_EVENTS = (
    *("Finding the window", "Counting calls once", "Naming the callers", "Resolving events to actions"),
    *("Weighing actions", "Counting use", "Effective permissions", "Measuring coverage", "Listing identities"),
    *("Finding who became whom", "Finding changes of policies", "Checking the data"),
)  # "Effective permissions" of no snapshot is an empty table that "Listing identities" reads


def events(data: Path, rows: int, roles: int) -> Path:
    """A folder of generated events; dense, as real estates are: few roles, many calls each."""
    folder = data / f"events-{rows}-{roles}"
    if not (folder / "_done").exists():
        print(f"generating {rows:,} events in {folder} ...", file=sys.stderr)
        days = str(max(1, rows // EVENTS_A_DAY))
        command = [sys.executable, "-m", "tests.bench.gen_cloudtrail", "--rows", str(rows), "--days", days]
        subprocess.run([*command, "--roles", str(roles), "--workers", "2", "--out", str(folder)], check=True)
        (folder / "_done").touch()
    return folder


def count(folder: Path, _scratch: Path) -> None:
    """Count the values of every leaf column that the roll-up reads: no value is decoded."""
    _aggregate("count", folder, LEAVES)


def scan(folder: Path, _scratch: Path) -> None:
    """The limit: read every value of those columns (max)."""
    _aggregate("max", folder, LEAVES)


def scan_all(folder: Path, _scratch: Path) -> None:
    """The limit of a stage that reads the parameters too."""
    _aggregate("max", folder, (*LEAVES, *MORE_LEAVES))


def _aggregate(function: str, folder: Path, leaves: tuple[str, ...]) -> None:
    values = ", ".join(f"{function}({leaf})" for leaf in leaves)
    duckdb.connect().execute(f"select {values} from read_parquet('{folder}/**/*.parquet')").fetchall()


def query(folder: Path, _scratch: Path) -> None:
    """The roll-up as one query, not persisted."""
    con = duckdb.connect()
    con.execute("set preserve_insertion_order = false")
    con.execute(read_sql("principal_ref"))
    con.execute(f"create temp view events as {events_select(inspect(discover([str(folder)])), ROLLUP_COLUMNS)}")
    con.execute(f"create temp table rollup as {read_sql('rollup')}")


def persisted(folder: Path, scratch: Path) -> None:
    """The roll-up, shared events included, and the manifest, in batches: no event's parameters are read."""
    loads.read_sql = lambda name: f"{read_sql(name)} and false" if name == "trust_event" else read_sql(name)
    ingested(folder, scratch)


def ingested(folder: Path, scratch: Path) -> None:
    """All that is kept of events, in batches."""
    settings = Settings()
    con = open_work(scratch / "work.duckdb", memory_limit=settings.memory_limit)
    ingest(con, inspect(discover([str(folder)])), batch_rows=settings.batch_rows)
    con.close()


def tables(folder: Path, scratch: Path) -> None:
    """All tables that are made from events, published."""
    pipeline.STEPS = tuple(step for step in pipeline.STEPS if step[0] in OF_EVENTS)
    assert len(pipeline.STEPS) == len(OF_EVENTS)
    build(folder, scratch)


def build(folder: Path, scratch: Path) -> None:
    """Every step, without a snapshot, published."""
    build_store([str(folder)], None, Store(scratch), settings=Settings(), now=datetime.now(UTC))


def measure(stage: str, folder: Path) -> dict[str, float]:
    """One run of a stage in a process of its own: seconds of the stage alone, peak memory of the process."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        command = [sys.executable, "-m", "tests.bench.bench_usage", "--stage", stage, str(folder), scratch]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run_stage(stage: str, folder: Path, scratch: Path) -> None:
    """Print the figures of one run as JSON."""
    start, used = time.perf_counter(), time.process_time()
    globals()[stage](folder, scratch)
    seconds, cpu = time.perf_counter() - start, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mib": peak}))


def main() -> None:
    """Print a table a size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, action="append", help="events to generate; may be repeated")
    parser.add_argument("--roles", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--data", type=Path, default=BENCH_DATA, help="where generated events are kept")
    parser.add_argument("--stage", nargs=3, metavar=("STAGE", "EVENTS", "SCRATCH"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        stage, folder, scratch = given.stage
        run_stage(stage, Path(folder), Path(scratch))
        return
    given.data.mkdir(exist_ok=True)
    for rows in given.rows or [1_000_000]:
        folder = events(given.data, rows, given.roles)
        rounds = [{stage: measure(stage, folder) for stage in STAGES} for _ in range(given.runs)]
        print(f"\n{rows:,} events, {given.roles:,} roles, median of {given.runs}\n")
        print(
            "| stage | seconds | processor | × scan | × scan_all | × count | processor × scan | × scan_all | peak MiB |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        for stage in STAGES:
            seconds, cpu = (median(one[stage][figure] for one in rounds) for figure in ("seconds", "cpu"))
            wall = [_ratio(rounds, stage, base, "seconds") for base in BASES]
            own = [_ratio(rounds, stage, base, "cpu") for base in BASES[:2]]
            ratios = " | ".join(f"{ratio:.2f}" for ratio in (*wall, *own))
            peak = max(one[stage]["peak_mib"] for one in rounds)
            print(f"| {stage} | {seconds:.2f} | {cpu:.2f} | {ratios} | {peak:,.0f} |")


def _ratio(rounds: list[dict[str, dict[str, float]]], stage: str, base: str, figure: str) -> float:
    return median(one[stage][figure] / one[base][figure] for one in rounds)


if __name__ == "__main__":
    main()
