"""The snapshot folder: AWS's own JSON of every account, as `collect` would have written it on a given day."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from analytics.demo.actors import unique_id
from analytics.demo.documents import aws_managed
from analytics.demo.guardrails import organization
from analytics.demo.model import Account, Calendar, Identity, Managed, base32, digest
from analytics.demo.trails import describe

if TYPE_CHECKING:
    from analytics.demo.company import Company
    from analytics.demo.users import Group

_UNCOLLECTED = "AccessDenied: the audit role `ardenly-security-audit` does not exist in this account"


@dataclass(frozen=True, slots=True)
class Estate:
    """Everything that IAM holds, at one time."""

    company: Company
    calendar: Calendar
    identities: Sequence[Identity]
    groups: Sequence[Group]
    policies: Sequence[Managed]


def write_snapshot(folder: Path, estate: Estate, at: date, last_used: Mapping[str, tuple[datetime, str]]) -> None:
    """Write the snapshot of the end of a day; `last_used` gives time and region by ARN."""
    company = estate.company
    folder.mkdir(parents=True, exist_ok=True)
    taken_at = f"{at}T23:45:00Z"
    status: dict[str, Any] = {}
    for account in company.accounts:
        if account.invited:
            status[account.account_id] = {"status": "failed", "reason": _UNCOLLECTED}
            continue
        status[account.account_id] = {"status": "ok"}
        place = folder / "accounts" / account.account_id
        place.mkdir(parents=True, exist_ok=True)
        mine = [i for i in estate.identities if i.account == account and _exists(i, at)]
        _json(place / "authorization-details.json", _details(estate, account, mine, last_used, at))
        _json(place / "account.json", _account(account))
        users = [identity for identity in mine if identity.is_user]
        report = _credential_report(company.seed, account, users, estate.calendar, at, last_used)
        (place / "credential-report.csv").write_text(report, encoding="utf-8", newline="")
    _json(folder / "manifest.json", {"taken_at": taken_at, "accounts": status})
    _json(folder / "organization.json", organization(company, estate.calendar, at))
    _json(folder / "trails.json", describe(company))
    (folder / "owners.csv").write_text(_owners(estate), encoding="utf-8", newline="")


def _exists(identity: Identity, at: date) -> bool:
    return identity.created <= at and (identity.deleted is None or identity.deleted > at) and identity.name != "root"


def _json(path: Path, value: object) -> None:
    path.write_bytes(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _account(account: Account) -> dict[str, Any]:
    return {
        "alias": account.alias,
        "contact": {"CompanyName": "Ardenly Ltd", "City": "Dublin", "CountryCode": "IE"},
        "tags": {"environment": account.environment, "owner": account.owner, "cost-centre": account.cost_centre},
    }


def _details(
    estate: Estate,
    account: Account,
    identities: Sequence[Identity],
    last_used: Mapping[str, tuple[datetime, str]],
    at: date,
) -> dict[str, Any]:
    seed = estate.company.seed
    groups = [group for group in estate.groups if group.account == account]
    attached: dict[str, int] = defaultdict(int)
    bounding: dict[str, int] = defaultdict(int)
    for identity in identities:
        for arn in identity.attached:
            attached[arn] += 1
        if identity.boundary:
            bounding[identity.boundary] += 1
    for group in groups:
        for arn in group.attached:
            attached[arn] += 1
    own = [p for p in estate.policies if p.account == account and p.created <= at]
    used = sorted(arn for arn in attached if arn.startswith("arn:aws:iam::aws:"))
    return {
        "UserDetailList": [_user(seed, i, groups) for i in identities if i.is_user],
        "GroupDetailList": [_group(seed, group) for group in groups],
        "RoleDetailList": [_role(seed, i, last_used) for i in identities if not i.is_user],
        "Policies": [_customer_managed(seed, p, attached, bounding) for p in own]
        + [_aws_managed(arn, attached[arn]) for arn in used],
    }


def _stamp(seed: int, day: date, *of: object) -> str:
    """A second of a working day, always the same for the same thing."""
    number = int.from_bytes(digest(seed, *of)[:4])
    return f"{day}T{8 + number % 9:02d}:{number // 9 % 60:02d}:{number // 540 % 60:02d}+00:00"


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _attached(arns: Sequence[str]) -> list[dict[str, str]]:
    return [{"PolicyName": arn.rsplit("/", 1)[1], "PolicyArn": arn} for arn in arns]


def _boundary(identity: Identity) -> dict[str, Any]:
    if identity.boundary is None:
        return {}
    kind = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": identity.boundary}
    return {"PermissionsBoundary": kind}


def _inline(policies: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"PolicyName": name, "PolicyDocument": text} for name, text in policies.items()]


def _role(seed: int, role: Identity, last_used: Mapping[str, tuple[datetime, str]]) -> dict[str, Any]:
    used = last_used.get(role.arn)
    profiles = []
    services = role.trust["Statement"][0]["Principal"].get("Service") if role.trust else None
    if services == "ec2.amazonaws.com":
        arn = f"arn:aws:iam::{role.account.account_id}:instance-profile/{role.name}"
        profiles = [{"Path": "/", "InstanceProfileName": role.name, "InstanceProfileId": f"AIPA{base32(17, seed, arn)}", "Arn": arn, "Roles": []}]  # fmt: skip
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": unique_id(seed, role),
        "Arn": role.arn,
        "CreateDate": _stamp(seed, role.created, role.arn),
        "AssumeRolePolicyDocument": role.trust,
        **({"Description": role.description} if role.description else {}),
        "InstanceProfileList": profiles,
        "RolePolicyList": _inline(role.inline),
        "AttachedManagedPolicies": _attached(role.attached),
        **_boundary(role),
        "Tags": _tags(role.tags),
        "RoleLastUsed": {} if used is None else {"LastUsedDate": f"{used[0]:%Y-%m-%dT%H:%M:%S+00:00}", "Region": used[1]},
    }  # fmt: skip


def _user(seed: int, user: Identity, groups: Sequence[Group]) -> dict[str, Any]:
    known = {group.name for group in groups}
    return {
        "Path": user.path,
        "UserName": user.name,
        "UserId": unique_id(seed, user),
        "Arn": user.arn,
        "CreateDate": _stamp(seed, user.created, user.arn),
        "UserPolicyList": _inline(user.inline),
        "GroupList": [name for name in user.groups if name in known],
        "AttachedManagedPolicies": _attached(user.attached),
        **_boundary(user),
        "Tags": _tags(user.tags),
    }


def _group(seed: int, group: Group) -> dict[str, Any]:
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": f"AGPA{base32(17, seed, group.arn)}",
        "Arn": group.arn,
        "CreateDate": _stamp(seed, group.created, group.arn),
        "GroupPolicyList": _inline(dict(group.inline)),
        "AttachedManagedPolicies": _attached(group.attached),
    }


def _customer_managed(
    seed: int, policy: Managed, attached: Mapping[str, int], bounding: Mapping[str, int]
) -> dict[str, Any]:
    made, updated = _stamp(seed, policy.created, policy.arn), _stamp(seed, policy.updated or policy.created, policy.arn)
    versions = [{"Document": policy.document, "VersionId": f"v{policy.version}", "IsDefaultVersion": True, "CreateDate": updated}]  # fmt: skip
    return {
        "PolicyName": policy.name,
        "PolicyId": f"ANPA{base32(17, seed, policy.arn)}",
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": f"v{policy.version}",
        "AttachmentCount": attached.get(policy.arn, 0),
        "PermissionsBoundaryUsageCount": bounding.get(policy.arn, 0),
        "IsAttachable": True,
        "CreateDate": made,
        "UpdateDate": updated,
        "PolicyVersionList": versions,
    }


def _aws_managed(arn: str, count: int) -> dict[str, Any]:
    policy = aws_managed()[arn]
    version = {"Document": policy["document"], "VersionId": policy["version"], "IsDefaultVersion": True, "CreateDate": policy["updatedate"]}  # fmt: skip
    return {
        "PolicyName": policy["name"],
        "PolicyId": f"ANPA{base32(17, arn)}",
        "Arn": arn,
        "Path": arn.split(":policy", 1)[1].removesuffix(policy["name"]),
        "DefaultVersionId": policy["version"],
        "AttachmentCount": count,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": policy["createdate"],
        "UpdateDate": policy["updatedate"],
        "PolicyVersionList": [version],
    }


_REPORT = [
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_1_last_used_region",
    "access_key_1_last_used_service",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "access_key_2_last_used_region",
    "access_key_2_last_used_service",
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
]


def _credential_report(
    seed: int,
    account: Account,
    users: Sequence[Identity],
    calendar: Calendar,
    at: date,
    last_used: Mapping[str, tuple[datetime, str]],
) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_REPORT)
    root = f"arn:aws:iam::{account.account_id}:root"
    used = last_used.get(root)
    seen = f"{used[0]:%Y-%m-%dT%H:%M:%S+00:00}" if used else "no_information"
    blank = ["false", "N/A", "N/A", "N/A", "N/A"]
    writer.writerow(
        ["<root_account>", root, _stamp(seed, account.joined, root), "not_supported", seen, "not_supported", "not_supported", "true", *blank, *blank, "false", "N/A", "false", "N/A"]
    )  # fmt: skip
    for user in users:
        writer.writerow(_report_row(seed, user, calendar, at, last_used.get(user.arn)))
    return out.getvalue()


def _report_row(
    seed: int, user: Identity, calendar: Calendar, at: date, used: tuple[datetime, str] | None
) -> list[str]:
    facts = user.credentials
    console = facts.get("console")
    password = ["false", "N/A", "N/A", "N/A"]
    if console is not None:
        seen = _stamp(seed, min(at, calendar.ago(console)), user.arn, "console")
        password = ["true", seen, _stamp(seed, user.created, user.arn, "password"), "N/A"]
    keys = []
    for number, (age, idle, active) in enumerate((facts.get("keys") or ())[:2]):
        made = max(user.created, calendar.ago(age))
        seen = "N/A"
        if idle is not None:
            moment = used[0] if used and number == 0 else None
            seen = (
                f"{moment:%Y-%m-%dT%H:%M:%S+00:00}"
                if moment
                else _stamp(seed, min(at, calendar.ago(idle)), user.arn, number)
            )
        region = "eu-west-1" if idle is not None else "N/A"
        service = _service_of(user) if idle is not None else "N/A"
        keys.append([str(active).lower(), _stamp(seed, made, user.arn, "key", number), seen, region, service])
    while len(keys) < 2:
        keys.append(["false", "N/A", "N/A", "N/A", "N/A"])
    return [
        user.name, user.arn, _stamp(seed, user.created, user.arn), *password, str(bool(facts.get("mfa"))).lower(),
        *keys[0], *keys[1], "false", "N/A", "false", "N/A",
    ]  # fmt: skip


def _service_of(user: Identity) -> str:
    for plan in user.plans:
        for use in plan.uses:
            return use.call.split(":", 1)[0]
    return "sts"


def _owners(estate: Estate) -> str:
    """owners.csv: who answers for what carries no owner tag; some lines are missing, as in life."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["pattern", "owner"])
    for account in estate.company.accounts:
        if account.name != "sandbox-engineering":
            writer.writerow([f"arn:aws:iam::{account.account_id}:*", account.owner])
    return out.getvalue()
