"""Hypothesis strategies for policies, stacks and requests over one small catalogue."""

from __future__ import annotations

from hypothesis import strategies as st

from analytics.iam.policy import Effect, Statement
from tests.builders import ACCOUNT, ROLE, allow, catalogue, condition, principal, stack

SMALL = catalogue(
    "s3:GetObject",
    "s3:GetBucketAcl",
    "s3:PutObject",
    "iam:PassRole",
    "iam:CreateUser",
    wildcard_only=["s3:ListAllMyBuckets", "iam:ListUsers", "ec2:DescribeRegions"],
)
BUCKET = "arn:aws:s3:::logs"

action_patterns = st.sampled_from(
    [
        "*",
        "*:*",
        "s3:*",
        "s3:Get*",
        "S3:get*",
        "s3:?etObject",
        "iam:*",
        "iam:PassRole",
        "*:List*",
        "s3:GetObject",
        "ec2:*",
        "s3:PutObject",
        "iam:C*U*r",
        "s3:Nothing",
        "s3:Get*, s3:Put*",
    ],
)
resource_patterns = st.sampled_from(
    [
        "*",
        "**",
        "?",
        "*?",
        BUCKET,
        f"{BUCKET}/*",
        "arn:aws:s3:::*",
        "arn:aws:iam::*:role/*",
        "arn:aws:s3:::${aws:username}/*",
    ],
)
WHO = principal(
    ROLE,
    tags=(("team", "payments"),),
    organization_id="o-example",
    organization_path="o-example/r-ab12/ou-ab12-11111111/",
    unique_id="AROAEXAMPLE",
)
# How each condition falls for WHO, whatever it requests.
CONDITIONS = {
    condition("Bool", "aws:MultiFactorAuthPresent", "true"): "sometimes",
    condition("BoolIfExists", "aws:MultiFactorAuthPresent", "true"): "sometimes",
    condition("IpAddress", "aws:SourceIp", "10.0.0.0/8"): "sometimes",
    condition("StringEquals", "s3:ExistingObjectTag/class", "public"): "sometimes",
    condition("StringEquals", "aws:userid", "AROAEXAMPLE:me"): "sometimes",
    condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/app"): "always",
    condition("ArnNotLike", "AWS:PrincipalARN", "arn:aws:iam::*:role/break-glass"): "always",
    condition("StringEquals", "aws:PrincipalOrgID", "o-example"): "always",
    condition("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-example/*"): "always",
    condition("StringNotEquals", "aws:PrincipalTag/stage", "prod"): "always",
    condition("Bool", "aws:PrincipalIsAWSService", "false"): "always",
    condition("Null", "aws:PrincipalTag/team", "false"): "always",
    condition("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/break-glass"): "never",
    condition("StringEquals", "aws:PrincipalTag/team", "search"): "never",
    condition("StringEquals", "aws:PrincipalTag/stage", "prod"): "never",
    condition("StringEquals", "aws:PrincipalAccount", "999999999999"): "never",
    condition("Null", "aws:username", "false"): "never",
}
conditions = st.sampled_from(list(CONDITIONS))


REGIONS = ("eu-west-1", "eu-central-1", "us-east-1")
free_conditions = st.sampled_from(
    [
        condition("StringEquals", "aws:RequestedRegion", "eu-west-1"),
        condition("StringEquals", "aws:RequestedRegion", "eu-central-1"),
        condition("StringNotLike", "aws:RequestedRegion", "eu-*"),
        condition("StringEquals", "aws:RequestedRegion", "${aws:PrincipalTag/team}"),
    ],
)
USER = principal(
    f"arn:aws:iam::{ACCOUNT}:user/people/ann", tags=(("team", "search"),), organization_id="o-other", unique_id="AIDA1"
)
ROOT = principal(f"arn:aws:iam::{ACCOUNT}:root", tags=())
# The keys that each of them carries in every request, as the IAM User Guide's table of principal keys says.
CARRIED = {
    WHO: {
        "aws:principalarn": (ROLE,),
        "aws:principalaccount": (ACCOUNT,),
        "aws:principalorgid": ("o-example",),
        "aws:principalorgpaths": ("o-example/r-ab12/ou-ab12-11111111/",),
        "aws:principaltag/team": ("payments",),
        "aws:principaltype": ("AssumedRole",),
        "aws:principalisawsservice": ("false",),
    },
    USER: {
        "aws:principalarn": (USER.arn,),
        "aws:principalaccount": (ACCOUNT,),
        "aws:principalorgid": ("o-other",),
        "aws:principaltag/team": ("search",),
        "aws:principaltype": ("User",),
        "aws:principalisawsservice": ("false",),
        "aws:username": ("ann",),
        "aws:userid": ("AIDA1",),
    },
    ROOT: {
        "aws:principalarn": (ROOT.arn,),
        "aws:principalaccount": (ACCOUNT,),
        "aws:principaltype": ("Account",),
        "aws:principalisawsservice": ("false",),
        "aws:userid": (ACCOUNT,),
    },
}


@st.composite
def contexts(draw, who):
    """The context of some request of a principal, but for the keys that it chooses freely."""
    others = {
        "aws:multifactorauthpresent": draw(st.none() | st.sampled_from(["true", "false"])),
        "aws:sourceip": draw(st.none() | st.sampled_from(["10.1.2.3", "203.0.113.9"])),
        "s3:existingobjecttag/class": draw(st.none() | st.sampled_from(["public", "secret"])),
    }
    if who is WHO:
        others["aws:userid"] = draw(st.sampled_from(["AROAEXAMPLE:me", "AROAEXAMPLE:you"]))
    return CARRIED[who] | {key: (value,) for key, value in others.items() if value is not None}


@st.composite
def statements(draw, effect=None, condition=conditions):
    """Any statement of the small language, or only those of one effect."""
    some = st.lists(action_patterns, min_size=1, max_size=3, unique=True).map(tuple)
    where = st.lists(resource_patterns, min_size=1, max_size=2, unique=True).map(tuple)
    return Statement(
        effect=effect or draw(st.sampled_from(Effect)),
        **{draw(st.sampled_from(["action", "action", "action", "not_action"])): draw(some)},
        **{draw(st.sampled_from(["resource", "resource", "resource", "not_resource"])): draw(where)},
        condition=tuple(draw(st.lists(condition, max_size=2)) if draw(st.booleans()) else ()),
    )


@st.composite
def policies(draw, **parts):
    """A few statements, half of the time beside one that allows everything, so that layers do not all shut."""
    full = [allow("*")] if draw(st.booleans()) else []
    return full + draw(st.lists(statements(**parts), max_size=3))


@st.composite
def stacks(draw, who=WHO, **parts):
    """A principal with an identity policy and perhaps a boundary and levels of SCPs."""
    return stack(
        *draw(policies(**parts)),
        boundary=draw(st.none() | policies(**parts)),
        scps=draw(st.lists(policies(**parts), max_size=2)),
        who=who,
    )
