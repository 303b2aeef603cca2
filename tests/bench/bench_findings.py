"""What findings cost over a large organisation: seconds and memory, at three sizes in one run.

    python -m tests.bench.bench_findings [--roles 30000]

Prints the section "Findings" of docs/PERFORMANCE.md. Each size is one organisation of `make_estate.py`, built up to
the tables that findings read; each stage runs in a process of its own, without the collector of cycles as in a build.
Seconds are processor time of one core.
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
from typing import TYPE_CHECKING
from unittest import mock

import analytics.build
from analytics.findings.escalation.escalations import Escalations
from analytics.outputs.estate import read_estate
from analytics.settings import Settings
from analytics.sources.collector import uncollected
from analytics.store import Store
from tests.bench import make_estate

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.findings.estate import Estate

ROLES_PER_ACCOUNT, ROLES_PER_POLICY = 75, 5
BEFORE_FINDINGS = "Finding escalation paths"  # the first step that is measured here, and not built


def find_paths(estate: Estate) -> int:
    """Every path of every identity; the number of paths."""
    found = Escalations(estate)
    return sum(len(found.of(subject)) for subject in estate.subjects.values())


def find_routes(estate: Estate) -> int:
    """Paths, and the shortest way of each identity to an administrator; the number of steps."""
    found = Escalations(estate)
    return sum(len(found.route(arn)) for arn in estate.subjects)


STAGES: tuple[tuple[str, str, Callable[[Estate], int]], ...] = (
    ("escalation paths", "paths", find_paths),
    ("escalation paths and ways to an administrator", "steps", find_routes),
)


def make_store(folder: Path, roles: int) -> None:
    """A build of so many roles with everything that findings read, and a day of events."""
    accounts = max(1, roles // ROLES_PER_ACCOUNT)
    estate = make_estate.Estate(accounts, roles, max(1, roles // ROLES_PER_POLICY), 5, 1)
    make_estate.write(estate, folder / "snapshot")
    generator = [sys.executable, "-m", "tests.bench.gen_cloudtrail", "--rows", "20000", "--days", "1"]
    generator += ["--roles", str(roles), "--accounts", str(accounts), "--out", str(folder / "events")]
    subprocess.run(generator, check=True, stdout=subprocess.DEVNULL)
    names = [name for name, _step in analytics.build.STEPS]
    steps = analytics.build.STEPS[: names.index(BEFORE_FINDINGS)]
    with mock.patch.object(analytics.build, "STEPS", steps):
        analytics.build.build_store(
            [str(folder / "events")],
            folder / "snapshot",
            Store(folder / "store"),
            settings=Settings(),
            now=datetime(2026, 11, 21, tzinfo=UTC),
        )


def run_stage(folder: Path, number: int) -> None:
    """Print seconds, memory and findings of one stage, for the process that started this one."""
    with Store(folder / "store").connect() as con:
        estate = read_estate(con)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    with uncollected():
        found = STAGES[number][2](estate)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = {"seconds": seconds, "before": before / 1024, "peak": peak / 1024, "found": found}
    print(json.dumps(result | {"identities": len(estate.subjects)}))


def main() -> None:
    """Print one table: a row per size and stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--roles", type=int, default=30_000, help="of the largest size; a half and a quarter beside it")
    parser.add_argument("--stage", nargs=2, metavar=("FOLDER", "NUMBER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        run_stage(Path(given.stage[0]), int(given.stage[1]))
        return
    print("| stage | identities | found | seconds | µs each | peak MiB | of it the estate |")
    print("|---|---|---|---|---|---|---|")
    for roles in (given.roles // 4, given.roles // 2, given.roles):
        with tempfile.TemporaryDirectory() as scratch:
            make_store(Path(scratch), roles)
            for number, (name, noun, _stage) in enumerate(STAGES):
                command = [sys.executable, "-m", "tests.bench.bench_findings", "--stage", scratch, str(number)]
                run = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                each = run["seconds"] / run["identities"] * 1e6
                print(
                    f"| {name} | {run['identities']:,} | {run['found']:,} {noun} | {run['seconds']:.1f} | {each:,.0f} "
                    f"| {run['peak']:,.0f} | {run['before']:,.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
