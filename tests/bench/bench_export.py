"""The remediation list of a large organisation: made, and saved as a file.

python -m tests.bench.bench_export [--identities 30000] [--items 30000]

The identities are those of `tests/bench/estate.py`, with use drawn from what each may do. The files hold the list of
the store (HEADROOM_STORE or data/local), repeated to the number asked for. Ratios are to writing the same rows with the
csv module of Python.
"""

from __future__ import annotations

import argparse
import csv
import gc
import io
import random
import resource
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime

import pandas as pd

from analytics.engine.reach import Reachable
from analytics.findings.assess import Assessor
from analytics.findings.estate import Subject
from analytics.findings.gap import Coverage
from analytics.findings.observed import Profiles
from analytics.findings.remediation.items import remediation
from analytics.findings.remediation.values import Surroundings
from analytics.iam.catalogue import bit_numbers, load_catalogue
from analytics.outputs.export import Format, Provenance, export
from analytics.outputs.queries import Filters, build_info
from analytics.outputs.views import view_rows
from analytics.settings import default_store
from analytics.store import Store
from tests.bench.estate import EstateSize, make_stacks
from tests.estates import estate, trusts

LAMBDA = trusts("lambda.amazonaws.com")
ORIGIN = Provenance("remediation", "20261122T060000-0a1b2c", "2026-08-25 to 2026-11-22 (90 days)", "none", "c", "w")
CREATED, LAST_USED = datetime(2024, 3, 1), datetime(2026, 11, 21)  # noqa: DTZ001  naive UTC, as all times of a build


def subjects(identities: int) -> list[Subject]:
    """Roles that used a fifth of what they hold, a tenth of them nothing at all."""
    catalogue, rng = load_catalogue(), random.Random(7)
    reachable, profiles = Reachable(catalogue), Profiles(catalogue)
    shown = profiles.masks[profiles.number(Coverage(True, True, True, frozenset()))]
    found = []
    for stack in make_stacks(catalogue, EstateSize(principals=identities, policies=max(100, identities // 5))):
        who = stack.principal
        stack = replace(stack, identity=tuple(replace(one, attached_to=who.arn) for one in stack.identity))  # noqa: PLW2901
        reach = reachable.of(stack)
        held = list(bit_numbers(reach.maybe))
        used = [] if rng.random() < 0.1 else rng.sample(held, min(len(held) // 5, 40))
        mask = sum(1 << number for number in used)
        found.append(
            Subject(
                who.arn, who.arn.rpartition("/")[2], who.kind, who.account_id, "/", None, None, stack, reach, LAMBDA,
                seen=mask, observable=shown, created=CREATED, last_used=LAST_USED if used else CREATED,
                calls=len(used),
            )
        )  # fmt: skip
    return found


def main() -> None:
    """Print processor seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identities", type=int, default=500)
    parser.add_argument("--items", type=int, default=30_000)
    asked = parser.parse_args()
    whole = estate(*subjects(asked.identities))
    assessor = Assessor(whole)
    start = time.process_time()
    for arn in whole.subjects:
        assessor.of(arn)
    scored = time.process_time()
    items = remediation(assessor, whole, Surroundings())
    listed = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in Counter(one.kind for one in items).most_common())
    print("| what | seconds | ms each |\n|---|---|---|")
    for what, seconds in (("scoring", scored - start), ("the list, after scoring", listed - scored)):
        print(f"| {what}, {asked.identities:,} identities | {seconds:.1f} | {1000 * seconds / asked.identities:.2f} |")
    print(f"\n{len(items):,} items ({kinds}); peak memory {peak:,.0f} MiB\n")
    with Store(default_store()).connect() as con:
        files(view_rows(con, "remediation", Filters(build_info(con).window_days)), asked.items)


def files(rows: pd.DataFrame, count: int) -> None:
    """Each format once."""
    rows = pd.concat([rows] * (count // len(rows) + 1), ignore_index=True)[:count]
    base = _seconds(lambda: _plain_csv(rows))
    print(f"| {count:,} items as | seconds | × csv module | MiB |\n|---|---|---|---|")
    for file_format in Format:
        data: list[bytes] = []
        seconds = _seconds(lambda kind=file_format, made=data: made.append(export(rows, kind, ORIGIN)))
        print(f"| {file_format} | {seconds:.1f} | {seconds / base:.1f} | {len(data[-1]) / 2**20:.1f} |")


def _plain_csv(rows: pd.DataFrame) -> None:
    csv.writer(io.StringIO()).writerows(rows.itertuples(index=False))


def _seconds(work) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
