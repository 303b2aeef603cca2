"""The sample organisation: made, and built.

python -m tests.bench.bench_sample
"""

from __future__ import annotations

import resource
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from analytics.build import build_store
from analytics.demo import make_sample
from analytics.settings import Settings
from analytics.store import Store


def main() -> None:
    """Print seconds for both, and the peak memory of the process."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        start = time.perf_counter()
        make_sample(folder / "sample", seed=7, until=date(2026, 11, 24))
        made = time.perf_counter()
        events = [str(folder / "sample" / "events")]
        build_store(events, folder / "sample" / "snapshot", Store(folder), settings=Settings(), now=datetime.now(UTC))
        built = time.perf_counter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("| what | seconds |\n|---|---|")
    print(f"| writing the sample | {made - start:.1f} |\n| building it | {built - made:.1f} |")
    print(f"\npeak memory {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
