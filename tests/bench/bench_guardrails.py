"""How long the whole guardrail matrix of a large organisation takes, and how much of it is shared work.

    python -m tests.bench.bench_guardrails                                  # 3,000 roles in 40 accounts
    python -m tests.bench.bench_guardrails --roles 30000 --accounts 400

Prints processor seconds and peak memory: without identities, with all of them, and the slow way (every target with a
matrix of its own, nothing shared), of which a sample is timed.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.engine.reach import Reachable
from analytics.findings.estate import POLICY_TYPES, AccountFacts, Estate, NodeFacts, Subject
from analytics.findings.guardrails.matrix import Guardrails, GuardrailSettings
from analytics.findings.guardrails.scenarios import load_scenarios
from analytics.findings.weights import action_weights
from analytics.iam.catalogue import load_catalogue
from analytics.sources.snapshot import read_snapshot
from tests.bench import make_estate

if TYPE_CHECKING:
    from analytics.sources.snapshot import Snapshot

ROLES_PER_POLICY = 5
SAMPLE = 20  # targets of the slow way


def asked_snapshot(about: str) -> Snapshot:
    """A made organisation of the size that the command line asks for."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--roles", type=int, default=3000)
    parser.add_argument("--accounts", type=int, default=40)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        estate = make_estate.Estate(asked.accounts, asked.roles, max(1, asked.roles // ROLES_PER_POLICY), 5, 1)
        make_estate.write(estate, Path(folder))
        return read_snapshot(Path(folder))


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
    """Time the matrix."""
    snapshot = asked_snapshot(__doc__ or "")
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
