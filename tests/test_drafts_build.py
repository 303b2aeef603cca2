"""A draft's statements: the condition that stops the probe, as few and as small as they can be, inside the quota."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.engine.reach_layers import spoken_of
from analytics.findings.drafts.conditions import DraftError, blocks_of
from analytics.findings.drafts.merge import shortest, smallest
from analytics.findings.drafts.rules import draft_rules
from analytics.findings.drafts.size import Limit, characters, compact, compact_text, document_of, documents_of
from analytics.findings.drafts.statements import Deny, Known, denies_of, statement_of
from analytics.iam.catalogue import load_catalogue
from analytics.iam.condition import Context, condition_truth
from analytics.iam.match import action_matches, text_matches
from analytics.iam.policy import Condition, Effect, Principals, Statement, parse_policy
from tests.builders import allow, condition, deny, document
from tests.draft_world import LISTS, scenario

CATALOGUE = load_catalogue()
RULES = draft_rules()
KNOWN = Known(CATALOGUE, RULES, LISTS)


def blocks(context: dict[str, object], action: str = "ec2:RunInstances") -> tuple[tuple[Condition, ...], ...]:
    keys = CATALOGUE.condition_keys(action)
    return blocks_of(context, action, scenario="X-01", lists=LISTS, keys=keys, rules=RULES)


@pytest.mark.parametrize(
    ("context", "action", "expected"),
    [
        (
            {"aws:RequestedRegion": {"outside": "approved_regions"}},
            "ec2:RunInstances",
            (((condition("StringNotEquals", "aws:RequestedRegion", "eu-central-1", "eu-west-1")),),),
        ),
        (  # a launch is checked against its subnet too, which has no instance type
            {"ec2:InstanceType": {"outside": "approved_instance_types"}},
            "ec2:RunInstances",
            (
                (
                    condition("StringNotLike", "ec2:InstanceType", "m5.large", "t3.*"),
                    condition("Null", "ec2:InstanceType", "false"),
                ),
            ),
        ),
        (  # several values in one key
            {"sagemaker:InstanceTypes": {"outside": "approved_instance_types"}},
            "sagemaker:CreateTrainingJob",
            ((condition("ForAnyValue:StringNotLike", "sagemaker:InstanceTypes", "m5.large", "t3.*"),),),
        ),
        (  # a negated operator holds without the key as well
            {"iam:PermissionsBoundary": [{"absent": True}, {"outside": "approved_boundaries"}]},
            "iam:CreateRole",
            ((condition("StringNotLike", "iam:PermissionsBoundary", "arn:aws:iam::*:policy/boundary/workload"),),),
        ),
        (
            {"iam:PermissionsBoundary": {"absent": True}},
            "iam:CreateRole",
            ((condition("Null", "iam:PermissionsBoundary", "true"),),),
        ),
        (
            {"aws:PrincipalArn": "arn:aws:iam::<account>:root"},
            "iam:CreateUser",
            ((condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:root"),),),
        ),
        (
            {"ram:RequestedAllowsExternalPrincipals": "true"},
            "ram:CreateResourceShare",
            ((condition("Bool", "ram:RequestedAllowsExternalPrincipals", "true"),),),
        ),
        (  # an action's own keys stand in the place of the general ones
            {
                "ram:RequestedAllowsExternalPrincipals": "true",
                "ram:AssociateResourceShare": {"ram:AllowsExternalPrincipals": "true"},
            },
            "ram:AssociateResourceShare",
            ((condition("Bool", "ram:AllowsExternalPrincipals", "true"),),),
        ),
        (  # the text `*`, which a pattern would widen to every principal; the other action lacks the key
            {"lambda:FunctionUrlAuthType": "NONE", "lambda:Principal": "*"},
            "lambda:AddPermission",
            (
                (condition("StringEquals", "lambda:FunctionUrlAuthType", "NONE"),),
                (condition("StringEquals", "lambda:Principal", "*"),),
            ),
        ),
        (
            {"lambda:FunctionUrlAuthType": "NONE", "lambda:Principal": "*"},
            "lambda:CreateFunctionUrlConfig",
            ((condition("StringEquals", "lambda:FunctionUrlAuthType", "NONE"),),),
        ),
        (  # lists hold together: a caller of the organisation that is no vendor's account is not meant
            {
                "aws:PrincipalOrgID": {"outside": "own_organization_id"},
                "aws:PrincipalAccount": {"outside": "approved_vendor_accounts"},
            },
            "sts:AssumeRole",
            (
                (
                    condition("StringNotEquals", "aws:PrincipalOrgID", "o-exampleorg"),
                    condition("StringNotEquals", "aws:PrincipalAccount", "464622532012"),
                ),
            ),
        ),
    ],
)
def test_the_condition_asks_what_the_probe_is(context, action, expected):
    assert blocks(context, action) == expected


def test_a_list_that_nobody_named_is_asked_for():
    with pytest.raises(
        DraftError, match=r"scenario `X-01` is about the list `approved_models`.* key `approved_models`"
    ):
        blocks({"aws:RequestedRegion": {"outside": "approved_models"}})


def test_an_action_that_is_granted_on_everything_is_denied_on_everything():
    known = replace(KNOWN, resources=("arn:aws:secretsmanager:*:*:secret:prod/*",))
    two = scenario("DATA-05", "secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue")
    found = {one.resource: one.action for one in denies_of(two, "scp", known, ())}
    assert found == {
        ("*",): ("secretsmanager:BatchGetSecretValue",),
        ("arn:aws:secretsmanager:*:*:secret:prod/*",): ("secretsmanager:GetSecretValue",),
    }


def test_an_rcp_speaks_of_every_principal_and_leaves_services_alone():
    one = scenario("KMS-01", "kms:DisableKey", best_layer="rcp")
    (found,) = denies_of(one, "rcp", KNOWN, ("arn:aws:iam::*:role/custodian",))
    statement = statement_of(found, "rcp", "KMS01")
    assert statement.principal == Principals(everyone=True)
    assert statement.condition == (
        condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/custodian"),
        condition("BoolIfExists", "aws:PrincipalIsAWSService", "false"),
    )


@pytest.mark.parametrize(
    ("fields", "layer", "reason"),
    [
        ({}, "rcp", r"no RCP binds `cloudtrail:StopLogging` of scenario `X-01`; use the layer `scp`"),
        ({"other_layers": ("boundary",)}, "rcp", r"use the layer `scp` or `boundary`"),
        ({"best_layer": "declarative"}, "rcp", r"use the layer `scp`$"),
        ({"principal": "root_user"}, "boundary", r"about the root user, who can hold no boundary; use the layer `scp`"),
        ({}, "identity", r"`identity` is not a layer that can be drafted; the layers are scp, rcp, boundary"),
        (
            {"probe_context": {"aws:PrincipalOrgID": {"outside": "own_organization_id"}}},
            "scp",
            r"callers from outside the organisation, and an SCP binds its own principals alone; use the layer `rcp`",
        ),
    ],
)
def test_a_layer_that_cannot_act_is_refused_and_one_that_can_is_named(fields, layer, reason):
    with pytest.raises(DraftError, match=reason):
        denies_of(scenario(**fields), layer, KNOWN, ())


def test_grants_for_services_stay_allowed_where_that_is_usual():
    one = scenario("KMS-02", "kms:PutKeyPolicy", "kms:CreateGrant", usual_exemptions=("AWS services through grants",))
    found = {deny.action: deny.condition for deny in denies_of(one, "scp", KNOWN, ())}
    assert found == {
        ("kms:PutKeyPolicy",): (),
        ("kms:CreateGrant",): (condition("BoolIfExists", "kms:GrantIsForAWSResource", "false"),),
    }


ROLE_A, ROLE_B = "arn:aws:iam::*:role/a", "arn:aws:iam::*:role/b"
NOT_A = condition("ArnNotLike", "aws:PrincipalArn", ROLE_A)
NOT_A_OR_B = condition("ArnNotLike", "aws:PrincipalArn", ROLE_A, ROLE_B)
STOP, DELETE = "cloudtrail:StopLogging", "cloudtrail:DeleteTrail"


@pytest.mark.parametrize(
    ("attached", "left"),
    [
        (deny(STOP), (DELETE,)),  # whatever the condition of the draft
        (deny(STOP, condition=(NOT_A,)), (DELETE,)),  # stricter: it leaves out fewer
        (deny("cloudtrail:S*", "cloudtrail:Delete*", condition=(NOT_A_OR_B,)), ()),
        (deny(not_action=("s3:*",)), ()),
        (deny(STOP, on="arn:aws:cloudtrail:*:*:trail/main"), (DELETE, STOP)),  # not on every trail
        (deny(STOP, condition=(condition("Bool", "aws:SecureTransport", "false"),)), (DELETE, STOP)),
        (
            deny(STOP, condition=(condition("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/c"),)),
            (DELETE, STOP),
        ),
        (allow(STOP), (DELETE, STOP)),
        (deny(STOP, principal=Principals(aws=("arn:aws:iam::111122223333:root",))), (DELETE, STOP)),
    ],
)
def test_what_is_denied_already_is_not_repeated(attached, left):
    drafted = Deny((DELETE, STOP), condition=(NOT_A_OR_B,), scenarios=("LOG-01",))
    found = smallest([drafted], [document(attached)], "scp", CATALOGUE)
    assert tuple(action for one in found for action in one.action) == left


def test_statements_of_the_same_requests_are_one():
    found = smallest(
        [
            Deny((STOP,), condition=(NOT_A,), scenarios=("LOG-01",)),
            Deny(("s3:DeleteBucket",), condition=(NOT_A,), scenarios=("BAK-02",)),
            Deny(("s3:PutBucketPolicy",), scenarios=("DATA-02",)),
        ],
        [],
        "scp",
        CATALOGUE,
    )
    assert {(one.action, one.scenarios) for one in found} == {
        ((STOP, "s3:DeleteBucket"), ("BAK-02", "LOG-01")),
        (("s3:PutBucketPolicy",), ("DATA-02",)),
    }


def test_a_wider_statement_of_the_same_draft_makes_a_narrower_one_needless():
    root = condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:root")
    (found,) = smallest(
        [Deny(("iam:CreateAccessKey",), condition=(root,)), Deny(("*",), condition=(root,))], [], "scp", CATALOGUE
    )
    assert found.action == ("*",)


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        (("iam:PassRole",), ("iam:PassRole",)),  # never `iam:PassR*`: a wildcard for one action only hides it
        (("ssm:GetParameters", "ssm:GetParametersByPath"), ("ssm:GetParameters*",)),
        (("s3:GetObject", "s3:DeleteBucket"), ("s3:DeleteBucket", "s3:GetObject")),
        (tuple(CATALOGUE.names(CATALOGUE.expand("sqs:*"))), ("sqs:*",)),
    ],
)
def test_actions_are_written_in_the_fewest_patterns(actions, expected):
    assert shortest(CATALOGUE.mask(actions), CATALOGUE) == expected


SERVICES = [
    name for service in ("sqs", "kms", "cloudtrail") for name in CATALOGUE.names(CATALOGUE.expand(f"{service}:*"))
]


@given(st.sets(st.sampled_from(SERVICES), min_size=1))
def test_patterns_match_these_actions_and_no_others(actions):
    mask = CATALOGUE.mask(actions)
    patterns = shortest(mask, CATALOGUE)
    matched = [CATALOGUE.expand(pattern) for pattern in patterns]
    assert sum(matched) == mask  # each exactly once
    assert len(patterns) <= len(actions)


# Requests and statements of a small world, in which every combination can be tried.
ACTIONS = ("sqs:SendMessage", "sqs:DeleteQueue", "kms:Decrypt", "kms:DisableKey")
RESOURCES = ("*", "arn:aws:sqs:eu-west-1:1:a", "arn:aws:sqs:eu-west-1:1:ab")
PATTERNS = ("*", "arn:aws:sqs:*:*:a", "arn:aws:sqs:*:*:a*", "arn:aws:sqs:*:*:a?", "arn:aws:sqs:*:*:ab")
CALLERS = ("arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b", "arn:aws:iam::1:role/c")
REGIONS = (None, "eu-west-1", "us-east-1")
OPERATORS = ("ArnLike", "ArnNotLike", "StringNotEqualsIfExists", "StringEquals", "ForAnyValue:StringNotEquals")


@st.composite
def conditions(draw: st.DrawFn) -> tuple[Condition, ...]:
    key, values = draw(st.sampled_from([("aws:PrincipalArn", CALLERS), ("aws:RequestedRegion", REGIONS[1:])]))
    operator = draw(st.sampled_from(OPERATORS if key == "aws:PrincipalArn" else OPERATORS[2:]))
    chosen = draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True))
    one = condition(operator, draw(st.sampled_from([key, key.lower()])), *sorted(chosen))
    return draw(st.sampled_from([(), (one,), (one,)]))


def sorted_list(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(sorted).map(tuple)


def deny_of(**parts: object) -> Statement:
    return Statement(Effect.DENY, **parts)


drafted = st.builds(
    Deny, action=sorted_list(ACTIONS), resource=sorted_list(PATTERNS), condition=conditions(), scenarios=st.just(("X",))
)
held = st.one_of(
    st.builds(deny_of, action=sorted_list((*ACTIONS, "sqs:*")), resource=sorted_list(PATTERNS), condition=conditions()),
    st.builds(
        deny_of,
        not_action=sorted_list(("sqs:*", "kms:Decrypt")),
        resource=sorted_list(PATTERNS),
        condition=conditions(),
    ),
    st.builds(deny_of, action=sorted_list(ACTIONS), not_resource=sorted_list(PATTERNS[1:]), condition=conditions()),
)


def denies(statement: Statement, action: str, resource: str, caller: str, region: str | None) -> bool:
    """By the definition, one request at a time."""
    named = any(action_matches(pattern, action) for pattern in statement.not_action or statement.action)
    where = any(text_matches(pattern, resource) for pattern in statement.not_resource or statement.resource)
    values = {"aws:principalarn": (caller,)} | ({"aws:requestedregion": (region,)} if region else {})
    return (
        named != bool(statement.not_action)
        and where != bool(statement.not_resource)
        and all(condition_truth(one, Context(values)) is True for one in statement.condition)
    )


@given(st.lists(drafted, min_size=1, max_size=4), st.lists(held, max_size=3))
def test_smaller_says_the_same(asked, attached):
    found = smallest(asked, [document(*attached)], "scp", CATALOGUE)
    before = [*attached, *(statement_of(one, "scp", None) for one in asked)]
    after = [*attached, *(statement_of(one, "scp", None) for one in found)]
    for request in product(ACTIONS, RESOURCES, CALLERS, REGIONS):
        assert any(denies(one, *request) for one in before) == any(denies(one, *request) for one in after)
    assert len(found) <= len(asked)


@given(st.lists(drafted, min_size=1, max_size=4), st.lists(held, max_size=3))
def test_smaller_stays_small(asked, attached):
    once = smallest(asked, [document(*attached)], "scp", CATALOGUE)
    assert set(smallest(once, [document(*attached)], "scp", CATALOGUE)) == set(once)


BLOCKS = ((), (NOT_A,), (NOT_A_OR_B,))
large = st.builds(
    Deny,
    action=st.sets(st.sampled_from(SERVICES), min_size=1, max_size=40).map(sorted).map(tuple),
    condition=st.sampled_from(BLOCKS),
    scenarios=st.sampled_from([("LOG-01",), ("KMS-01",), ("KMS-01", "LOG-01")]),
)


@given(st.lists(large, min_size=1, max_size=5), st.integers(400, 1500))
def test_a_split_denies_the_same_in_documents_that_fit(asked, most):
    documents = documents_of(asked, "scp", Limit(most, 5))
    assert max(map(characters, documents)) <= most
    for block in BLOCKS:
        wanted = [statement_of(one, "scp", None) for one in asked if one.condition == block]
        found = [one for made in documents for one in made.statements if one.condition == block]
        assert union(found) == union(wanted)
    for made in documents:
        sids = [statement.sid for statement in made.statements]
        assert len(set(sids)) == len(sids)
        assert all(sid and sid.isalnum() and len(sid) <= 64 for sid in sids)
    assert len(documents) == 1 or sum(map(characters, documents)) > most  # not split without need


def union(statements: list[Statement]) -> int:
    mask = 0
    for statement in statements:
        mask |= spoken_of(statement, CATALOGUE)
    return mask


def test_a_list_of_resources_is_divided_where_one_action_has_many():
    many = tuple(f"arn:aws:sqs:*:*:queue-{number}" for number in range(100))
    documents = documents_of([Deny(("sqs:DeleteQueue",), resource=many, scenarios=("X-01",))], "scp", Limit(1000, 5))
    assert len(documents) > 1
    found = [pattern for made in documents for one in made.statements for pattern in one.resource]
    assert sorted(found) == sorted(many)


def test_a_list_of_principals_cannot_be_divided():
    many = tuple(f"arn:aws:iam::111122223333:role/role-{number}" for number in range(200))
    asked = [Deny((STOP,), condition=(condition("ArnNotLike", "aws:PrincipalArn", *many),), scenarios=("LOG-01",))]
    with pytest.raises(
        DraftError, match=r"the deny for `LOG-01` has [\d,]+ characters and a document holds 5,120; exempt"
    ):
        documents_of(asked, "scp", Limit(5_120, 5))


@given(st.lists(large, min_size=1, max_size=3), st.sampled_from(["scp", "rcp"]))
def test_the_short_form_is_the_same_policy(asked, layer):
    made = document_of(asked, layer)
    assert parse_policy(compact_text(made), name="draft") == made
    assert characters(made) == len(compact_text(made))
    assert " " not in compact_text(made)


def test_lists_of_one_are_printed_as_the_one():
    printed = compact(document_of([Deny((STOP,), condition=(NOT_A,), scenarios=("LOG-01",))], "rcp"))
    assert printed["Statement"] == [
        {
            "Sid": "LOG01",
            "Effect": "Deny",
            "Principal": "*",
            "Action": STOP,
            "Resource": "*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": ROLE_A}},
        }
    ]
