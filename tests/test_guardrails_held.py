"""The boundary and identity columns: identity by identity, n of m."""

from __future__ import annotations

import pytest

from analytics.findings.guardrails.matrix import Guardrails
from tests.builders import allow, deny, document
from tests.draft_world import PROD, customer_boundary, role, world
from tests.guardrail_cases import SCENARIOS, SETTINGS

APP, CI, OPS = role("app"), role("ci"), role("ops")
READER = customer_boundary("reader", document(allow("s3:GetObject")))
WIDE = customer_boundary("wide", document(allow("*")))
GUARDED = customer_boundary("guarded", document(allow("*"), deny("cloudtrail:*")))


@pytest.mark.parametrize(
    ("boundaries", "state", "stopped"),
    [
        ({}, "gap", 0),  # no boundary limits nobody
        ({APP: WIDE, CI: WIDE, OPS: WIDE}, "gap", 0),
        ({APP: READER}, "partial", 1),
        ({APP: READER, CI: GUARDED}, "partial", 2),
        ({APP: READER, CI: GUARDED, OPS: WIDE}, "partial", 2),
        ({APP: READER, CI: GUARDED, OPS: READER}, "covered", 3),
    ],
)
def test_a_boundary_stops_those_who_hold_it_and_nobody_else(boundaries, state, stopped):
    matrix = Guardrails(world(APP, CI, OPS, boundaries=boundaries), SCENARIOS, SETTINGS)
    (cell,) = [one for one in matrix.cells(PROD) if one.layer == "boundary" and one.scenario == "TRAIL"]
    assert (cell.state, cell.stopped, cell.principals) == (state, stopped, 3)


def test_a_role_without_a_boundary_has_a_gap_in_that_column():
    matrix = Guardrails(world(APP, CI, boundaries={CI: READER}), SCENARIOS, SETTINGS)
    found = {
        arn: next(one.state for one in matrix.cells(arn) if one.layer == "boundary" and one.scenario == "TRAIL")
        for arn in (APP, CI)
    }
    assert found == {APP: "gap", CI: "covered"}
