"""Hypothesis strategies for policies, stacks and requests over one small catalogue."""

from __future__ import annotations

from hypothesis import strategies as st

from analytics.iam.policy import Effect, Statement
from tests.builders import ROLE, catalogue, condition, principal, stack

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


def policies(**parts):
    return st.lists(statements(**parts), max_size=4)


@st.composite
def stacks(draw, **parts):
    """A principal with an identity policy and perhaps a boundary and levels of SCPs."""
    return stack(
        *draw(policies(**parts)),
        boundary=draw(st.none() | policies(**parts)),
        scps=draw(st.lists(policies(**parts), max_size=2)),
        who=WHO,
    )
