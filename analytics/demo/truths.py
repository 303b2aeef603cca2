"""What was planted: each line names its subject and what a correct reader must find there.

`clean` lines are the counterparts: alike at first sight, and nothing is to be found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from analytics.demo.company import HOME
from analytics.demo.guardrails import DETACHED, DETACHED_AGO
from analytics.demo.history import (
    ATTACK_AGO,
    BOUNDARY_REMOVED_AGO,
    EMERGENCY_AGO,
    NARROWED_AGO,
    PLAYGROUND_AGO,
    PROMOTED_AGO,
    ROOT_AGO,
    TRUST_WIDENED_AGO,
)
from analytics.demo.planted import DELETED_ROLE_AGO, NEW_ROLE_AGO
from analytics.demo.rhythm import quarter_starts
from analytics.demo.vendors import CLOUDABILITY, DATADOG, FIVETRAN, warehouse_vendor

if TYPE_CHECKING:
    from analytics.demo.world import World

Truth = dict[str, Any]


def truths(world: World, table: pa.Table) -> list[Truth]:
    """All lines of truths.json; `table` is the activity, from which counts are taken."""
    return [*_privileges(world), *_trust(world), *_guardrails(world), *_usage(world, table), *_changes(world)]


def _line(kind: str, number: int, expect: Truth, **subject: Any) -> Truth:
    return {"id": f"{kind}-{number}", "kind": kind, "clean": False, **subject, "expect": expect}


def _clean(kind: str, number: int, expect: Truth, **subject: Any) -> Truth:
    return {"id": f"{kind}-clean-{number}", "kind": kind, "clean": True, **subject, "expect": expect}


def _arn(world: World, account: str, name: str) -> str:
    """The ARN of the one identity of that name, or whose permission set it is."""
    for identity in world.identities:
        if identity.account.name == account and (identity.name == name or f"SSO_{name}_" in identity.name):
            return identity.arn
    msg = f"no identity `{name}` in the sample's account `{account}`"
    raise ValueError(msg)


def _privileges(world: World) -> list[Truth]:
    def arn(account: str, name: str) -> str:
        return _arn(world, account, name)

    return [
        _line("over-broad-role", 1, {"granted_at_least": 200, "used_at_most": 15}, principal_arn=arn("payments-prod", "LumenbasketOrderExport")),
        _line("over-broad-role", 2, {"granted_at_least": 200, "used_at_most": 15}, principal_arn=arn("shared-services", "lb-gitlab-runner-instance")),
        _clean("over-broad-role", 1, {"unused": 0, "unobserved": 0}, principal_arn=arn("payments-prod", "payments-signing-service-task")),
        _line("unobserved-service", 1, {"service": "sqs", "unused": 0, "used": 0}, principal_arn=arn("storefront-prod", "storefront-order-notifier-task")),
        _line("unobserved-service", 2, {"service": "dynamodb", "unused": 0, "used": 0}, principal_arn=arn("storefront-prod", "storefront-order-notifier-task")),
        _clean("unobserved-service", 1, {"service": "dynamodb", "unobserved": 0}, principal_arn=arn("payments-prod", "payments-signing-service-task")),
        _line("dormant-administrator", 1, {"last_used_days_ago_at_least": 300}, principal_arn=arn("storefront-prod", "lb-ops-admin")),
        _line("dormant-administrator", 2, {"last_used_days_ago_at_least": 300}, principal_arn=arn("ardenly-management", "gerald.fitz")),
        _clean("dormant-administrator", 1, {"used_within_days": 30}, principal_arn=arn("shared-services", "AdministratorAccess")),
        _line("shadow-administrator", 1, {"actions": ["iam:PutRolePolicy"]}, principal_arn=arn("shared-services", "backstage-scaffolder")),
        _clean("shadow-administrator", 1, {"missing": ["iam:PutRolePolicy", "iam:AttachRolePolicy"]}, principal_arn=arn("payments-prod", "ardenly-key-rotation")),
        _line("old-access-key", 1, {"key_age_days_at_least": 1800, "mfa": False}, principal_arn=arn("shared-services", "jenkins")),
        _clean("old-access-key", 1, {"key_age_days_at_most": 90}, principal_arn=arn("payments-prod", "bank-sftp")),
        _line("boundary-permits-its-removal", 1, {"actions": ["iam:DeleteRolePermissionsBoundary"]}, principal_arn=arn("sandbox-engineering", "tanabe-agent-experiment")),
        _clean("boundary-permits-its-removal", 1, {"missing": ["iam:DeleteRolePermissionsBoundary"]}, principal_arn=arn("payments-prod", "payments-platform-deploy")),
    ]  # fmt: skip


def _trust(world: World) -> list[Truth]:
    def arn(account: str, name: str) -> str:
        return _arn(world, account, name)

    return [
        _line("unused-trust", 1, {"trusted_account": CLOUDABILITY, "assumed": 0}, principal_arn=arn("ardenly-management", "CloudabilityRole")),
        _clean("unused-trust", 1, {"trusted_account": DATADOG, "assumed_at_least": 100}, principal_arn=arn("payments-prod", "DatadogIntegrationRole")),
        _line("vendor-without-external-id", 1, {"trusted_account": warehouse_vendor(world.company), "known": False}, principal_arn=arn("fulfilment-prod", "wms-vendor-access")),
        _clean("vendor-without-external-id", 1, {"trusted_account": FIVETRAN, "known": True}, principal_arn=arn("data-platform-prod", "fivetran-lake-access")),
        _line("wildcard-oidc-subject", 1, {"subject": "repo:*", "lets_in": "anyone"}, principal_arn=arn("data-platform-dev", "notebooks-ci")),
        _line("wildcard-oidc-subject", 2, {"subject": "project_path:ardenly/*:ref_type:branch:ref:*", "lets_in": "all of its owner"}, principal_arn=arn("storefront-staging", "gitlab-preview")),
        _clean("wildcard-oidc-subject", 1, {"subject": "repo:ardenly/payments-platform:environment:production", "lets_in": "one subject"}, principal_arn=arn("payments-prod", "payments-platform-deploy")),
    ]  # fmt: skip


def _guardrails(world: World) -> list[Truth]:
    company = world.company

    def unit(name: str) -> Truth:
        return {"node_id": company.unit_id(name), "node_name": name}

    parcelkite = company.account("parcelkite-production")
    return [
        _line("scp-gap", 1, {"open": ["guardduty:DeleteDetector", "securityhub:DisableSecurityHub"]}, **unit("NonProd")),
        _line("scp-gap", 2, {"open": ["cloudtrail:CreateTrail", "guardduty:DeleteDetector"]}, **unit("Onboarding")),
        _clean("scp-gap", 1, {"closed": ["guardduty:DeleteDetector", "securityhub:DisableSecurityHub", "organizations:LeaveOrganization"]}, **unit("Prod")),
        _line("wildcard-exemption", 1, {"policy": "ardenly-s3-public-access", "exemption": "arn:aws:iam::*:role/*-deploy"}, **unit("Prod")),
        _line("allow-list", 1, {"policy": "ardenly-log-archive-services", "closed": ["rds:DescribeDBInstances"]}, node_id=company.account("log-archive").account_id, node_name="log-archive"),
        _line("uncollected-account", 1, {"collected": "failed"}, account_id=parcelkite.account_id),
        _clean("uncollected-account", 1, {"collected": "ok"}, account_id=company.account("payments-prod").account_id),
        _line("misplaced-account", 1, {"environment": "production", "unit": "Onboarding"}, account_id=parcelkite.account_id),
        _line("blind-trail", 1, {"sees_kms": False, "sees_read_only": True}, account_id=company.account("sandbox-engineering").account_id),
        _line("blind-trail", 2, {"sees_read_only": False}, account_id=parcelkite.account_id),
        _clean("blind-trail", 1, {"sees_kms": True, "sees_read_only": True}, account_id=company.account("storefront-prod").account_id),
    ]  # fmt: skip


def _usage(world: World, table: pa.Table) -> list[Truth]:
    calendar = world.calendar
    portal = _arn(world, "shared-services", "platform-developer-portal-task")
    apply = _arn(world, "storefront-prod", "ardenly-terraform-apply")
    close = _arn(world, "payments-prod", "payments-quarter-close-job")
    root = f"arn:aws:iam::{world.company.management.account_id}:root"
    attacked = _arn(world, "fulfilment-prod", "carrier-south")
    counted = _Counter(table)
    quarters = [calendar.day(offset).isoformat() for offset in quarter_starts(calendar)]
    return [
        _line("boundary-hits", 1, {"denied": counted.denied(portal), "layer": "boundary"}, principal_arn=portal),
        _clean("boundary-hits", 1, {"denied": 0}, principal_arn=_arn(world, "fulfilment-prod", "fulfilment-stock-levels-task")),
        _line("quarterly-call", 1, {"action": "dynamodb:ExportTableToPointInTime", "days": quarters}, principal_arn=close),
        _clean("quarterly-call", 1, {"action": "s3:PutObject", "days_at_least": 100}, principal_arn=_arn(world, "payments-prod", "payments-reconciliation-job")),
        _line("cross-account-once", 1, {"action": "s3:GetObject", "calls": counted.calls(apply, "GetObject")}, principal_arn=apply),
        _line("root-used", 1, {"day": calendar.workday(ROOT_AGO).isoformat()}, principal_arn=root),
        _line("probing", 1, {"denied": counted.denied(attacked), "day": calendar.ago(ATTACK_AGO).isoformat(), "address": "192.0.2.45"}, principal_arn=attacked),
        _clean("probing", 1, {"denied": 0}, principal_arn=_arn(world, "fulfilment-prod", "carrier-north")),
        _line("emergency", 1, {"day": calendar.ago(EMERGENCY_AGO).isoformat()}, principal_arn=_arn(world, "payments-prod", "ardenly-break-glass")),
    ]  # fmt: skip


def _changes(world: World) -> list[Truth]:
    calendar = world.calendar

    def changed(number: int, event: str, ago: int, account: str, name: str) -> Truth:
        expect = {"event_name": event, "day": calendar.workday(ago).isoformat()}
        return _line("policy-change", number, expect, principal_arn=_arn(world, account, name))

    new = _arn(world, "payments-prod", "payments-instant-refunds-fn")
    return [
        _line("policy-change", 1, {"event_name": "DetachPolicy", "day": calendar.workday(DETACHED_AGO).isoformat(), "policy": "ardenly-protect-detection"}, node_id=world.company.unit_id(DETACHED[1]), node_name=DETACHED[1]),
        changed(2, "DeleteRolePermissionsBoundary", BOUNDARY_REMOVED_AGO, "payments-prod", "payments-checkout-api-task"),
        changed(3, "PutRolePolicy", NARROWED_AGO, "storefront-prod", f"promotions-engine-prod-{HOME}-lambdaRole"),
        changed(4, "UpdateAssumeRolePolicy", TRUST_WIDENED_AGO, "fulfilment-prod", "wms-vendor-access"),
        changed(5, "AttachRolePolicy", PROMOTED_AGO, "data-platform-dev", "notebooks-ci"),
        _line("new-role", 1, {"created": calendar.workday(NEW_ROLE_AGO).isoformat()}, principal_arn=new),
        _line("new-role", 2, {"created": calendar.workday(PLAYGROUND_AGO).isoformat()}, principal_arn=_arn(world, "sandbox-engineering", "tanabe-agent-experiment")),
        _clean("new-role", 1, {}, principal_arn=_arn(world, "payments-prod", "payments-chargeback-intake-fn")),
        _line("deleted-role", 1, {"day": calendar.workday(DELETED_ROLE_AGO).isoformat()}, principal_arn=_arn(world, "storefront-prod", "lb-order-mailer-fn")),
    ]  # fmt: skip


class _Counter:
    """Counts in the activity; a call that two accounts log counts once, on the caller's side."""

    def __init__(self, table: pa.Table) -> None:
        identity = table.column("useridentity").combine_chunks()
        issuer = identity.field("sessioncontext").field("sessionissuer").field("arn")
        self._who = pc.coalesce(issuer, identity.field("arn"))
        self._name = table.column("eventname").combine_chunks()
        self._code = table.column("errorcode").combine_chunks()

    def denied(self, arn: str) -> int:
        """Calls of an identity that were refused."""
        refused = pc.match_substring_regex(self._code, "AccessDenied|UnauthorizedOperation")
        return int(pc.sum(pc.and_(pc.equal(self._who, arn), pc.fill_null(refused, False))).as_py() or 0)

    def calls(self, arn: str, event_name: str) -> int:
        """Calls of an identity that were not refused."""
        mine = pc.and_(pc.equal(self._who, arn), pc.equal(self._name, event_name))
        fine = pc.or_kleene(pc.is_null(self._code), pc.not_equal(self._code, "AccessDenied"))
        return int(pc.sum(pc.and_(mine, fine)).as_py() or 0)
