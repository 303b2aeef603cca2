"""Items that close guardrail gaps: where they stand, what they hold, and what is said where no draft can be made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from analytics.findings.assess import Assessor
from analytics.findings.drafts.compose import DraftSettings
from analytics.findings.drafts.drafter import Asked, Drafter
from analytics.findings.drafts.place import with_policies
from analytics.findings.drafts.size import Limit
from analytics.findings.guardrails.matrix import Guardrails, GuardrailSettings, Layer, State
from analytics.findings.guardrails.scenarios import load_scenarios
from analytics.findings.remediation.gaps import OpenScenario, gap_items
from analytics.findings.remediation.rules import remediation_rules
from analytics.iam.stack import NamedPolicy
from analytics.outputs.remediation_rows import open_scenarios
from tests.builders import allow, deny, document
from tests.draft_world import DEV, LISTS, MANAGEMENT, OU_DEV, OU_PROD, PROD, ROOT, customer_scp, role, world
from tests.estates import trusts

if TYPE_CHECKING:
    from analytics.findings.estate import Estate
    from analytics.findings.remediation.values import Item

TRAIL, REGION, LEAVING = "LOG-01", "ORG-04", "ORG-01"
PRIVILEGE = ("IAM-01", "IAM-02", "IAM-05", "IAM-06", "IAM-08", "IAM-09", "IAM-10")
OPEN, PERHAPS = (State.GAP, State.PARTIAL), (State.GAP, State.PARTIAL, State.UNKNOWN)
STOPPED = deny(*next(one.actions for one in load_scenarios() if one.id == TRAIL))


def drafter_for(estate: Estate, *ids: str, **settings: object) -> Drafter:
    scenarios = tuple(one for one in load_scenarios() if one.id in ids)
    known = replace(DraftSettings(lists=LISTS), **settings)
    return Drafter(estate, scenarios, GuardrailSettings(known.lists), known)


def opened(drafter: Drafter) -> list[OpenScenario]:
    """As the table `coverage` would tell it."""
    scenarios = tuple(drafter.scenarios.values())
    matrix = Guardrails(drafter.estate, scenarios, GuardrailSettings(drafter.settings.lists))
    best = [cell for cell in matrix.matrix() if cell.layer is Layer.BEST]
    return [
        OpenScenario(
            one.id,
            frozenset(
                cell.target
                for cell in best
                if cell.scenario == one.id and cell.target_kind == "account" and cell.state in OPEN
            ),
            frozenset(
                cell.target
                for cell in best
                if cell.scenario == one.id and cell.target_kind != "account" and cell.state in PERHAPS
            ),
        )
        for one in scenarios
    ]


def listed(drafter: Drafter) -> list[Item]:
    return gap_items(opened(drafter), drafter, remediation_rules())


def narrow(*arns: str) -> Estate:
    """As `world`, of identities that functions use and that can change IAM alone."""
    estate = world(*arns)
    policy = NamedPolicy("iam", document(allow("iam:*", "s3:GetObject")))
    return estate.replaced(
        estate.changed(one, stack=replace(one.stack, identity=(policy,)), trust=trusts("lambda.amazonaws.com"))
        for one in estate.subjects.values()
    )


def targets(items: list[Item]) -> list[str]:
    return [item.target.id for item in items if item.target]


def test_one_item_at_the_root_closes_the_gap_of_every_account() -> None:
    (found,) = listed(drafter_for(world(), TRAIL))
    assert found.target is not None
    assert (found.target.id, found.target.kind, found.principal_arn) == (ROOT, "root", None)
    assert found.detail["layer"] == "scp"
    assert found.policy["Statement"][0]["Effect"] == "Deny"
    assert [line.split()[:3][-1] for line in found.commands if line.startswith("aws")] == ["attach-policy"]
    assert (found.score_before, found.score_after, found.calls_broken) == (None, None, None)


def test_the_risk_removed_is_that_of_the_draft_summed_over_identities() -> None:
    drafter = drafter_for(narrow(), *PRIVILEGE)
    (found,) = listed(drafter)
    effect = drafter.make(Asked(PRIVILEGE, ROOT, "scp")).effect
    assert effect.risk_removed > 0
    assert found.risk_removed == effect.risk_removed
    assert found.priority == round(effect.risk_removed * 0.5, 4)
    rows = found.evidence["rows"]
    assert [(row["principal_arn"], row["score_after"]) for row in rows] == [
        (one.principal_arn, one.after) for one in effect.scores if one.after < one.before
    ]


def test_scenarios_of_one_target_and_layer_are_one_item() -> None:
    (found,) = listed(drafter_for(world(), TRAIL, REGION))
    assert [one["id"] for one in found.detail["scenarios"]] == [TRAIL, REGION]
    assert found.title == "Close 2 guardrail gaps with an SCP"


def test_a_gap_of_one_unit_is_still_closed_where_the_highest_node_is_open() -> None:
    here = world(scps={OU_PROD: [customer_scp("protect-trail", STOPPED)]})
    assert targets(listed(drafter_for(here, TRAIL))) == [ROOT]


def test_a_closed_gap_has_no_item() -> None:
    here = world(scps={ROOT: [customer_scp("protect-trail", STOPPED)]})
    assert listed(drafter_for(here, TRAIL)) == []


def test_where_the_root_is_full_the_highest_nodes_with_room_take_it() -> None:
    shared = customer_scp("shared", deny("s3:DeleteBucket"))  # attached twice, so that neither node may change it
    full = world(scps={ROOT: [shared], OU_PROD: [shared]})
    found = listed(drafter_for(full, TRAIL, limits={"scp": Limit(5_120, 2), "boundary": Limit(6_144, 1)}))
    assert targets(found) == [PROD, OU_DEV]
    assert all(item.blocked_reason is None for item in found)


def test_a_build_drafts_for_so_many_targets_and_says_so_of_the_rest() -> None:
    shared = customer_scp("shared", deny("s3:DeleteBucket"))
    full = world(scps={ROOT: [shared], OU_PROD: [shared]})
    drafter = drafter_for(full, TRAIL, "LOG-04", limits={"scp": Limit(5_120, 2), "boundary": Limit(6_144, 1)})
    rules = remediation_rules()
    few = replace(rules, limits=replace(rules.limits, most_gap_drafts=1))
    made, left = gap_items(opened(drafter), drafter, few)
    assert targets([made, left]) == [PROD, OU_DEV]
    assert (made.blocked_reason, left.title) == (None, "Close 2 guardrail gaps")
    assert "a build drafts for no more than 1 of its targets" in (left.blocked_reason or "")


def test_the_management_account_is_given_a_boundary() -> None:
    drafter = drafter_for(world(role("app"), role("admin", MANAGEMENT)), TRAIL)
    found = {item.target.id: item for item in listed(drafter) if item.target}
    assert {target: item.detail["layer"] for target, item in found.items()} == {ROOT: "scp", MANAGEMENT: "boundary"}
    assert any("put-role-permissions-boundary" in line for line in found[MANAGEMENT].commands)


def test_what_no_boundary_is_meant_for_is_said_of_the_management_account() -> None:
    drafter = drafter_for(world(role("app"), role("admin", MANAGEMENT)), LEAVING)
    blocked = {item.target.id: item for item in listed(drafter) if item.target}[MANAGEMENT]
    assert blocked.blocked_reason is not None
    assert "do not bind the management account" in blocked.blocked_reason
    assert (blocked.commands, blocked.policy, blocked.risk_removed, blocked.priority) == ((), None, None, 0.0)


def test_a_missing_list_is_named_and_the_other_gaps_are_drafted() -> None:
    found = listed(drafter_for(world(), TRAIL, REGION, lists={}))
    assert [item.blocked_reason is None for item in found] == [True, False]
    assert "approved_regions" in (found[1].blocked_reason or "")


def test_where_scps_are_not_enabled_the_item_says_so() -> None:
    (found,) = listed(drafter_for(world(enabled=frozenset()), TRAIL))
    assert "not enabled" in (found.blocked_reason or "")
    assert targets([found]) == [ROOT]


def test_the_id_holds_while_scores_change_and_changes_with_the_scenarios() -> None:
    (one,) = listed(drafter_for(narrow(), *PRIVILEGE))
    (other,) = listed(drafter_for(narrow(role("app"), role("new", DEV)), *PRIVILEGE))
    (wider,) = listed(drafter_for(narrow(), *PRIVILEGE, TRAIL))
    assert one.item_id == other.item_id != wider.item_id
    assert one.risk_removed != other.risk_removed


def test_what_is_not_scored_anew_would_have_had_the_same_score() -> None:
    drafter = drafter_for(narrow(role("app"), role("ci"), role("app", DEV)), *PRIVILEGE)
    made = drafter.make(Asked(PRIVILEGE, OU_DEV, "scp"))
    fresh = Assessor(with_policies(drafter.estate, made.draft.policies, "scp"))
    assert {one.principal_arn: one.after for one in made.effect.scores} == {
        one.principal_arn: fresh.of(one.principal_arn).risk.score for one in made.effect.scores
    }


def test_open_scenarios_are_read_from_the_best_cells_the_most_severe_first() -> None:
    cells = [
        ("A", "high", PROD, "account", "gap", "best", 3),
        ("A", "high", ROOT, "root", "unknown", "best", 9),
        ("A", "high", OU_DEV, "ou", "covered", "best", 0),
        ("B", "critical", PROD, "account", "partial", "best", None),
        ("C", "critical", PROD, "account", "unknown", "best", 1),  # not open for sure
        ("C", "critical", ROOT, "root", "gap", "best", 1),
        ("D", "medium", PROD, "account", "gap", "best", 1),
        ("E", "high", PROD, "account", "gap", "scp", 1),  # another layer stops it
        ("F", "high", PROD, "account", "gap", "best", 1),  # extended
    ]
    with duckdb.connect() as con:
        con.execute("create table scenarios (id varchar, set varchar, position integer)")
        con.executemany(
            "insert into scenarios values (?, ?, ?)",
            [(one, "extended" if one == "F" else "core", at) for at, one in enumerate("ABCDEF")],
        )
        con.execute(
            "create table coverage (scenario varchar, severity varchar, target varchar, target_kind varchar,"
            " state varchar, layer varchar, can_act integer)"
        )
        con.executemany("insert into coverage values (?, ?, ?, ?, ?, ?, ?)", cells)
        found = open_scenarios(con)
    assert [one.id for one in found] == ["B", "A"]
    assert (found[1].accounts, found[1].nodes) == (frozenset({PROD}), frozenset({ROOT}))
    assert found[1].can_act == {PROD: 3, ROOT: 9}
