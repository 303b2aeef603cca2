"""The organisation's control policies and where they hang, today and a month ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from analytics.demo.company import UNITS, Company
from analytics.demo.documents import document, guardrail
from analytics.demo.model import Calendar, hexadecimal

SCP, RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"

# Where each control policy is attached: units, "Root", or an account's name.
_ATTACHED = (
    ("scp-organisation-foundation", SCP, ("Root",), "Membership of the organisation and account contacts"),
    ("scp-protect-audit-trail", SCP, ("Root",), "CloudTrail stays on"),
    ("scp-region-lock", SCP, ("Prod", "NonProd", "Sandbox"), "Ireland, Frankfurt and the global region only"),
    ("scp-protect-detection", SCP, ("Prod", "NonProd", "Security", "Sandbox"), "GuardDuty, Security Hub, Config"),
    ("scp-deny-root-user", SCP, ("Prod", "NonProd", "Sandbox"), "Root is for the management account"),
    ("scp-protect-iam-guardrails", SCP, ("Prod", "NonProd"), "Boundaries and platform roles stay"),
    ("scp-deny-long-lived-credentials", SCP, ("Prod",), "No new users and keys in production"),
    ("scp-s3-public-access", SCP, ("Prod", "Security"), "Public access stays blocked"),
    ("scp-pci-data-protection", SCP, ("Payments",), "Cardholder data: keys, backups, snapshots"),
    ("scp-sandbox-limits", SCP, ("Sandbox",), "Cost and network limits of the playground"),
    ("scp-log-archive-services", SCP, ("log-archive",), "Services of the log archive"),
    ("rcp-require-tls", RCP, ("Root",), "TLS for data stores"),
    ("rcp-data-perimeter", RCP, ("Prod",), "Only our identities reach production data"),
)
# The one account whose list of services replaces FullAWSAccess.
_ALLOW_LIST_ONLY = "log-archive"
DETACHED = ("scp-protect-detection", "NonProd")  # taken away during a migration and never put back
DETACHED_AGO = 18


@dataclass(frozen=True, slots=True)
class Control:
    """A control policy of the organisation."""

    file: str
    kind: str
    targets: tuple[str, ...]
    description: str

    @property
    def name(self) -> str:
        """The policy's name in Organizations."""
        return "ardenly-" + self.file.split("-", 1)[1]

    def policy_id(self, company: Company) -> str:
        """The policy's id: `p-` and eight characters."""
        return f"p-{hexadecimal(8, company.seed, 'scp', self.file)}"


def controls(calendar: Calendar, at: date) -> list[Control]:
    """The control policies as they were attached at the end of a day."""
    found = []
    for file, kind, targets, description in _ATTACHED:
        kept: tuple[str, ...] = targets
        if file == DETACHED[0] and at >= calendar.workday(DETACHED_AGO):
            kept = tuple(target for target in targets if target != DETACHED[1])
        found.append(Control(file, kind, kept, description))
    return found


def organization(company: Company, calendar: Calendar, at: date) -> dict[str, Any]:
    """organization.json: the tree with the policies of each node."""
    attached = controls(calendar, at)
    return {
        "Id": company.root_id,
        "Arn": f"arn:aws:organizations::{company.management.account_id}:root/{company.organization_id}/{company.root_id}",
        "Name": "Root",
        "OrganizationId": company.organization_id,
        "MasterAccountId": company.management.account_id,
        "PolicyTypes": [{"Type": kind, "Status": "ENABLED"} for kind in (SCP, RCP)],
        "Policies": _policies(company, attached, "Root"),
        "Children": _children(company, attached, "Root"),
    }


def _children(company: Company, attached: list[Control], unit: str) -> list[dict[str, Any]]:
    found = [_unit(company, attached, name) for name, parent in UNITS if parent == unit]
    return found + [_account(company, attached, account.name) for account in company.accounts if account.unit == unit]


def _unit(company: Company, attached: list[Control], name: str) -> dict[str, Any]:
    unit_id = company.unit_id(name)
    return {
        "Type": "OrganizationalUnit",
        "Id": unit_id,
        "Arn": f"arn:aws:organizations::{company.management.account_id}:ou/{company.organization_id}/{unit_id}",
        "Name": name,
        "Policies": _policies(company, attached, name),
        "Children": _children(company, attached, name),
    }


def _account(company: Company, attached: list[Control], name: str) -> dict[str, Any]:
    account = company.account(name)
    return {
        "Type": "Account",
        "Id": account.account_id,
        "Arn": f"arn:aws:organizations::{company.management.account_id}:account/{company.organization_id}/{account.account_id}",
        "Name": account.name,
        "Email": f"aws+{account.name}@ardenly.example",
        "Status": "ACTIVE",
        "JoinedMethod": "INVITED" if account.invited else "CREATED",
        "JoinedTimestamp": f"{account.joined}T10:12:44Z",
        "Tags": {"environment": account.environment, "owner": account.owner, "cost-centre": account.cost_centre},
        "Policies": _policies(company, attached, name),
    }


def _policies(company: Company, attached: list[Control], target: str) -> list[dict[str, Any]]:
    found = []
    if target != _ALLOW_LIST_ONLY:
        found.append(_full_access(SCP, "FullAWSAccess"))
    found.append(_full_access(RCP, "RCPFullAWSAccess"))
    for control in attached:
        if target in control.targets:
            place = control.kind.lower()
            policy_id = control.policy_id(company)
            found.append(
                {
                    "Id": policy_id,
                    "Arn": f"arn:aws:organizations::{company.management.account_id}:policy/{company.organization_id}/{place}/{policy_id}",
                    "Name": control.name,
                    "Description": control.description,
                    "Type": control.kind,
                    "AwsManaged": False,
                    "Content": guardrail(control.file, company.names()),
                }
            )
    return found


def _full_access(kind: str, name: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    if kind == RCP:
        statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    return {
        "Id": f"p-{name}",
        "Arn": f"arn:aws:organizations::aws:policy/{kind.lower()}/p-{name}",
        "Name": name,
        "Description": "Allows access to every operation",
        "Type": kind,
        "AwsManaged": True,
        "Content": document(statement),
    }
