"""How long the remediation items that close guardrail gaps take, beside scoring every identity once.

    python -m tests.bench.bench_gap_items                                   # 3,000 roles in 40 accounts
    python -m tests.bench.bench_gap_items --roles 30000 --accounts 400

Processor seconds on one core, and what was found. The scores come first, as in a build, which has them.
"""

from __future__ import annotations

import resource
import time

from analytics.findings.assess import Assessor
from analytics.findings.drafts.compose import DraftSettings
from analytics.findings.drafts.drafter import Drafter
from analytics.findings.guardrails.matrix import Guardrails, GuardrailSettings
from analytics.findings.guardrails.scenarios import load_scenarios
from analytics.findings.guardrails.values import Cell, Layer, State
from analytics.findings.remediation.gaps import OpenScenario, gap_items
from analytics.findings.remediation.rules import remediation_rules
from analytics.iam.names import PrincipalKind
from tests.bench.bench_guardrails import asked_snapshot, estate_of

OPEN = (State.GAP, State.PARTIAL)


def main() -> None:
    """Print one line per part."""
    estate = estate_of(asked_snapshot(__doc__ or ""), identities=True)
    started = time.process_time()

    def lap(what: str) -> None:
        nonlocal started
        seconds, peak = time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{what:<44}{seconds:8.1f} s {peak:8,.0f} MiB", flush=True)
        started = time.process_time()

    scenarios, settings = load_scenarios(), GuardrailSettings()
    best = [cell for cell in Guardrails(estate, scenarios, settings).matrix() if cell.layer is Layer.BEST]
    lap(f"matrix of {len(estate.subjects):,} identities, {len(estate.accounts):,} accounts")
    assessor = Assessor(estate)
    for subject in estate.subjects.values():
        if subject.kind is not PrincipalKind.SERVICE_LINKED_ROLE:
            assessor.of(subject.arn)
    lap("scores, with escalation paths")
    drafter = Drafter(estate, scenarios, settings, DraftSettings(), assessor=assessor)
    items = gap_items(_opened(best), drafter, remediation_rules(), progress=lambda _done, _total: None)
    lap(f"items: {sum(item.blocked_reason is None for item in items)} drafted, {len(items)} in all")
    for item in items:
        if item.blocked_reason is None and item.target:
            print(f"    {item.target.name}: {item.title}, {item.risk_removed} points")


def _opened(best: list[Cell]) -> list[OpenScenario]:
    """As the table `coverage` tells it."""
    found = []
    for one in load_scenarios():
        if one.set == "core" and one.severity in ("critical", "high"):
            cells = [cell for cell in best if cell.scenario == one.id]
            accounts = {cell.target for cell in cells if cell.target_kind == "account" and cell.state in OPEN}
            nodes = {
                cell.target for cell in cells if cell.target_kind != "account" and cell.state in (*OPEN, State.UNKNOWN)
            }
            if accounts:
                found.append(OpenScenario(one.id, frozenset(accounts), frozenset(nodes)))
    return found


if __name__ == "__main__":
    main()
