"""The steps of a build that say who can become each identity, how risky it is, and what would lower that."""

from __future__ import annotations

import json
from math import ceil
from typing import TYPE_CHECKING

import pyarrow as pa

from analytics.findings.lowering.changes import Lowering
from analytics.findings.risk.kept import write_facts
from analytics.findings.risk.score import ranked
from analytics.findings.trust.credentials import KEY
from analytics.findings.trust.scale import exposures
from analytics.iam.names import PrincipalKind
from analytics.steps.events import unresolved_calls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.findings.assess import Assessment
    from analytics.findings.estate import Subject
    from analytics.findings.risk.confidence import Confidence
    from analytics.findings.risk.score import Ranked
    from analytics.findings.trust.values import TrustedParty
    from analytics.steps.state import Build

NEVER_USED = "select principal_arn, list(position) from trust where seen_calls = 0 group by principal_arn"


def find_trust(build: Build) -> None:
    """Every way to become each identity, beside who did."""
    subjects = _judged(build)
    ways = [(one, at, way) for one in subjects for at, way in enumerate(build.assessor.of(one.arn).parties)]
    least = _least_days(build) if subjects else 0
    build.run("trust", trust_rows=_way_rows(ways, least))


def score_identities(build: Build) -> None:
    """The score of each identity, its rank and its confidence."""
    subjects = _judged(build)
    risks = {one.arn: build.assessor.of(one.arn).risk for one in subjects}
    steps = dict(
        build.con.execute("select principal_arn, count(*)::integer from escalation_step group by all").fetchall()
    )
    build.run("risk", risk_rows=_risk_rows(build, ranked(risks), steps))
    facts = {
        "principal_arn": pa.array([one.arn for one in subjects], pa.string()),
        "facts": pa.array([write_facts(build.assessor.of(one.arn).facts) for one in subjects], pa.string()),
    }
    build.run("risk_facts", risk_facts_rows=pa.table(facts))


def _judged(build: Build) -> list[Subject]:
    """The identities that their account can change: AWS alone makes and assumes service-linked roles."""
    found = build.estate.subjects.values() if build.snapshot else ()
    return [one for one in found if one.kind is not PrincipalKind.SERVICE_LINKED_ROLE]


def _least_days(build: Build) -> int:
    """Days of the window from which on the silence of an account's log counts."""
    return ceil(build.assessor.weights["confidence.medium_days"] * build.estate.window_days)


def _way_rows(ways: list[tuple[Subject, int, TrustedParty]], least_days: int) -> pa.Table:
    parties = [way for _subject, _at, way in ways]
    return pa.table(
        {
            "principal_arn": pa.array([one.arn for one, _at, _way in ways], pa.string()),
            "account_id": pa.array([one.account_id for one, _at, _way in ways], pa.string()),
            "position": pa.array([at for _one, at, _way in ways], pa.int32()),
            "party": pa.array([way.party for way in parties], pa.string()),
            "kind": pa.array([str(way.kind) for way in parties], pa.string()),
            "party_account_id": pa.array([way.account_id for way in parties], pa.string()),
            "party_name": pa.array([way.name for way in parties], pa.string()),
            "trust_class": pa.array([way.trust_class for way in parties], pa.string()),
            "exposure": pa.array([exposures()[way.trust_class] for way in parties], pa.float64()),
            "conditions": pa.array([json.dumps(way.conditions) for way in parties], pa.string()),
            "statement_index": pa.array([way.statement for way in parties], pa.int32()),
            "sid": pa.array([way.sid for way in parties], pa.string()),
            "surely": pa.array([way.surely for way in parties], pa.bool_()),
            "notes": pa.array([json.dumps(way.notes) for way in parties], pa.string()),
            "key_position": pa.array([_key_position(way) for way in parties], pa.int32()),
            "least_days": pa.array([least_days] * len(ways), pa.int32()),
        }
    )


def _key_position(way: TrustedParty) -> int | None:
    """Which key of the credential report it is, from 1."""
    return int(way.party.removeprefix(KEY)) if way.party.startswith(KEY) else None


def _risk_rows(build: Build, ranks: tuple[Ranked, ...], steps: Mapping[str, int]) -> pa.Table:
    risks = [one.risk for one in ranks]
    assessed: list[Assessment] = [build.assessor.of(one.principal_arn) for one in ranks]
    founded: list[Confidence] = [build.assessor.confidence(build.estate.subjects[one.principal_arn]) for one in ranks]
    factors = {
        name: pa.array([getattr(risk.factors, name) for risk in risks], pa.float64())
        for name in ("control_reach", "data_reach", "breadth", "unused", "exposure", "asset")
    }
    return pa.table(
        {
            "principal_arn": pa.array([one.principal_arn for one in ranks], pa.string()),
            "rank": pa.array([one.rank for one in ranks], pa.int32()),
            "score": pa.array([risk.score for risk in risks], pa.float64()),
            "band": pa.array([risk.band for risk in risks], pa.string()),
            **factors,
            "floor": pa.array([risk.floor for risk in risks], pa.string()),
            "floor_points": pa.array([risk.floor_points for risk in risks], pa.float64()),
            "administrator": pa.array([risk.administrator for risk in risks], pa.string()),
            "steps_to_administrator": pa.array([steps.get(one.principal_arn) for one in ranks], pa.int32()),
            "trust_class": pa.array([risk.trust_class for risk in risks], pa.string()),
            "paths": pa.array([len(one.paths) for one in assessed], pa.int32()),
            "confidence": pa.array([one.level for one in founded], pa.string()),
            "confidence_share": pa.array([one.share for one in founded], pa.float64()),
            "confidence_reasons": pa.array([json.dumps(one.reasons) for one in founded], pa.string()),
        }
    )


def find_changes(build: Build) -> None:
    """What would lower each score."""
    never = dict(build.con.execute(NEVER_USED).fetchall())
    lowering = Lowering(build.assessor, unresolved_calls(build))
    found = [
        (one.arn, at, change)
        for one in _judged(build)
        for at, change in enumerate(lowering.of(one.arn, never.get(one.arn, ())))
    ]
    changes = [change for _arn, _at, change in found]
    rows = pa.table(
        {
            "principal_arn": pa.array([arn for arn, _at, _change in found], pa.string()),
            "position": pa.array([at for _arn, at, _change in found], pa.int32()),
            "kind": pa.array([str(change.kind) for change in changes], pa.string()),
            "title": pa.array([change.title for change in changes], pa.string()),
            "detail": pa.array([json.dumps(change.detail) for change in changes], pa.string()),
            "score_after": pa.array([change.score_after for change in changes], pa.float64()),
            "calls_broken": pa.array([change.calls_broken for change in changes], pa.int64()),
        }
    )
    build.run("would_lower", would_lower_rows=rows)
