"""The step that lists what to change first; after trust, escalation and risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.findings.remediation.gaps import gap_items
from analytics.findings.remediation.items import remediation
from analytics.findings.remediation.rules import remediation_rules
from analytics.findings.remediation.values import Surroundings, UnusedTrust, order_of
from analytics.findings.trust.parties import narrowed_trust
from analytics.outputs.remediation_rows import item_rows, managed_policies, open_scenarios, permission_sets
from analytics.outputs.stacks import rows_of
from analytics.steps.events import unresolved_calls
from analytics.steps.guardrails import drafter_of

if TYPE_CHECKING:
    from analytics.findings.remediation.values import Item
    from analytics.steps.state import Build

NEVER_TAKEN = """
select principal_arn, list(position order by position) as positions
from trust where seen_calls = 0 group by principal_arn order by principal_arn"""


def list_remediation(build: Build) -> None:
    """The remediation list, in order."""

    def report(done: int, total: int) -> None:
        build.progress("Listing what to change first", done, total)

    found = remediation(build.assessor, build.estate, _surroundings(build), progress=report)
    found += _gaps(build)
    build.run("remediation", remediation_rows=item_rows(sorted(found, key=order_of)))


def _gaps(build: Build) -> list[Item]:
    """The items that close gaps of the matrix."""

    def report(done: int, total: int) -> None:
        build.progress("Drafting what closes guardrail gaps", done, total)

    opened = open_scenarios(build.con)
    return gap_items(opened, drafter_of(build), remediation_rules(), progress=report) if opened else []


def _surroundings(build: Build) -> Surroundings:
    weights = build.assessor.weights
    return Surroundings(
        permission_sets=permission_sets(build.con),
        unresolved=unresolved_calls(build),
        unused_trust=_unused_trust(build),
        managed_policies=managed_policies(build.con),
        old_key_days=int(weights["thresholds.old_key_days"]),
        dormant_days=int(weights["thresholds.dormant_days"]),
    )


def _unused_trust(build: Build) -> dict[str, UnusedTrust]:
    """Of each role with ways in that nobody took: the trust document without them, while others remain."""
    found: dict[str, UnusedTrust] = {}
    for row in rows_of(build.con, NEVER_TAKEN):
        subject, ways = build.estate.subjects[row["principal_arn"]], build.assessor.of(row["principal_arn"]).parties
        unused = tuple(party for at, party in enumerate(ways) if at in row["positions"])
        document = narrowed_trust(subject, unused)
        if document is not None and document != subject.trust:
            found[subject.arn] = UnusedTrust(tuple(party.party for party in unused), document)
    return found
