"""Explain: why a principal may or may not, layer by layer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analytics.engine.decide import Result
from analytics.engine.explain import Says, UnknownActionError, explain
from analytics.engine.reach import Reachable
from analytics.iam.policy import Principals
from tests.builders import ACCOUNT, MFA, ROLE, allow, catalogue, condition, deny, document, principal, stack

CATALOGUE = catalogue("s3:GetObject", "iam:PassRole", "kms:Decrypt", wildcard_only=["s3:ListAllMyBuckets"])
REACHABLE = Reachable(CATALOGUE)
OBJECT = "arn:aws:s3:::logs/a"
EVERYTHING = [allow("*", sid="Full")]
NO_OTHER_REGION = deny("*", condition=(condition("StringNotEquals", "aws:RequestedRegion", "eu-west-1"),), sid="EuOnly")


def answers(explanation):
    """(layer, what it says, the Sids or positions of its statements), from the identity on."""
    return [
        (one.layer, str(one.result), [ref.sid or ref.index for ref in one.statements]) for one in explanation.layers
    ]


def test_an_allowed_action_shows_what_allows_it_in_every_layer():
    of = stack(allow("s3:Get*", sid="Read"), boundary=EVERYTHING, scps=[EVERYTHING, EVERYTHING])
    explained = explain(REACHABLE, of, "S3:getobject", OBJECT)
    assert explained.decision is Result.ALLOWED
    assert (explained.principal_arn, explained.action, explained.resource) == (ROLE, "s3:GetObject", OBJECT)
    assert answers(explained) == [
        ("identity", "allows", ["Read"]),
        ("boundary", "allows", ["Full"]),
        ("scp", "allows", ["Full"]),
        ("scp", "allows", ["Full"]),
    ]
    assert [one.name for one in explained.layers] == [ROLE, "boundary", "scp-0", "scp-1"]


def test_a_deny_shows_its_statement_and_level():
    scps = [EVERYTHING, [*EVERYTHING, deny("s3:*", sid="NoS3")]]
    explained = explain(REACHABLE, stack(allow("*"), scps=scps), "s3:GetObject", OBJECT)
    assert explained.decision is Result.EXPLICITLY_DENIED
    assert answers(explained)[-1] == ("scp", "denies", ["NoS3"])
    assert explained.layers[-1].statements[0].attached_to == "scp-1"


def test_a_layer_without_an_allow_is_named():
    of = stack(allow("*"), boundary=[allow("s3:*")], scps=[EVERYTHING])
    explained = explain(REACHABLE, of, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/x")
    assert explained.decision is Result.IMPLICITLY_DENIED
    assert answers(explained)[1] == ("boundary", "does not allow", [])


def test_a_key_that_is_not_known_leaves_the_answer_open_and_is_named():
    of = stack(allow("*"), scps=[[*EVERYTHING, NO_OTHER_REGION]])
    for resource in (OBJECT, None):
        explained = explain(REACHABLE, of, "s3:GetObject", resource)
        assert explained.decision is Result.UNDECIDABLE
        assert explained.unknown_keys == ("aws:requestedregion",)
        assert answers(explained)[1] == ("scp", "depends", ["Full", "EuOnly"])


def test_what_is_known_of_the_principal_decides():
    spared = condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/break-glass")
    scps = [[*EVERYTHING, deny("*", condition=(spared,), sid="BreakGlassOnly")]]
    denied = explain(REACHABLE, stack(allow("*"), scps=scps), "s3:GetObject", OBJECT)
    assert (denied.decision, denied.unknown_keys) == (Result.EXPLICITLY_DENIED, ())
    glass = principal(f"arn:aws:iam::{ACCOUNT}:role/break-glass")
    assert (
        explain(REACHABLE, stack(allow("*"), scps=scps, who=glass), "s3:GetObject", OBJECT).decision is Result.ALLOWED
    )


def test_without_a_resource_a_scoped_statement_leaves_a_doubt():
    of = stack(allow("s3:*", on="arn:aws:s3:::logs/*", sid="Logs"))
    explained = explain(REACHABLE, of, "s3:GetObject")
    assert (explained.decision, explained.resource) == (Result.UNDECIDABLE, None)
    assert answers(explained) == [("identity", "depends", ["Logs"])]
    assert explain(REACHABLE, of, "s3:GetObject", "arn:aws:s3:::other/a").decision is Result.IMPLICITLY_DENIED


def test_a_wildcard_only_action_is_asked_of_the_star():
    explained = explain(REACHABLE, stack(allow("s3:*", on="arn:aws:s3:::logs/*")), "s3:ListAllMyBuckets")
    assert (explained.decision, explained.resource) == (Result.IMPLICITLY_DENIED, "*")


@pytest.mark.parametrize(
    ("statements", "decision"),
    [
        ([allow("*")], Result.ALLOWED),
        ([allow("*"), deny("s3:*")], Result.EXPLICITLY_DENIED),
        ([allow("*"), deny("s3:*", condition=(MFA,))], Result.UNDECIDABLE),
        ([allow("iam:*")], Result.IMPLICITLY_DENIED),
        ([], Result.IMPLICITLY_DENIED),
    ],
)
def test_over_every_resource_the_decision_follows_the_layers(statements, decision):
    assert explain(REACHABLE, stack(*statements), "s3:GetObject").decision is decision


def test_a_boundary_that_was_not_collected_leaves_the_answer_open():
    explained = explain(REACHABLE, stack(allow("*"), boundary_not_collected=True), "s3:GetObject", OBJECT)
    assert explained.decision is Result.UNDECIDABLE
    assert explained.layers[-1].result is Says.NOT_COLLECTED
    assert "boundary" in explained.notes[0]


def test_a_policy_that_was_not_collected_is_named():
    of = replace(stack(allow("iam:*")), not_collected=("arn:aws:iam::1:policy/Lost",))
    explained = explain(REACHABLE, of, "s3:GetObject", OBJECT)
    assert explained.decision is Result.UNDECIDABLE
    assert "`arn:aws:iam::1:policy/Lost`" in explained.notes[0]


def test_a_deny_stays_a_deny_whatever_was_not_collected():
    of = replace(stack(deny("s3:*")), not_collected=("Lost",), boundary_not_collected=True)
    assert explain(REACHABLE, of, "s3:GetObject", OBJECT).decision is Result.EXPLICITLY_DENIED


def test_another_accounts_resource_needs_its_own_policy():
    key = "arn:aws:kms:eu-west-1:999999999999:key/k"
    explained = explain(REACHABLE, stack(allow("*")), "kms:Decrypt", key)
    assert explained.decision is Result.UNDECIDABLE
    assert "resource's own policy" in explained.notes[0]
    granting = document(allow("kms:Decrypt", principal=Principals(aws=(ACCOUNT,))))
    assert (
        explain(REACHABLE, stack(allow("*")), "kms:Decrypt", key, resource_policy=granting).decision is Result.ALLOWED
    )


def test_resource_control_policies_bind_only_resources_of_their_account():
    of = stack(allow("*"), rcps=[[*EVERYTHING, deny("kms:*", sid="NoKms")]])
    own = explain(REACHABLE, of, "kms:Decrypt", f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/k")
    assert answers(own)[-1] == ("rcp", "denies", ["NoKms"])
    other = explain(REACHABLE, of, "kms:Decrypt", "arn:aws:kms:eu-west-1:999999999999:alias/k")
    assert [one.layer for one in other.layers] == ["identity"]


def test_the_root_user_is_allowed_without_a_policy():
    root = principal(f"arn:aws:iam::{ACCOUNT}:root")
    assert answers(explain(REACHABLE, stack(who=root), "s3:GetObject", OBJECT)) == [("identity", "allows", [])]


def test_an_action_that_does_not_exist_is_refused_with_what_to_do():
    with pytest.raises(UnknownActionError, match="`s3:Fetch` is not an action"):
        explain(REACHABLE, stack(), "s3:Fetch")


def test_a_decision_that_stands_names_no_key_that_could_change_it():
    scps = [[*EVERYTHING, NO_OTHER_REGION, deny("s3:GetObject", sid="NoReads")]]
    explained = explain(REACHABLE, stack(allow("s3:*"), scps=scps), "s3:GetObject")
    assert (explained.decision, explained.unknown_keys) == (Result.EXPLICITLY_DENIED, ())
