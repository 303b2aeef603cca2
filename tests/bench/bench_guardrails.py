"""How long the whole guardrail matrix of a large organisation takes, and how much of it is shared work.

    python tests/bench/make_estate.py --out /tmp/estate --roles 30000 --accounts 400
    python tests/bench/bench_guardrails.py /tmp/estate

Prints processor seconds and peak memory: without identities, with all of them, and the slow way (every target with a
matrix of its own, nothing shared), of which a sample is timed.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))  # so that the file also runs by its path

from analytics.engine.reach import Reachable  # noqa: E402 the path comes first
from analytics.findings.estate import POLICY_TYPES, AccountFacts, Estate, NodeFacts, Subject  # noqa: E402 as above
from analytics.findings.guardrails.matrix import Guardrails, GuardrailSettings  # noqa: E402 as above
from analytics.findings.guardrails.scenarios import load_scenarios  # noqa: E402 as above
from analytics.findings.weights import action_weights  # noqa: E402 as above
from analytics.iam.catalogue import load_catalogue  # noqa: E402 as above
from analytics.sources.snapshot import read_snapshot  # noqa: E402 as above

if TYPE_CHECKING:
    from analytics.sources.snapshot import Snapshot

SAMPLE = 20  # targets of the slow way


def estate_of(snapshot: Snapshot, *, identities: bool) -> Estate:
    """What a build would read back, without events."""
    catalogue = load_catalogue()
    reachable = Reachable(catalogue)
    organization = snapshot.organization
    assert organization is not None
    nodes = {
        node.node_id: NodeFacts(
            node.node_id,
            str(node.kind),
            node.name,
            node.parent_id,
            node.path,
            organization.attached(node, POLICY_TYPES["scp"]),
            organization.attached(node, POLICY_TYPES["rcp"]),
        )
        for node in organization.nodes
    }
    subjects = {}
    for one in snapshot.identities if identities else ():
        stack = snapshot.stack_of(one)
        subjects[one.arn] = Subject(
            one.arn, one.name, one.kind, one.account_id, "/", None, None, stack, reachable.of(stack)
        )
    management = organization.management_account_id
    accounts = {
        node_id: AccountFacts(node_id, node.name, None, None, node_id == management, True, "ok", 90)
        for node_id, node in nodes.items()
        if node.kind == "account"
    }
    return Estate(
        catalogue=catalogue,
        reachable=reachable,
        weights=action_weights(catalogue),
        subjects=subjects,
        accounts=accounts,
        nodes=nodes,
        enabled_types=organization.enabled_types,
        organization_id=organization.id,
        management_account_id=management,
        window_start=date(2026, 8, 25),
        window_end=date(2026, 11, 22),
        window_days=90,
        taken_at=None,
    )


def main() -> None:
    """Time the matrix of the estate in a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("estate", type=Path)
    snapshot = read_snapshot(parser.parse_args().estate)
    scenarios = load_scenarios()
    for identities in (False, True):
        estate = estate_of(snapshot, identities=identities)
        started = time.process_time()
        matrix = Guardrails(estate, scenarios, GuardrailSettings())
        cells = sum(1 for _ in matrix.matrix())
        seconds = time.process_time() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(
            f"{len(scenarios)} scenarios, {len(matrix.targets)} targets, {len(estate.subjects):,} identities: "
            f"{cells:,} cells in {seconds:.1f} s of processor time; peak memory {peak:.2f} GiB"
        )
        started = time.process_time()
        for target in islice(matrix.targets, SAMPLE):
            sum(1 for _ in Guardrails(estate, scenarios, GuardrailSettings()).cells(target))
        slow = (time.process_time() - started) * len(matrix.targets) / SAMPLE
        print(f"  the slow way: about {slow:.0f} s, {slow / seconds:.0f} times as long")


if __name__ == "__main__":
    main()
