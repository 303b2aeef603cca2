"""What a draft does, before and after; a draft that does not close its cell is never shown; drafts kept for later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import pytest

from analytics.findings.drafts.compose import Draft, DraftError, DraftSettings, compose
from analytics.findings.drafts.effect import CellChange, compare, proven
from analytics.findings.drafts.place import DraftPolicy, accounts_below, with_policies
from analytics.findings.drafts.shadow import today
from tests.builders import allow, deny, document
from tests.draft_world import DEV, OU_PROD, PROD, ROOT, customer_boundary, customer_scp, role, scenario, world

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.findings.drafts.effect import CellsOf, ScoreOf
    from analytics.findings.estate import Estate

SETTINGS = DraftSettings()
TRAIL = scenario("LOG-01", "cloudtrail:StopLogging", "cloudtrail:DeleteTrail")
KEYS = scenario("KMS-01", "kms:DisableKey")


class State(StrEnum):
    GAP = "gap"
    PARTIAL = "partial"
    COVERED = "covered"


class Layer(StrEnum):
    SCP = "scp"
    BOUNDARY = "boundary"


@dataclass(frozen=True)
class Cell:
    scenario: str
    target: str
    layer: Layer
    state: State
    note: str | None = None


def cells_of(estate: Estate) -> CellsOf:
    """A matrix by reach alone: what nobody under the target can do is covered."""

    def cells(target: str) -> list[Cell]:
        accounts = set(accounts_below(target, estate)) or {target}
        under = [one for one in estate.subjects.values() if one.arn == target or one.account_id in accounts]
        return [Cell(one.id, target, layer, state(one, under)) for one in (TRAIL, KEYS) for layer in Layer]

    def state(one: object, under: list) -> State:
        open_ones = [
            action
            for action in one.actions
            if any(subject.reach.maybe >> estate.catalogue.number(action) & 1 for subject in under)
        ]
        if not open_ones:
            return State.COVERED
        return State.GAP if len(open_ones) == len(one.actions) else State.PARTIAL

    return cells


def score_of(estate: Estate) -> ScoreOf:
    """A thousandth of a point for every action."""
    return lambda arn: estate.subjects[arn].reach.maybe.bit_count() / 1000


def effect_of(estate: Estate, draft: Draft, scores: Callable[[Estate], ScoreOf] | None = score_of):
    return compare(estate, draft, cells_of=cells_of, score_of=scores)


def draft(estate: Estate, *scenarios: object, target: str = OU_PROD, layer: str = "scp") -> Draft:
    return compose(scenarios or (TRAIL,), target, layer, estate, SETTINGS)


def test_the_cells_of_the_target_and_of_everything_below_are_compared():
    estate = world(role("app"), role("ci"), role("app", DEV))
    effect = effect_of(estate, draft(estate))
    assert {(one.scenario, one.target, one.before, one.after) for one in effect.cells} == {
        ("LOG-01", target, "gap", "covered") for target in (OU_PROD, PROD)
    }
    assert [(one.target, one.is_closed) for one in effect.drafted] == [(OU_PROD, True)]
    assert effect.still_open == ()


def test_scores_are_those_of_the_identities_that_it_limits():
    estate = world(role("app"), role("ci"), role("app", DEV))
    effect = effect_of(estate, draft(estate))
    assert {one.principal_arn: round(one.before - one.after, 3) for one in effect.scores} == {
        role("app"): 0.002,
        role("ci"): 0.002,
    }
    assert effect.identities_changed == 2
    assert effect.calls_broken is None
    assert effect_of(estate, draft(estate), None).scores == ()


def test_an_identity_that_could_not_do_it_anyway_is_not_changed():
    held = customer_boundary("workload", document(allow("s3:*")))
    estate = world(role("app"), role("ci"), boundaries={role("app"): held})
    effect = effect_of(estate, draft(estate))
    assert effect.identities_changed == 1
    assert effect.scores[0].principal_arn == role("ci")  # the largest change first


def test_of_an_identity_its_account_is_compared_too():
    estate = world(role("app"))
    effect = effect_of(estate, draft(estate, target=role("app"), layer="boundary"))
    assert {one.target for one in effect.cells} == {role("app"), PROD}


def test_a_proven_draft_is_the_draft():
    estate = world()
    made = draft(estate, TRAIL, KEYS)
    assert proven(made, effect_of(estate, made)) == made


def test_a_draft_that_leaves_a_cell_open_is_refused():
    estate = world()
    half = replace(draft(estate), policies=(DraftPolicy("x", document(deny("cloudtrail:StopLogging")), (OU_PROD,)),))
    with pytest.raises(DraftError, match=r"scenario `LOG-01` stays partial at `Root/Prod` in the layer `scp`"):
        proven(half, effect_of(estate, half))


def test_a_draft_that_makes_another_cell_worse_is_refused():
    """As one would that replaced a policy by its own."""
    guard = replace(customer_scp("guard", deny("kms:DisableKey")), attached_to=OU_PROD)
    estate = world(scps={OU_PROD: [guard]})
    made = draft(estate)
    worse = replace(
        made, policies=(replace(made.policies[0], replaces=guard, document=document(deny("cloudtrail:*"))),)
    )
    with pytest.raises(
        DraftError, match=r"would make scenario `KMS-01` at `ou-\S+` worse \(covered to gap in the layer"
    ):
        proven(worse, effect_of(estate, worse))


def test_a_draft_for_a_scenario_that_the_matrix_lacks_is_refused():
    estate = world()
    made = draft(estate, scenario("OWN-1", "s3:DeleteBucket"))
    with pytest.raises(DraftError, match="the matrix has no cell of scenario `OWN-1`"):
        proven(made, effect_of(estate, made))


def test_a_cell_that_only_becomes_conditional_says_why():
    estate = world()
    made = draft(estate)
    effect = effect_of(estate, made)
    (cell,) = effect.drafted
    conditional = replace(effect, drafted=(replace(cell, after="conditional", note="one deny hangs on the key"),))
    assert proven(made, conditional).notes[-1] == "`LOG-01` becomes conditional, not covered: one deny hangs on the key"


@pytest.mark.parametrize(
    ("before", "after", "worse", "closed"),
    [
        ("gap", "covered", False, True),
        ("partial", "conditional", False, True),
        ("conditional", "covered", False, False),
        ("covered", "conditional", True, False),
        ("partial", "gap", True, False),
        ("covered", "covered", False, False),
        ("unknown", "covered", False, True),
        ("covered", "unknown", True, False),
        ("not_applicable", "not_applicable", False, False),
    ],
)
def test_cells_are_compared_in_the_order_of_their_states(before, after, worse, closed):
    change = CellChange("LOG-01", ROOT, "scp", before, after)
    assert (change.is_worse, change.is_closed) == (worse, closed)


# Kept, and looked at again in a later estate

LIMITS = SETTINGS.limits


def test_a_kept_draft_fits_the_estate_that_it_was_made_in():
    estate = world()
    made = draft(estate)
    assert today(made, estate, LIMITS).draft == made
    assert today(made, estate, LIMITS).problems == ()


def test_a_draft_that_is_in_force_has_nothing_left_to_do():
    estate = world()
    made = draft(estate)
    found = today(made, with_policies(estate, made.policies, "scp"), LIMITS)
    assert found.draft is not None
    assert found.draft.policies == ()
    assert found.problems == ("policy `headroom-log-01` is in force already",)


def test_a_policy_that_was_changed_meanwhile_is_not_overwritten():
    guard = customer_scp("guard", deny("s3:DeleteBucket"))
    made = draft(world(scps={OU_PROD: [guard]}))
    later = world(scps={OU_PROD: [replace(guard, document=document(deny("s3:DeleteBucket"), deny("sqs:*")))]})
    found = today(made, later, LIMITS)
    assert found.draft is not None
    assert found.draft.policies == ()
    assert found.problems == ("policy `guard` was changed since the draft was made; make the draft again",)
    gone = today(made, world(), LIMITS)
    assert gone.problems == (
        "policy `guard`, which the draft changes, is not attached there any more; make the draft again",
    )


def test_a_target_that_is_gone_is_told():
    made = draft(world())
    assert today(made, world(organization=False), LIMITS).draft is None
    assert "holds no organisation" in today(made, world(organization=False), LIMITS).problems[0]


def test_identities_that_are_gone_are_counted_and_the_others_evaluated():
    made = draft(world(role("app"), role("ci")), target=PROD, layer="boundary")
    found = today(made, world(role("app"), role("new")), LIMITS)
    assert found.draft is not None
    assert [one.attach_to for one in found.draft.policies] == [(role("app"),)]
    assert found.problems == ("1 of its 2 identities are gone",)


def test_a_node_that_has_filled_up_is_told():
    made = draft(world())
    full = [customer_scp(f"guard-{n}", deny("s3:DeleteBucket")) for n in range(9)]
    found = today(made, world(scps={OU_PROD: full}), LIMITS)
    assert found.problems == ("`Root/Prod` has no attachment left for it (10 at most)",)
    assert found.draft == made
