"""Laws of the guardrail matrix, and its slow twin on generated small organisations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.engine.decide import Policies
from analytics.findings.guardrails.matrix import Guardrails
from analytics.findings.guardrails.values import LAYERS, RANK, Layer
from analytics.iam.match import text_matches
from analytics.iam.policy import Principals
from analytics.iam.stack import NamedPolicy
from tests.builders import allow, deny, document
from tests.draft_world import DEV, FULL_SCP, OU_DEV, OU_PROD, PROD, ROOT, customer_boundary, customer_scp, role, world
from tests.guardrail_cases import (
    ANY,
    SCENARIOS,
    SETTINGS,
    allow_lists,
    denies,
    let_through,
    slow_best,
    slow_degrees,
    slow_held,
    slow_state,
    slow_sum,
    slow_together,
)

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


BELOW = {ROOT: (ROOT,), OU_PROD: (ROOT, OU_PROD), OU_DEV: (ROOT, OU_DEV)}
BELOW |= {PROD: (*BELOW[OU_PROD], PROD), DEV: (*BELOW[OU_DEV], DEV)}
ACCOUNTS = {ROOT: (ANY, PROD, DEV), OU_PROD: (ANY, PROD), OU_DEV: (ANY, DEV), PROD: (PROD,), DEV: (DEV,)}
EVERYONE = Principals(everyone=True)


@settings(max_examples=30, deadline=None)
@given(attached, st.dictionaries(st.sampled_from(NODES), allow_lists, max_size=2))
def test_the_slow_twin_agrees_on_scps_at_every_node_and_account(placed, lists):
    """Allow-lists take the place of FullAWSAccess."""
    first = {node: customer_scp("list", allow(*lists[node])) if node in lists else FULL_SCP for node in NODES}
    estate = world(role("app"), scps=scps(placed))
    nodes = {
        node_id: replace(node, scp=replace(node.scp, policies=(first[node_id], *node.scp.policies[1:])))
        for node_id, node in estate.nodes.items()
        if node_id in first
    }
    estate = replace(estate, nodes={**estate.nodes, **nodes})
    matrix = Guardrails(estate, SCENARIOS, SETTINGS)
    for target in NODES:
        levels = [[first[node].document, document(*placed.get(node, ()))] for node in BELOW[target]]
        for cell in matrix.cells(target):
            if cell.layer == "scp":
                scenario = next(one for one in SCENARIOS if one.id == cell.scenario)
                assert cell.state == slow_state(scenario, ACCOUNTS[target], levels), (scenario.id, target)


@settings(max_examples=40, deadline=None)
@given(attached)
def test_the_slow_twin_agrees_on_rcps_at_every_node_and_account(placed):
    placed = {node: [replace(one, principal=EVERYONE) for one in held] for node, held in placed.items()}
    held = {node: [customer_scp("guard", *some, kind="resource_control_policy")] for node, some in placed.items()}
    matrix = Guardrails(world(role("app"), rcps=held), SCENARIOS, SETTINGS)
    full = document(allow("*", principal=EVERYONE))
    for target in NODES:
        levels = [[full, document(*placed.get(node, ()))] for node in BELOW[target]]
        for cell in matrix.cells(target):
            if cell.layer == "rcp":
                scenario = next(one for one in SCENARIOS if one.id == cell.scenario)
                expected = slow_state(scenario, ACCOUNTS[target], levels, "rcp")
                assert cell.state == expected, (scenario.id, target)


HELD = ("role/app", "role/break-glass", "role/Admin-1", "user/bob")
limits = st.tuples(allow_lists, st.lists(denies, max_size=2))
boundaries = st.one_of(st.none(), st.just("lost"), limits, limits)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(boundaries, min_size=4, max_size=4),
    st.lists(st.lists(denies, max_size=2), min_size=4, max_size=4),
    st.booleans(),
)
def test_the_slow_twin_agrees_on_boundaries_and_identity_denies(bounds, own, collected):
    """Of four identities and their account, with the best of the layers."""
    estate = world(*(f"arn:aws:iam::{PROD}:{name}" for name in HELD))
    boundary: dict[str, Policies | None] = {}
    identity: dict[str, Policies | None] = {}
    changed = []
    for name, bound, statements in zip(HELD, bounds, own, strict=True):
        text = document(allow("*"), *statements)
        limit = document(allow(*bound[0]), *bound[1]) if isinstance(bound, tuple) else None
        full = (document(allow("*")),)
        boundary[name] = None if bound == "lost" else Policies(identity=full, boundary=(limit,) if limit else None)
        identity[name] = Policies(identity=(text,))
        subject = estate.subjects[f"arn:aws:iam::{PROD}:{name}"]
        stack = replace(
            subject.stack,
            identity=(NamedPolicy("own", text, None, subject.arn),),
            boundary=customer_boundary("guard", limit) if limit else None,
            boundary_not_collected=bound == "lost",
        )
        changed.append(replace(subject, stack=stack))
    estate = estate.replaced(changed)
    if not collected:
        lost = replace(estate.accounts[PROD], collected="failed")
        estate = replace(estate, accounts={**estate.accounts, PROD: lost})
    matrix = Guardrails(estate, SCENARIOS, SETTINGS)
    arns = [f"arn:aws:iam::{PROD}:{name}" for name in HELD]
    found = {(cell.target, cell.scenario, cell.layer): cell for at in (PROD, *arns) for cell in matrix.cells(at)}
    for scenario in (one for one in SCENARIOS if one.principal == "any"):
        here = {layer: found[PROD, scenario.id, layer] for layer in Layer}
        of_layers = {
            layer: slow_held(scenario, PROD, held) for layer, held in (("boundary", boundary), ("identity", identity))
        }
        together = slow_together(*(one.degrees for one in of_layers.values())) if collected else "gap"
        assert here["best"].state == slow_best([here[layer].state for layer in LAYERS], together)
        for layer, held in (("boundary", boundary), ("identity", identity)):
            state, stopped, total, _degrees = of_layers[layer]
            if not collected and state in ("covered", "conditional", "not_applicable"):
                state = "unknown"
            assert (here[layer].state, here[layer].stopped, here[layer].principals) == (state, stopped, total)
            for arn, (name, policies) in zip(arns, held.items(), strict=True):
                expected = slow_sum(slow_degrees(scenario, PROD, name, policies)) if policies else "unknown"
                assert found[arn, scenario.id, layer].state == expected, (scenario.id, layer, name)


@settings(max_examples=60, deadline=None)
@given(attached)
def test_whoever_gets_through_a_covered_cell_is_listed_as_an_exemption(placed):
    """By name, by a pattern of names, or by the tag; a pattern or tag that spares anybody leaves it conditional."""
    matrix = Guardrails(world(role("app"), scps=scps(placed)), SCENARIOS, SETTINGS)
    scenarios = {one.id: one for one in SCENARIOS if one.principal == "any"}
    for account in (PROD, DEV):
        levels = [[FULL_SCP.document, document(*placed.get(node, ()))] for node in BELOW[account]]
        for cell in matrix.cells(account):
            if cell.layer != "scp" or cell.state != "covered" or cell.scenario not in scenarios:
                continue
            assert {one.kind for one in cell.exemptions} <= {"named"}
            for who in let_through(scenarios[cell.scenario], account, levels):
                arn = f"arn:aws:iam::{account}:{who.removesuffix('+')}"
                assert any(text_matches(one.principal, arn) for one in cell.exemptions), (who, account, cell)


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
            replace(one, action=one.action[at : at + 1], sid=f"S{at}")
            for one in statements
            for at in range(len(one.action) or 1)
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


def test_dropping_one_action_of_two_leaves_it_partial():
    whole = states({ROOT: [deny("cloudtrail:StopLogging", "cloudtrail:DeleteTrail")]})
    half = states({ROOT: [deny("cloudtrail:StopLogging")]})
    assert {whole[node, "TRAIL"] for node in NODES} == {"covered"}
    assert {half[node, "TRAIL"] for node in NODES} == {"partial"}
