"""Laws of the guardrail matrix, and its slow twin on generated small organisations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.findings.guardrails import Guardrails
from analytics.findings.guardrails_values import RANK
from tests.builders import allow, deny, document
from tests.draft_world import DEV, FULL_SCP, OU_DEV, OU_PROD, PROD, ROOT, customer_boundary, customer_scp, role, world
from tests.guardrail_cases import SCENARIOS, SETTINGS, denies, slow_held_state, slow_state

if TYPE_CHECKING:
    from analytics.iam.policy import Statement

NODES = (ROOT, OU_PROD, PROD, OU_DEV, DEV)
attached = st.dictionaries(st.sampled_from(NODES), st.lists(denies, min_size=1, max_size=3), max_size=3)


def scps(placed: dict[str, list[Statement]], *, split: bool = False, reverse: bool = False):
    found = {}
    for node, statements in placed.items():
        groups = [[one] for one in statements] if split else [statements]
        policies = [customer_scp(f"guard-{at}", *group) for at, group in enumerate(groups)]
        found[node] = policies[::-1] if reverse else policies
    return found


def states(placed: dict[str, list[Statement]], layer: str = "scp", **how: bool) -> dict[tuple[str, str], str]:
    matrix = Guardrails(world(role("app"), scps=scps(placed, **how)), SCENARIOS, SETTINGS)
    return {
        (cell.target, cell.scenario): cell.state for node in NODES for cell in matrix.cells(node) if cell.layer == layer
    }


@settings(max_examples=80, deadline=None)
@given(attached)
def test_the_slow_twin_agrees_at_every_account(placed):
    found = states(placed)
    for account, above in ((PROD, OU_PROD), (DEV, OU_DEV)):
        levels = [[FULL_SCP.document, document(*placed.get(node, ()))] for node in (ROOT, above, account)]
        for scenario in SCENARIOS:
            assert found[account, scenario.id] == slow_state(scenario, account, levels), (scenario.id, account)


@settings(max_examples=40, deadline=None)
@given(attached, st.sampled_from(NODES), denies)
def test_a_deny_more_never_makes_a_cell_worse(placed, node, more):
    before = states(placed)
    after = states({**placed, node: [*placed.get(node, ()), more]})
    assert all(RANK[after[cell]] >= RANK[before[cell]] for cell in before)


@settings(max_examples=40, deadline=None)
@given(attached)
def test_a_covered_ou_covers_its_accounts(placed):
    found = states(placed)
    for node, account in ((ROOT, PROD), (ROOT, DEV), (OU_PROD, PROD), (OU_DEV, DEV)):
        for scenario in SCENARIOS:
            above = found[node, scenario.id]
            assert above not in ("covered", "conditional") or RANK[found[account, scenario.id]] >= RANK[above]


@settings(max_examples=40, deadline=None)
@given(attached)
def test_split_policies_and_statements_say_the_same(placed):
    one_action_each = {
        node: [
            replace(one, action=(action,), sid=f"S{at}") for one in statements for at, action in enumerate(one.action)
        ]
        for node, statements in placed.items()
    }
    expected = states(placed)
    assert states(placed, split=True) == expected
    assert states(placed, split=True, reverse=True) == expected
    assert states(one_action_each) == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(denies, max_size=3), denies)
def test_a_boundary_and_identity_denies_never_stop_less_for_a_deny_more(statements, more):
    def found(*held: Statement):
        boundary = customer_boundary("guard", document(allow("*"), *held))
        matrix = Guardrails(world(role("app"), role("ci"), boundaries={role("app"): boundary}), SCENARIOS, SETTINGS)
        return {
            (cell.target, cell.scenario): cell.state
            for target in (PROD, role("app"))
            for cell in matrix.cells(target)
            if cell.layer == "boundary" and cell.scenario != "ROOT"
        }

    before, after = found(*statements), found(*statements, more)
    assert all(RANK[after[cell]] >= RANK[before[cell]] for cell in before)


plain = denies.filter(lambda one: not any(held.key.startswith("aws:PrincipalTag") for held in one.condition)).filter(
    lambda one: not any("Admin" in value for held in one.condition for value in held.values)
)


@settings(max_examples=80, deadline=None)
@given(st.lists(plain, max_size=3), st.sampled_from(["*", "cloudtrail:*", "iam:Create*", "s3:*"]))
def test_the_slow_twin_agrees_on_the_boundary_of_a_role(statements, allowed):
    held = document(allow(allowed), *statements)
    estate = world(role("app"), boundaries={role("app"): customer_boundary("guard", held)})
    matrix = Guardrails(estate, SCENARIOS, SETTINGS)
    found = {cell.scenario: cell.state for cell in matrix.cells(role("app")) if cell.layer == "boundary"}
    for scenario in SCENARIOS:
        if scenario.principal == "any" and scenario.id != "REGION":
            assert found[scenario.id] == slow_held_state(scenario, PROD, "role/app", held), scenario.id


def test_dropping_one_action_of_two_leaves_it_partial():
    whole = states({ROOT: [deny("cloudtrail:StopLogging", "cloudtrail:DeleteTrail")]})
    half = states({ROOT: [deny("cloudtrail:StopLogging")]})
    assert {whole[node, "TRAIL"] for node in NODES} == {"covered"}
    assert {half[node, "TRAIL"] for node in NODES} == {"partial"}
