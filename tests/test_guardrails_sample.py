"""The matrix of the sample against an independent judge: the reach of an administrator within one layer's policies."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from analytics.findings.guardrails.matrix import Guardrails, GuardrailSettings
from analytics.findings.guardrails.scenarios import load_scenarios
from analytics.iam.names import PrincipalKind
from analytics.iam.stack import NamedPolicy
from analytics.outputs.estate import read_estate
from tests.builders import allow, document
from tests.demo_sample import built

ADMIN = (NamedPolicy("admin", document(allow("*"))),)


@cache
def estate():
    with built().connect() as con:
        return read_estate(con)


def alone(stack, layer: str):
    """The stack of an administrator whom only one layer limits."""
    free = replace(stack, boundary=None, boundary_not_collected=False, scp_levels=(), identity=ADMIN)
    held = {
        "scp": {"scp_levels": stack.scp_levels},
        "boundary": {"boundary": stack.boundary},
        "identity": {"identity": (*ADMIN, *stack.identity)},
    }
    return replace(free, **held[layer])


@pytest.mark.parametrize("layer", ["scp", "boundary", "identity"])
def test_an_action_is_open_exactly_where_an_administrator_under_that_layer_can_do_it(layer: str):
    """Of every tenth identity; what is asked under a condition has judges of its own."""
    asked = [one for one in load_scenarios() if not one.probe_context and not one.pinned_by]
    matrix = Guardrails(estate(), asked, GuardrailSettings())
    scenarios = {one.id: one for one in asked}
    judged = 0
    for subject in [one for one in estate().subjects.values() if one.kind is not PrincipalKind.SERVICE_LINKED_ROLE][
        ::4
    ]:
        reach = estate().reachable.of(alone(subject.stack, layer))
        for cell in (one for one in matrix.cells(subject.arn) if one.layer == layer and one.state != "not_applicable"):
            for action in scenarios[cell.scenario].actions:
                bit = estate().catalogue.mask((action,))
                assert (action in cell.open_actions) is bool(reach.maybe & bit), (subject.arn, cell.scenario, action)
                assert action not in cell.missing_actions or reach.maybe & bit
                assert not reach.surely & bit or cell.state != "covered"
                judged += 1
    assert judged > 2_000


def test_the_counts_of_an_account_are_those_of_its_identities():
    matrix = Guardrails(estate(), load_scenarios(), GuardrailSettings())
    account = next(one for one in estate().accounts.values() if one.name == "payments-prod").account_id
    here = [
        one
        for one in estate().subjects.values()
        if one.account_id == account and one.kind is not PrincipalKind.SERVICE_LINKED_ROLE
    ]
    cells = {(arn, one.scenario, one.layer): one for arn in (one.arn for one in here) for one in matrix.cells(arn)}
    for cell in matrix.cells(account):
        if cell.layer in ("boundary", "identity") and cell.state != "not_applicable":
            own = [cells[one.arn, cell.scenario, cell.layer] for one in here]
            assert cell.principals == len(own)
            assert cell.stopped == sum(one.state in ("covered", "conditional") for one in own)
            bits = estate().catalogue.mask(cell.open_actions)
            assert cell.can_act == sum(bool(one.reach.maybe & bits) for one in here)
