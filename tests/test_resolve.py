"""From event names to IAM actions: the rules in order, and the share of real events that they explain."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.iam.catalogue import load_catalogue
from analytics.sources.resolve import ActionsOf, EventTables, Outcome, Resolver

REAL_EVENTS = Path(__file__).parent / "data" / "cloudtrail"
RESOLVER = Resolver.load(load_catalogue())
ACTIONS = frozenset(load_catalogue().actions)
SOURCES = ["s3.amazonaws.com", "lambda.amazonaws.com", "kms.amazonaws.com", "monitoring.amazonaws.com", "s3", ""]
NAMES = ["GetObject", "ListBuckets", "ListFunctions20150331", "Decrypt", "PutMetricAlarm", "20150331", ""]


@pytest.mark.parametrize(
    ("source", "name", "expected"),
    [
        ("ec2", "DescribeInstances", ("ec2:DescribeInstances",)),  # an action of the same name
        ("S3", "getobject", ("s3:GetObject",)),  # the answer comes back in AWS's case
        ("monitoring", "DescribeAlarms", ("cloudwatch:DescribeAlarms",)),  # source and IAM prefix differ
        ("amazonmq", "ListConfigurations", ("mq:ListConfigurations",)),
        ("s3", "ListBuckets", ("s3:ListAllMyBuckets",)),  # the action has another name
        ("s3", "HeadObject", ("s3:GetObject",)),
        ("lambda", "Invoke", ("lambda:InvokeFunction",)),
        ("lambda", "ListFunctions20150331", ("lambda:ListFunctions",)),  # API version in the name
        ("lambda", "UpdateFunctionCode20150331v2", ("lambda:UpdateFunctionCode",)),
        ("cloudfront", "ListDistributions2020_05_31", ("cloudfront:ListDistributions",)),
        ("kms", "ReEncrypt", ("kms:ReEncryptFrom", "kms:ReEncryptTo")),  # one call, two actions
        ("autoscaling", "RegisterScalableTarget", ("application-autoscaling:RegisterScalableTarget",)),
        ("amplify", "CreateWebhook", ("amplify:CreateWebHook",)),  # two spellings are one action, no choice
    ],
)
def test_an_event_resolves_to_the_actions_that_it_needed(source, name, expected):
    resolution = RESOLVER.resolve(f"{source}.amazonaws.com", name, "AwsApiCall")
    assert (resolution.outcome, resolution.all, resolution.any) == (Outcome.RESOLVED, expected, ())


def test_an_api_version_is_looked_up_in_the_operation_table_too():
    resolution = RESOLVER.resolve("lambda.amazonaws.com", "CreateFunction20150331")
    assert resolution.all == ("lambda:CreateFunction",)
    assert "iam:PassRole" in resolution.also  # perhaps needed: depends on the parameters


def test_where_either_of_several_actions_may_have_authorised_the_call_none_is_taken_as_used():
    resolution = RESOLVER.resolve("s3.amazonaws.com", "DeleteObjects")
    assert resolution.outcome is Outcome.RESOLVED
    assert resolution.all == ()
    assert resolution.any == ("s3:DeleteObject", "s3:DeleteObjectVersion")


@pytest.mark.parametrize(
    ("source", "name", "event_type", "basis"),
    [
        ("ec2", "DescribeInstances", "AwsServiceEvent", "not_an_authorised_call"),  # the type outranks the name
        ("signin", "ConsoleLogin", None, "console_sign_in"),
        ("sts", "GetCallerIdentity", "AwsApiCall", "no_permission_needed"),  # although the action exists
        ("sts", "AssumeRoleWithWebIdentity", "AwsApiCall", "trust_policy_only"),
        ("ec2", "DescribeInstances", "AwsVpceEvent", "not_an_authorised_call"),
    ],
)
def test_events_that_are_no_authorised_call_are_not_iam(source, name, event_type, basis):
    resolution = RESOLVER.resolve(f"{source}.amazonaws.com", name, event_type)
    assert resolution.outcome is Outcome.NOT_IAM
    assert resolution.basis == basis
    assert (resolution.all, resolution.any, resolution.also) == ((), (), ())


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("cloudhsm.amazonaws.com", "ListLunaClients"),  # CloudHSM Classic, gone from the catalogue
        ("iotevents.amazonaws.com", "CreateInput"),  # in the operation table, but no action any more
        ("lambda.amazonaws.com", "20150331"),
        ("", ""),
    ],
)
def test_what_no_rule_explains_is_unresolved_and_says_so(source, name):
    resolution = RESOLVER.resolve(source, name)
    assert resolution.outcome is Outcome.UNRESOLVED
    assert resolution.basis == "no rule"


def test_an_entry_keeps_what_still_exists_and_names_each_action_once():
    entry = ActionsOf(("s3:GetObject", "s3:Retired"), (), ("s3:getobject", "s3:PutObject", "s3:Retired"))
    tables = EventTables({}, {("s3", "copy"): entry}, {}, {})
    resolution = Resolver(["s3:GetObject", "s3:PutObject"], tables).resolve("s3.amazonaws.com", "Copy")
    assert (resolution.all, resolution.also) == (("s3:GetObject",), ("s3:PutObject",))


def test_one_of_two_is_still_a_guess_when_the_other_is_retired():
    tables = EventTables({}, {("s3", "either"): ActionsOf((), ("s3:GetObject", "s3:Retired"), ())}, {}, {})
    resolution = Resolver(["s3:GetObject"], tables).resolve("s3.amazonaws.com", "Either")
    assert (resolution.all, resolution.any) == ((), ("s3:GetObject",))


def test_china_has_another_ending():
    assert RESOLVER.resolve("s3.amazonaws.com.cn", "GetObject").all == ("s3:GetObject",)


@given(
    source=st.sampled_from(SOURCES) | st.text(),
    name=st.sampled_from(NAMES) | st.text(),
    event_type=st.none() | st.sampled_from(["AwsApiCall", "AwsServiceEvent"]) | st.text(),
)
def test_any_text_gets_an_answer_and_only_actions_that_exist(source, name, event_type):
    resolution = RESOLVER.resolve(source, name, event_type)
    named = [*resolution.all, *resolution.any, *resolution.also]
    assert ACTIONS.issuperset(named)
    assert len(named) == len(set(named))
    assert bool(resolution.all or resolution.any) == (resolution.outcome is Outcome.RESOLVED)
    assert len(resolution.any) != 1
    assert resolution.basis


@given(st.sampled_from(sorted(ACTIONS)))
def test_an_event_of_an_actions_own_name_resolves_unless_it_is_no_iam_call(action):
    service, name = action.split(":")
    assert RESOLVER.resolve(f"{service}.amazonaws.com", name).outcome is not Outcome.UNRESOLVED


def test_996_in_1000_distinct_real_events_resolve():
    """Invictus, Stratus Red Team and flaws.cloud; what stays unresolved is named here, so that a change shows."""
    files = [file for name in ("invictus", "stratus", "flaws") for file in (REAL_EVENTS / name).rglob("*.json.gz")]
    records = [record for file in files for record in json.loads(gzip.decompress(file.read_bytes()))["Records"]]
    outcomes = {
        (record["eventSource"], record["eventName"]): RESOLVER.resolve(
            record["eventSource"], record["eventName"], record.get("eventType")
        ).outcome
        for record in records
    }
    authorised = [pair for pair, outcome in outcomes.items() if outcome is not Outcome.NOT_IAM]
    unresolved = [pair for pair in authorised if outcomes[pair] is Outcome.UNRESOLVED]
    assert len(records) > 2000
    assert len(authorised) > 300
    assert unresolved == [("cloudhsm.amazonaws.com", "ListLunaClients")]
    assert 1 - len(unresolved) / len(authorised) >= 0.996
