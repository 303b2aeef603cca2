"""Every figure of docs/PERFORMANCE.md at its small size; each module alone takes larger ones.

make bench
"""

from __future__ import annotations

import subprocess
import sys

BENCHES = (
    "bench_usage",
    "bench_sample",
    "bench_engine",
    "bench_findings",
    "bench_risk",
    "bench_guardrails",
    "bench_gap_items",
    "bench_export",
    "bench_app",
    "bench_guardrails_page --accounts 400",
)


def main() -> None:
    """Run the benches one after the other; each prints its own tables."""
    for name in BENCHES:
        print(f"\n## {name}\n", flush=True)
        module, *arguments = name.split()
        subprocess.run([sys.executable, "-m", f"tests.bench.{module}", *arguments], check=True)


if __name__ == "__main__":
    main()
