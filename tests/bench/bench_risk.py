"""Trust, risk and what would lower it, of a large organisation, after reach and escalation.

    python -m tests.bench.bench_risk --roles 30000
    python -m tests.bench.bench_risk --roles 30000 --every 15

Builds the snapshot of `make_estate.py` with a day of generated events up to the grants (kept in `bench-data/`), then
takes each part alone. Seconds of processor time; the findings run on one core. `--every` takes each n-th identity
only, in the estate of all: escalation, which the others need, costs most. What is made once is then paid by fewer.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from analytics import build as pipeline
from analytics.findings.assess import Assessor
from analytics.findings.escalation.escalations import Escalations
from analytics.findings.lowering.changes import Lowering
from analytics.findings.trust.parties import trusted_parties
from analytics.outputs.estate import read_estate
from analytics.settings import Settings
from analytics.store import Store
from tests.bench.bench_usage import BENCH_DATA, events

LATER = {"escalation", "risk", "guardrails", "remediation"}  # modules of the steps that are not needed here
EVENTS = 111_111


def store_of(roles: int) -> Store:
    """A build without findings, made once."""
    store = Store(BENCH_DATA / f"risk-{roles}")
    if store.current() is None:
        snapshot = BENCH_DATA / f"estate-{roles}"
        command = [sys.executable, "-m", "tests.bench.make_estate", "--out", str(snapshot), "--roles", str(roles)]
        subprocess.run(command, check=True)
        kept = tuple(step for step in pipeline.STEPS if step[1].__module__.rpartition(".")[2] not in LATER)
        pipeline.STEPS = tuple(step for step in kept if step[1].__name__ != "keep_history")
        pipeline.build_store(
            [str(events(BENCH_DATA, EVENTS, roles))],
            snapshot,
            store,
            settings=Settings(),
            now=datetime(2026, 11, 21, tzinfo=UTC),
        )
    return store


def seconds(what: Callable[[], object]) -> float:
    start = time.process_time()
    what()
    return time.process_time() - start


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(store: Store, every: int) -> None:
    """One row per part."""
    with store.connect() as con:
        estate = read_estate(con)
    people = list(estate.subjects.values())[::every]
    escalations = Escalations(estate)
    assessor = Assessor(estate, escalations=escalations)
    lowering = Lowering(assessor)
    parts: tuple[tuple[str, Callable[[], object]], ...] = (
        ("escalation paths (before)", lambda: [escalations.of(one) for one in people]),
        ("trust alone", lambda: [trusted_parties(one, estate) for one in people]),
        ("score, with trust", lambda: [assessor.of(one.arn) for one in people]),
        ("confidence", lambda: [assessor.confidence(one) for one in people]),
        ("what would lower it", lambda: [lowering.of(one.arn) for one in people]),
    )
    print(f"| {len(people):,} identities | seconds | µs each | peak MiB |")
    print("|---|---|---|---|")
    for name, part in parts:
        took = seconds(part)
        print(f"| {name} | {took:.2f} | {took / len(people) * 1e6:,.0f} | {peak():,.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--roles", type=int, default=3000)
    parser.add_argument("--every", type=int, default=1, help="take each n-th identity only")
    asked = parser.parse_args()
    measure(store_of(asked.roles), asked.every)


if __name__ == "__main__":
    main()
