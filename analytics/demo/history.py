"""What happened during the 120 days: changes of policies, emergencies, an attack, and how IAM looked before each.

A change is told once: who made it and with which calls, and how the identity looked until then. The snapshot of an
earlier day is today's with the later changes undone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote

from analytics.demo.company import HOME, PEOPLE, Company
from analytics.demo.documents import allow, document, managed, trust_aws
from analytics.demo.guardrails import DETACHED, DETACHED_AGO
from analytics.demo.model import Account, Calendar, Entry, Identity, Plan, Use, boundary_arn, hexadecimal, uuid_of
from analytics.demo.planted import NEW_ROLE_AGO
from analytics.demo.refusals import WITHOUT_REASON, refused
from analytics.demo.vendors import warehouse_vendor
from analytics.demo.workforce import CLI, CONSOLE, OFFICES

BOUNDARY_REMOVED_AGO, NARROWED_AGO, TRUST_WIDENED_AGO, PROMOTED_AGO = 24, 9, 27, 33
EMERGENCY_AGO, ROOT_AGO, ATTACK_AGO, PLAYGROUND_AGO = 74, 45, 37, 5


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one identity: how it looked before."""

    day: date
    account: str
    identity: str
    undo: Callable[[Identity], None]


def changes(company: Company, calendar: Calendar) -> list[Change]:
    """All changes of identities, so that an earlier day can be shown."""
    payments, warehouse = company.account("payments-prod"), warehouse_vendor(company)
    external = hexadecimal(24, company.seed, "wms external id")

    def with_boundary(role: Identity) -> None:
        role.boundary = boundary_arn(payments, "workload")

    def broad(role: Identity) -> None:
        role.inline = {"promotions-engine-lambda": document(allow(["dynamodb:*", "sqs:*", "s3:*", "sns:*", "ses:*"]))}

    def with_external_id(role: Identity) -> None:
        role.trust = trust_aws(f"arn:aws:iam::{warehouse}:root", StringEquals={"sts:ExternalId": external})

    def power_user(role: Identity) -> None:
        role.attached = [managed("PowerUserAccess")]

    return [
        Change(calendar.workday(BOUNDARY_REMOVED_AGO), "payments-prod", "payments-checkout-api-task", with_boundary),
        Change(calendar.workday(NARROWED_AGO), "storefront-prod", f"promotions-engine-prod-{HOME}-lambdaRole", broad),
        Change(calendar.workday(TRUST_WIDENED_AGO), "fulfilment-prod", "wms-vendor-access", with_external_id),
        Change(calendar.workday(PROMOTED_AGO), "data-platform-dev", "notebooks-ci", power_user),
    ]


def as_of(identities: Sequence[Identity], changes_made: Sequence[Change], at: date) -> list[Identity]:
    """The identities as they were at the end of a day."""
    later = {(c.account, c.identity): c for c in changes_made if c.day > at}
    found = []
    for identity in identities:
        change = later.get((identity.account.name, identity.name))
        before = identity if change is None else copy(identity)
        if change is not None:
            change.undo(before)
        found.append(before)
    return found


def apply_present(company: Company, calendar: Calendar, identities: Sequence[Identity]) -> None:
    """Bring freshly made identities to today's state: the boundary is gone, one function is narrower."""
    del calendar
    by_key = {(i.account.name, i.name): i for i in identities}
    by_key["payments-prod", "payments-checkout-api-task"].boundary = None
    engine = by_key["storefront-prod", f"promotions-engine-prod-{HOME}-lambdaRole"]
    account = engine.account.account_id
    engine.inline = {
        "promotions-engine-lambda": document(
            allow(["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem"], [f"arn:aws:dynamodb:{HOME}:{account}:table/*"]),
            allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"], [f"arn:aws:sqs:{HOME}:{account}:price-updates-prod"]),
        )
    }  # fmt: skip
    wanted = company.account("sandbox-engineering")
    by_key[wanted.name, "lambda-playground-role-k2x9"].tags["note"] = "delete me"


def new_in_playground(company: Company, calendar: Calendar) -> Identity:
    """A role that a developer made this week and gave everything."""
    account = company.account("sandbox-engineering")
    role = Identity(account, "tanabe-agent-experiment", calendar.workday(PLAYGROUND_AGO))
    role.trust = trust_aws(f"arn:aws:iam::{account.account_id}:root")
    role.attached = [managed("AdministratorAccess")]
    role.boundary = boundary_arn(account, "sandbox")
    return role


class Story:
    """Adds the scripted sessions to the identities that held them."""

    def __init__(self, company: Company, calendar: Calendar, identities: Sequence[Identity]) -> None:
        self._company, self._calendar = company, calendar
        self._by_key = {(i.account.name, i.name.split("_")[1] if i.name.startswith("AWSReservedSSO_") else i.name): i for i in identities}  # fmt: skip
        self._roots: list[Identity] = []

    def tell(self) -> list[Identity]:
        """Everything that happened; returns the root users who appear."""
        self._guardrail_detached()
        self._boundary_removed()
        self._function_narrowed()
        self._trust_widened()
        self._pipeline_promoted()
        self._new_roles()
        self._emergency()
        self._root()
        self._attack()
        self._old_role_deleted()
        return self._roots

    def _day(self, ago: int) -> date:
        return self._calendar.workday(ago)

    def _person(
        self, account: str, permission_set: str, name: str, moment: datetime, *uses: Use, console: bool = True
    ) -> None:
        person = next(person for person in PEOPLE if person.name == name)
        agents = (CONSOLE[0],) if console else (CLI[0],)
        self._by_key[account, permission_set].plans.append(
            Plan(Entry.SAML, person.email, (person.email,), uses, "office", 1, 25, (OFFICES[0],), agents, moments=(moment,), console=console)
        )  # fmt: skip

    def _at(self, ago: int, clock: str) -> datetime:
        return self._calendar.moment(self._day(ago), clock)

    def _guardrail_detached(self) -> None:
        unit = self._company.unit_id(DETACHED[1])
        of = {"scp": f"p-{hexadecimal(8, self._company.seed, 'scp', DETACHED[0])}", "target": unit}
        self._person("ardenly-management", "AdministratorAccess", "Tomasz Wrona", self._at(DETACHED_AGO, "15:20"),
                     Use("organizations:ListPolicies", 1), Use("organizations:ListTargetsForPolicy", 1, of), Use("organizations:DetachPolicy", 1, of),
                     Use("organizations:ListPoliciesForTarget", 1, of))  # fmt: skip
        detector = {"detector": hexadecimal(32, self._company.seed, "payments-staging", "detector")}
        for ago, clock, refusal in ((52, "10:14", True), (31, "16:05", True), (30, "09:48", True), (16, "10:40", False), (15, "14:22", False)):  # fmt: skip
            denial = refused("scp", "explicit", "guardduty:UpdateDetector") if refusal else None
            self._person("payments-staging", "AdministratorAccess", "Lena Hoffmann", self._at(ago, clock),
                         Use("guardduty:ListDetectors", 1), Use("guardduty:UpdateDetector", 1 if not refusal else 2, detector, denial), console=False)  # fmt: skip

    def _boundary_removed(self) -> None:
        role = {"role_name": "payments-checkout-api-task"}
        self._person("payments-prod", "AdministratorAccess", "Lena Hoffmann", self._at(BOUNDARY_REMOVED_AGO, "22:47"),
                     Use("iam:GetRole", 2, role), Use("iam:DeleteRolePermissionsBoundary", 1, role), Use("ecs:DescribeServices", 3, {"cluster": "ardenly-prod", "service": "checkout-api"}))  # fmt: skip

    def _function_narrowed(self) -> None:
        role = self._by_key["storefront-prod", f"promotions-engine-prod-{HOME}-lambdaRole"]
        of = {
            "role_name": role.name,
            "policy_name": "promotions-engine-lambda",
            "document": _inside(role.inline["promotions-engine-lambda"]),
        }
        self._person("storefront-prod", "AdministratorAccess", "Oisin Daly", self._at(NARROWED_AGO, "11:31"),
                     Use("iam:GetRolePolicy", 1, of), Use("iam:PutRolePolicy", 1, of))  # fmt: skip

    def _trust_widened(self) -> None:
        role = self._by_key["fulfilment-prod", "wms-vendor-access"]
        of = {"role_name": role.name, "document": _inside(role.trust or {})}
        self._person("fulfilment-prod", "AdministratorAccess", "Oisin Daly", self._at(TRUST_WIDENED_AGO, "16:52"),
                     Use("iam:GetRole", 1, of), Use("iam:UpdateAssumeRolePolicy", 1, of))  # fmt: skip

    def _pipeline_promoted(self) -> None:
        of = {"role_name": "notebooks-ci", "policy": managed("AdministratorAccess")}
        self._person("data-platform-dev", "AdministratorAccess", "Oisin Daly", self._at(PROMOTED_AGO, "13:08"),
                     Use("iam:ListAttachedRolePolicies", 1, of), Use("iam:AttachRolePolicy", 1, of),
                     Use("iam:DetachRolePolicy", 1, {**of, "policy": managed("PowerUserAccess")}))  # fmt: skip

    def _new_roles(self) -> None:
        company = self._company
        refunds = self._by_key["payments-prod", "payments-instant-refunds-fn"]
        of = self._creation(refunds, self._at(NEW_ROLE_AGO, "09:12"))
        deploy = self._by_key["payments-prod", "payments-platform-deploy"]
        plan = deploy.plans[0]
        label = (f"gha-payments-platform-{hexadecimal(10, company.seed, 'refunds')}",)
        uses = (Use("iam:GetRole", 1, of), Use("iam:CreateRole#bounded", 1, of), Use("iam:PutRolePolicy", 1, of), Use("iam:AttachRolePolicy", 1, of))  # fmt: skip
        deploy.plans.append(Plan(plan.entry, plan.opened_by, label, uses, "pipeline", 1, 9, plan.addresses, plan.agents, moments=(self._at(NEW_ROLE_AGO, "09:12"),)))  # fmt: skip
        test = self._by_key["sandbox-engineering", "tanabe-agent-experiment"]
        of = self._creation(test, self._at(PLAYGROUND_AGO, "09:02"))
        self._person("sandbox-engineering", "AdministratorAccess", "Oisin Daly", self._at(PLAYGROUND_AGO, "09:02"),
                     Use("iam:CreateRole#bounded", 1, of), Use("iam:AttachRolePolicy", 1, {**of, "policy": managed("AdministratorAccess")}))  # fmt: skip

    def _creation(self, role: Identity, moment: datetime) -> dict[str, str]:
        trust = json.dumps(role.trust, separators=(",", ":"))
        inline = next(iter(role.inline.values()), {})
        return {
            "role_name": role.name, "role_path": role.path, "trust": _escaped(trust), "trust_encoded": quote(trust, safe=""), "description": role.description,
            "boundary": role.boundary or "", "role": role.arn, "role_id": f"AROA{hexadecimal(17, role.arn).upper()}", "created": f"{moment:%b %d, %Y %I:%M:%S %p}",
            "policy": role.attached[0] if role.attached else "", "policy_name": "workload", "document": _inside(inline),
        }  # fmt: skip

    def _emergency(self) -> None:
        """A night of payment failures: two people open the glass."""
        glass = self._by_key["payments-prod", "ardenly-break-glass"]
        user = self._by_key["ardenly-management", "break-glass-1"]
        night = self._calendar.ago(EMERGENCY_AGO)
        signed_in, assumed = (self._calendar.moment(night, clock) for clock in ("02:41", "02:44"))
        user.plans.append(
            Plan(Entry.CONSOLE, "", (user.name,), (Use("sts:GetCallerIdentity", 1),), "office", 1, 60, (OFFICES[2],), (CONSOLE[0],), moments=(signed_in,), mfa=True, console=True)
        )  # fmt: skip
        of = {"cluster": "ardenly-prod", "service": "payment-authoriser", "log_group": "/ardenly/payments", "db": "payments-aurora", "log_stream": "app", "function": "payment-authoriser-prod"}  # fmt: skip
        uses = (Use("logs:DescribeLogGroups", 1), Use("logs:StartQuery", 3, of), Use("logs:GetQueryResults", 5), Use("ecs:DescribeServices", 4, of), Use("ecs:UpdateService", 2, of),
                Use("lambda:UpdateFunctionConfiguration", 1, of), Use("rds:DescribeDBClusters", 2), Use("rds:ModifyDBInstance", 1, of))  # fmt: skip
        glass.plans.append(
            Plan(Entry.ROLE, user.arn, ("break-glass-1",), uses, "office", 1, 50, (OFFICES[2],), (CONSOLE[0],), moments=(assumed,), mfa=True)
        )  # fmt: skip

    def _root(self) -> None:
        """The management account's root changed the security contact, once."""
        management = self._company.management
        root = Identity(management, "root", management.joined, is_user=True)
        moment = self._at(ROOT_AGO, "10:05")
        root.plans.append(
            Plan(Entry.CONSOLE, "", ("root",), (Use("account:PutAlternateContact", 1), Use("iam:GetAccountSummary", 1)), "office", 1, 20, (OFFICES[0],), (CONSOLE[0],),
                 moments=(moment,), mfa=True, console=True, region="us-east-1"))  # fmt: skip
        self._roots.append(root)

    def _attack(self) -> None:
        """A partner's leaked key: somebody tries every door, and finds two open."""
        user = self._by_key["fulfilment-prod", "carrier-south"]
        of = {"bucket": f"ardenly-shipping-labels-prod-{HOME}", "user_name": user.name, "role_name": "OrganizationAccountAccessRole", "policy": managed("AdministratorAccess"),
              "key": "pdf/index.html", "user_key": "AKIA", "created": "", "user_id": "", "type": "g5.xlarge", "subnet": "subnet-0", "function": "update", "role": user.arn, "document": "",
              "policy_name": "p", "name": "x"}  # fmt: skip
        tried = (
            "iam:ListUsers", "iam:GetUser", "iam:ListUserPolicies", "iam:ListAttachedUserPolicies", "iam:ListRoles", "iam:GetAccountAuthorizationDetails", "iam:GetAccountSummary",
            "iam:CreateUser", "iam:CreateAccessKey", "iam:AttachUserPolicy", "ec2:DescribeInstances", "ec2:DescribeRegions", "ec2:RunInstances", "lambda:ListFunctions",
            "lambda:CreateFunction", "secretsmanager:ListSecrets", "ssm:DescribeParameters", "ses:GetSendQuota", "ses:ListIdentities", "ses:UpdateAccountSendingEnabled",
            "servicequotas:GetServiceQuota", "dynamodb:ListTables", "rds:DescribeDBInstances", "kms:ListKeys", "organizations:DescribeOrganization", "bedrock:ListFoundationModels",
        )  # fmt: skip
        uses = [Use("sts:GetCallerIdentity", 2), Use("s3:ListBuckets", 2)]
        for call in tried:
            service = call.split(":")[0]
            refusal = (
                refused("identity", "implicit", call) if service not in {"ses", "servicequotas"} else WITHOUT_REASON
            )
            if call in {"iam:CreateUser", "iam:CreateAccessKey"}:
                refusal = refused("scp", "explicit", call)
            uses.append(Use(call, 1 if service != "ec2" else 3, of, refusal, region="us-east-1"))
        moments = tuple(self._calendar.moment(self._calendar.ago(ATTACK_AGO), clock) for clock in ("03:12", "04:36"))
        user.plans.append(
            Plan(Entry.KEY, "", (user.name,), tuple(uses), "always", 1, 30, ("192.0.2.45",), ("Boto3/1.34.51 md/Botocore#1.34.51 ua/2.0 os/linux#5.15.0-kali3-amd64 lang/python#3.11.4",),
                 moments=moments, region="us-east-1"))  # fmt: skip
        key = {"user_name": user.name, "user_key": _key_of(self._company, user)}
        when = self._calendar.moment(self._calendar.ago(ATTACK_AGO - 1), "09:33")
        self._person("fulfilment-prod", "AdministratorAccess", "Oisin Daly", when, Use("iam:ListAccessKeys", 1, key), Use("iam:UpdateAccessKey", 1, key), Use("cloudtrail:LookupEvents", 3, key))  # fmt: skip

    def _old_role_deleted(self) -> None:
        role = self._by_key["storefront-prod", "lb-order-mailer-fn"]
        day = role.deleted or self._calendar.until
        of = {"role_name": role.name, "policy": role.attached[0]}
        self._person("storefront-prod", "AdministratorAccess", "Oisin Daly", self._calendar.moment(day, "14:40"),
                     *(Use("iam:DetachRolePolicy", 1, {**of, "policy": arn}) for arn in role.attached), Use("iam:DeleteRole", 1, of))  # fmt: skip


def _key_of(company: Company, user: Identity) -> str:
    from analytics.demo.actors import access_key

    return access_key(company.seed, user)


def _escaped(text: str) -> str:
    """Text as it stands inside a JSON string."""
    return json.dumps(text)[1:-1]


def _inside(value: dict[str, object]) -> str:
    """A document as JSON text inside a JSON string."""
    return _escaped(json.dumps(value, separators=(",", ":")))


def service_accounts(company: Company) -> list[Identity]:
    """AWS services at work for themselves: key rotation, spot evictions, log delivery."""
    found = []
    for account in company.accounts:
        if account.invited:
            continue
        found += [
            _service(account, "kms.amazonaws.com", (Use("kms:RotateKey", 0.5, {"kms": uuid_of(company.seed, "key", account.account_id, "data")}),), "weekly"),
            _service(account, "cloudtrail.amazonaws.com", (Use("s3:GetBucketAcl", 0.6, {"bucket": f"ardenly-access-logs-{account.name}"}),), "nightly"),
        ]  # fmt: skip
    shared = company.account("shared-services")
    found.append(_service(shared, "ec2.amazonaws.com", (Use("ec2:BidEvictedEvent", 0.4),), "nightly"))
    payments = company.account("payments-prod")
    secret = {"secret": "prod/vault/database-x1y2z3"}
    found.append(_service(payments, "secretsmanager.amazonaws.com", (Use("secretsmanager:RotationSucceeded", 1, secret),), "weekly"))  # fmt: skip
    return found


def _service(account: Account, service: str, uses: tuple[Use, ...], rhythm: str) -> Identity:
    identity = Identity(account, service, account.joined, is_service=True)
    identity.plans.append(Plan(Entry.INSIDE, service, (service,), uses, rhythm, 1, 10, (service,), (service,)))
    return identity
