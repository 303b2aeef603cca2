"""From events to tables: each stage against DuckDB merely scanning the columns that it reads (max, and count).

    python -m tests.bench.bench_usage --rows 1000000 --rows 10000000

Every stage is a process of its own, several runs each, in turn with the scan; figures are medians, ratios are against
the scan of the same round. Events come from gen_cloudtrail.py and are kept in `bench-data/`.
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

from analytics.build import build_store
from analytics.settings import Settings
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
EVENTS_A_DAY = 111_111  # of every size alike, so that groups are as dense in one as in the other
STAGES = ("count", "scan", "query", "persisted", "build")


def events(rows: int, roles: int) -> Path:
    """A folder of generated events; dense, as real estates are: few roles, many calls each."""
    folder = BENCH_DATA / f"events-{rows}-{roles}"
    if not (folder / "_done").exists():
        print(f"generating {rows:,} events in {folder} ...", file=sys.stderr)
        days = str(max(1, rows // EVENTS_A_DAY))
        command = [sys.executable, "-m", "tests.bench.gen_cloudtrail", "--rows", str(rows), "--days", days]
        subprocess.run([*command, "--roles", str(roles), "--workers", "2", "--out", str(folder)], check=True)
        (folder / "_done").touch()
    return folder


def count(folder: Path, _scratch: Path) -> None:
    """Count the values of every leaf column that the roll-up reads: no value is decoded."""
    _aggregate("count", folder)


def scan(folder: Path, _scratch: Path) -> None:
    """The limit: read every value of those columns (max)."""
    _aggregate("max", folder)


def _aggregate(function: str, folder: Path) -> None:
    values = ", ".join(f"{function}({leaf})" for leaf in LEAVES)
    duckdb.connect().execute(f"select {values} from read_parquet('{folder}/**/*.parquet')").fetchall()


def query(folder: Path, _scratch: Path) -> None:
    """The roll-up as one query, not persisted."""
    con = duckdb.connect()
    con.execute("set preserve_insertion_order = false")
    con.execute(read_sql("principal_ref"))
    con.execute(f"create temp view events as {events_select(inspect(discover([str(folder)])), ROLLUP_COLUMNS)}")
    con.execute(f"create temp table rollup as {read_sql('rollup')}")


def persisted(folder: Path, scratch: Path) -> None:
    """The roll-up, the shared events and the manifest, in batches, one transaction each."""
    settings = Settings()
    con = open_work(scratch / "work.duckdb", memory_limit=settings.memory_limit)
    ingest(con, inspect(discover([str(folder)])), batch_rows=settings.batch_rows)
    con.close()


def build(folder: Path, scratch: Path) -> None:
    """Everything that is made from events, published."""
    build_store([str(folder)], None, Store(scratch), settings=Settings(), now=datetime.now(UTC))


def measure(stage: str, folder: Path) -> dict[str, float]:
    """One run of a stage in a process of its own: seconds of the stage alone, peak memory of the process."""
    with tempfile.TemporaryDirectory(dir=BENCH_DATA) as scratch:
        command = [sys.executable, "-m", "tests.bench.bench_usage", "--stage", stage, str(folder), scratch]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run_stage(stage: str, folder: Path, scratch: Path) -> None:
    """Print the figures of one run as JSON."""
    start = time.perf_counter()
    globals()[stage](folder, scratch)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak}))


def main() -> None:
    """Print a table a size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, action="append", help="events to generate; may be repeated")
    parser.add_argument("--roles", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--stage", nargs=3, metavar=("STAGE", "EVENTS", "SCRATCH"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        stage, folder, scratch = given.stage
        run_stage(stage, Path(folder), Path(scratch))
        return
    BENCH_DATA.mkdir(exist_ok=True)
    for rows in given.rows or [1_000_000]:
        folder = events(rows, given.roles)
        rounds = [{stage: measure(stage, folder) for stage in STAGES} for _ in range(given.runs)]
        print(f"\n{rows:,} events, {given.roles:,} roles, median of {given.runs}\n")
        print("| stage | seconds | × scan | × count | peak MiB |\n|---|---|---|---|---|")
        for stage in STAGES:
            seconds = median(one[stage]["seconds"] for one in rounds)
            ratios = [
                median(one[stage]["seconds"] / one[base]["seconds"] for one in rounds) for base in ("scan", "count")
            ]
            peak = max(one[stage]["peak_mib"] for one in rounds)
            print(f"| {stage} | {seconds:.2f} | {ratios[0]:.2f} | {ratios[1]:.2f} | {peak:,.0f} |")


if __name__ == "__main__":
    main()
