"""Who can become a role, and how exposed that makes it: trust documents and the class that each must have."""

from __future__ import annotations

from typing import Any

import pytest

from analytics.findings.trust.parties import trusted_parties
from analytics.findings.trust.values import TRUST_CLASSES, TrustedParty
from tests.trust_world import (
    HOME,
    MANAGEMENT,
    MEMBER,
    ORGANIZATION,
    PATH,
    STRANGER,
    VENDOR,
    allow,
    estate,
    root,
    subject,
    trust,
    when,
)

EXTERNAL_ID = when(StringEquals={"sts:ExternalId": "a-long-secret"})
MFA = when(Bool={"aws:MultiFactorAuthPresent": "true"})
OFFICE = when(IpAddress={"aws:SourceIp": "198.51.100.0/24"})
GITHUB = f"arn:aws:iam::{HOME}:oidc-provider/token.actions.githubusercontent.com"
GITLAB = f"arn:aws:iam::{HOME}:oidc-provider/gitlab.com"
TERRAFORM = f"arn:aws:iam::{HOME}:oidc-provider/app.terraform.io"
EKS = f"arn:aws:iam::{HOME}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF"
OWN_ISSUER = f"arn:aws:iam::{HOME}:oidc-provider/login.example.org"
SAML = f"arn:aws:iam::{HOME}:saml-provider/corporate"
IDENTITY_CENTER = f"arn:aws:iam::{HOME}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"
WEB = "sts:AssumeRoleWithWebIdentity"


def oidc(provider: str, operator: str = "StringEquals", **claims: object) -> dict[str, Any]:
    issuer = provider.partition(":oidc-provider/")[2]
    conditions = {operator: {f"{issuer}:{claim}": value for claim, value in claims.items()}} if claims else {}
    return allow({"Federated": provider}, WEB, **when(**conditions))


def parties(*statements: dict[str, Any], **facts: Any) -> tuple[TrustedParty, ...]:
    return trusted_parties(subject(document=trust(*statements), **facts), estate())


CLASSES: dict[str, tuple[dict[str, Any], str]] = {
    "everyone": (allow("*"), "anyone"),
    "everyone as AWS": (allow({"AWS": "*"}), "anyone"),
    "everyone with MFA of their own": (allow("*", **MFA), "anyone"),
    "everyone with a tag of their own": (allow("*", **when(StringEquals={"aws:PrincipalTag/team": "x"})), "anyone"),
    "a role of some name in any account": (
        allow("*", **when(ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"})), "anyone"),
    "some organisation": (allow("*", **when(Null={"aws:PrincipalOrgID": "false"})), "anyone"),
    "everyone of a network": (allow("*", **OFFICE), "anyone_conditional"),
    "everyone of a VPC endpoint": (allow("*", **when(StringEquals={"aws:SourceVpce": "vpce-1"})), "anyone_conditional"),
    "everyone with the ExternalId": (allow("*", **EXTERNAL_ID), "unknown_account_external_id"),
    "everyone of the own organisation": (
        allow("*", **when(StringEquals={"aws:PrincipalOrgID": ORGANIZATION})), "organization"),
    "everyone of an OU of the own organisation": (
        allow("*", **when(**{"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{PATH}*"}})), "organization"),
    "everyone of another organisation": (
        allow("*", **when(StringEquals={"aws:PrincipalOrgID": "o-somebodyelse"})), "unknown_account"),
    "everyone outside the organisation": (
        allow("*", **when(StringNotEquals={"aws:PrincipalOrgID": ORGANIZATION})), "anyone"),
    "everyone of the own account": (allow("*", **when(StringEquals={"aws:PrincipalAccount": HOME})), "same_account"),
    "everyone of a vendor's account": (allow("*", **when(StringEquals={"aws:PrincipalAccount": VENDOR})), "vendor"),
    "everyone of an unknown account": (
        allow("*", **when(StringEquals={"aws:PrincipalAccount": [VENDOR, STRANGER]})), "unknown_account"),
    "a named role of an unknown account by condition": (
        allow("*", **when(ArnEquals={"aws:PrincipalArn": f"arn:aws:iam::{STRANGER}:role/x"})), "unknown_account"),
    "a service by condition": (allow("*", **when(Bool={"aws:PrincipalIsAWSService": "true"})), "compute_service"),
    "everyone but a vendor": ({"Effect": "Allow", "NotPrincipal": {"AWS": root(VENDOR)}, "Action": "sts:*"}, "anyone"),
    "the own account": (allow(root(HOME)), "same_account"),
    "the own account by its id": (allow(HOME), "same_account"),
    "a role of the own account": (allow(f"arn:aws:iam::{HOME}:role/other"), "same_account"),
    "a session of the own account": (allow(f"arn:aws:sts::{HOME}:assumed-role/other/me"), "same_account"),
    "another account of the organisation": (allow(root(MEMBER)), "organization"),
    "the management account": (allow(root(MANAGEMENT)), "organization"),
    "a user of another account of the organisation": (allow(f"arn:aws:iam::{MEMBER}:user/eve"), "organization"),
    "a known vendor": (allow(root(VENDOR)), "vendor"),
    "a known vendor with MFA": (allow(root(VENDOR), **MFA), "vendor"),
    "a known vendor with ExternalId": (allow(root(VENDOR), **EXTERNAL_ID), "vendor_external_id"),
    "a known vendor with any ExternalId": (
        allow(root(VENDOR), **when(StringLike={"sts:ExternalId": "*"})), "vendor"),
    "a known vendor with ExternalId if it pleases": (
        allow(root(VENDOR), **when(StringEqualsIfExists={"sts:ExternalId": "x"})), "vendor"),
    "an unknown account": (allow(root(STRANGER)), "unknown_account"),
    "a role of an unknown account": (allow(f"arn:aws:iam::{STRANGER}:role/x"), "unknown_account"),
    "an unknown account with ExternalId": (allow(root(STRANGER), **EXTERNAL_ID), "unknown_account_external_id"),
    "an unknown account on a network": (allow(root(STRANGER), **OFFICE), "anyone_conditional"),
    "an unknown account, if it joins": (
        allow(root(STRANGER), **when(StringEquals={"aws:PrincipalOrgID": ORGANIZATION})), "organization"),
    "EC2": (allow({"Service": "ec2.amazonaws.com"}), "compute_service"),
    "Lambda of the own account": (
        allow({"Service": "lambda.amazonaws.com"}, **when(StringEquals={"aws:SourceAccount": HOME})), "compute_service"),
    "CloudTrail": (allow({"Service": "cloudtrail.amazonaws.com"}), "service"),
    "a service of which nothing is known": (allow({"Service": "brandnew.amazonaws.com"}), "service"),
    "SAML": (allow({"Federated": SAML}, "sts:AssumeRoleWithSAML"), "federated"),
    "Identity Center": (allow({"Federated": IDENTITY_CENTER}, ["sts:AssumeRoleWithSAML", "sts:TagSession"]), "federated"),
    "GitHub, no subject": (oidc(GITHUB, aud="sts.amazonaws.com"), "oidc_any_subject"),
    "GitHub, any subject": (oidc(GITHUB, "StringLike", sub="repo:*"), "oidc_any_subject"),
    "GitHub, any owner": (oidc(GITHUB, "StringLike", sub="repo:*/infra:*"), "oidc_any_subject"),
    "GitHub, owners of that beginning": (oidc(GITHUB, "StringLike", sub="repo:acme*"), "oidc_any_subject"),
    "GitHub, a claim that any owner can have": (oidc(GITHUB, sub="environment:production"), "oidc_any_subject"),
    "GitHub, a branch's name": (oidc(GITHUB, ref="refs/heads/main"), "oidc_any_subject"),
    "GitHub, subject only if there is one": (oidc(GITHUB, "ForAllValues:StringLike", sub="repo:acme/*"), "oidc_pinned"),
    "GitHub, anyone but an owner": (oidc(GITHUB, "StringNotLike", sub="repo:evil/*"), "oidc_any_subject"),
    "GitHub, one owner": (oidc(GITHUB, "StringLike", sub="repo:acme/*"), "oidc_pinned"),
    "GitHub, one repository": (oidc(GITHUB, sub="repo:acme/app:ref:refs/heads/main"), "oidc_pinned"),
    "GitHub, a repository by its id": (oidc(GITHUB, repository_id="123456"), "oidc_pinned"),
    "GitHub, a reusable workflow": (
        oidc(GITHUB, "StringLike", job_workflow_ref="acme/flows/.github/workflows/*"), "oidc_pinned"),
    "GitHub, one owner among any": (oidc(GITHUB, "StringLike", sub=["repo:acme/*", "*"]), "oidc_any_subject"),
    "GitLab, no subject": (oidc(GITLAB, aud="https://gitlab.com"), "oidc_any_subject"),
    "GitLab, one group": (oidc(GITLAB, "StringLike", sub="project_path:acme/*:ref_type:branch:ref:*"), "oidc_pinned"),
    "Terraform, any organisation": (oidc(TERRAFORM, "StringLike", sub="organization:*:project:p:*"), "oidc_any_subject"),
    "Terraform, one organisation": (oidc(TERRAFORM, "StringLike", sub="organization:acme:*"), "oidc_pinned"),
    "EKS, any pod of the cluster": (oidc(EKS, aud="sts.amazonaws.com"), "federated"),
    "EKS, one service account": (oidc(EKS, sub="system:serviceaccount:shop:cart"), "oidc_pinned"),
    "an issuer of which nothing is known, no subject": (oidc(OWN_ISSUER), "oidc_any_subject"),
    "an issuer of which nothing is known, a wildcard": (oidc(OWN_ISSUER, "StringLike", sub="team-*"), "oidc_any_subject"),
    "an issuer of which nothing is known, a subject": (oidc(OWN_ISSUER, sub="team-a"), "oidc_pinned"),
    "Google, any application": (allow({"Federated": "accounts.google.com"}, WEB), "oidc_any_subject"),
    "Google, one application": (
        allow({"Federated": "accounts.google.com"}, WEB, **when(StringEquals={"accounts.google.com:aud": "1.apps"})),
        "oidc_pinned"),
    "Cognito, signed in": (
        allow({"Federated": "cognito-identity.amazonaws.com"}, WEB, **when(
            StringEquals={"cognito-identity.amazonaws.com:aud": "eu-west-1:pool"},
            **{"ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"}})), "oidc_pinned"),
    "Cognito, guests": (
        allow({"Federated": "cognito-identity.amazonaws.com"}, WEB, **when(
            StringEquals={"cognito-identity.amazonaws.com:aud": "eu-west-1:pool"})), "oidc_any_subject"),
    "everyone of a provider": (allow("*", WEB), "oidc_any_subject"),
    "an action that opens nothing": (allow({"Federated": GITHUB}, "sts:AssumeRole"), "nobody"),
    "a deleted role": (allow("AROAABCDEFGHIJKLMNOPQ"), "nobody"),
    "a pattern of roles": (allow(f"arn:aws:iam::{HOME}:role/*"), "nobody"),
    "a condition that no account meets": (allow(root(VENDOR), **when(StringEquals={"aws:SourceAccount": HOME})), "nobody"),
    "only tags": (allow(root(STRANGER), "sts:TagSession"), "nobody"),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "expected"), CLASSES.values(), ids=CLASSES)
def test_class_of(statement: dict[str, Any], expected: str) -> None:
    assert parties(statement)[0].trust_class == expected


def test_every_class_is_reached() -> None:
    from_credentials = {"user_old_key_no_mfa", "user_old_key", "user_key", "console_no_mfa", "console_mfa"}
    assert {found for _, found in CLASSES.values()} == set(TRUST_CLASSES) - from_credentials
