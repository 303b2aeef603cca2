"""Roles that carry a lesson: each is the subject of a line in truths.json."""

from __future__ import annotations

from datetime import date

from analytics.demo.company import HOME, Company, team_mail
from analytics.demo.documents import allow, document, managed, trust_oidc, trust_service
from analytics.demo.grants import (
    Site,
    encrypts,
    parameters,
    queue,
    reads,
    reads_across,
    refused_calls,
    secret,
    sends,
    table,
)
from analytics.demo.model import Calendar, Entry, Identity, Plan, Use, digits, uuid_of
from analytics.demo.platform import GITHUB, github_trust
from analytics.demo.refusals import refused
from analytics.demo.workloads import AGENTS, Application, private_addresses, public_addresses, roles_of

NEW_ROLE_AGO, DELETED_ROLE_AGO = 12, 61
GITLAB = "gitlab.com"


def planted(company: Company, calendar: Calendar) -> list[Identity]:
    """All of them."""
    return [
        *_applications(company, calendar),
        _shadow_administrator(company),
        _open_to_github(company),
        *_gitlab(company),
        _key_rotation(company, calendar),
    ]


def _applications(company: Company, calendar: Calendar) -> list[Identity]:
    payments, shop, lake = (company.account(n) for n in ("payments-prod", "storefront-prod", "data-platform-prod"))
    new = Application("payments", "instant-refunds", "lambda", (payments.name,), calendar.workday(NEW_ROLE_AGO).isoformat(),
                      (table("refunds", mean=3), secret("psp/primary", 1), queue("refund-requests")))  # fmt: skip
    unlogged = Application("storefront", "order-notifier", "ecs", (shop.name,), "2024-06-10",
                           (sends("order-events", 0), table("orders", write=False, mean=0)))  # fmt: skip
    gone = Application("storefront", "order-mailer", "lambda", (shop.name,), "2020-01-13",
                       (reads("mail-templates", "templates/%(hex8)s.html", 2),), style="legacy")  # fmt: skip
    across = Application("data", "settlement-reports", "glue", (lake.name,), "2024-07-08",
                         (reads_across("payments-prod", "settlement-files", "matched/%(hex8)s.parquet", 6),
                          reads_across("payments-prod", "payout-files", "sepa/%(hex8)s.xml", 0.4, refused("resource", "implicit", "s3:GetObject"))),
                         rhythm="nightly", per_day=1)  # fmt: skip
    endpoint = Application("storefront", "import-feeds", "ecs", (shop.name,), "2024-01-15",
                           (parameters("feeds", 1), reads("product-feeds", "supplier/%(hex8)s.csv", 2),
                            refused_calls(refused("endpoint", "implicit", "s3:GetObject"), "s3:GetObject", mean=0.25, bucket="open-product-data", key="gtin/%(hex8)s.gz")), in_vpc=True)  # fmt: skip
    tight = Application("payments", "signing-service", "ecs", (payments.name,), "2025-02-03",
                        (encrypts("signatures", "signing", 5, sign=True), table("signatures", mean=3), secret("signing/database", 1)))  # fmt: skip
    roles = [role for app, account in ((new, payments), (unlogged, shop), (gone, shop), (across, lake), (endpoint, shop), (tight, payments))
             for role in roles_of(app, Site(account, company))]  # fmt: skip
    by_name = {role.name: role for role in roles}
    by_name["lb-order-mailer-fn"].deleted = calendar.workday(DELETED_ROLE_AGO)
    return roles


def _shadow_administrator(company: Company) -> Identity:
    """Writes inline policies for new services: no administrator by name, and one by effect."""
    account = company.account("shared-services")
    role = Identity(account, "backstage-scaffolder", date(2023, 11, 20), tags={"owner": team_mail("platform")})
    role.trust = trust_service("ecs-tasks.amazonaws.com")
    role.inline["scaffold"] = document(allow(["iam:PutRolePolicy", "iam:GetRole"]))
    uses = (Use("sts:GetCallerIdentity", 0.5), Use("iam:GetRole", 1.2, {"role_name": "developer-portal"}))
    role.plans.append(
        Plan(Entry.SERVICE, "ecs-tasks.amazonaws.com", (f"{uuid_of(company.seed, 'scaffold')}".replace("-", ""),), uses, "office", 1, 0,
             private_addresses(account, "scaffold"), AGENTS["ecs"][1:]))  # fmt: skip
    return role


def _open_to_github(company: Company) -> Identity:
    """A pipeline role that any GitHub repository of the world can assume, administrator since a few weeks."""
    account = company.account("data-platform-dev")
    role = Identity(account, "notebooks-ci", date(2022, 10, 3), attached=[managed("AdministratorAccess")])
    role.trust = github_trust(account, "repo:*", exact=False)
    of = {"bucket": f"ardenly-notebooks-dev-{HOME}", "key": "builds/%(hex8)s.tar.gz", "repository": "notebooks", "registry": account.account_id}  # fmt: skip
    labels = tuple(f"notebooks-{digits(10, 'notebooks', n)}" for n in range(200))
    uses = (Use("sts:GetCallerIdentity", 1), Use("s3:PutObject", 2, of), Use("sagemaker:ListEndpoints", 0.5), Use("ecr:GetAuthorizationToken", 0.6),
            Use("s3:GetObject", 0.4, {**of, "key": "shared/%(hex8)s"}, refused("session", "implicit", "s3:GetObject")))  # fmt: skip
    role.plans.append(
        Plan(Entry.OIDC, f"{GITHUB}|repo:ardenly/notebooks", labels, uses, "pipeline", 1.4, 7, ("20.57.71.114", "52.159.231.70"),
             ("aws-cli/2.27.50 md/awscrt#0.26.1 ua/2.1 os/linux md/arch#x86_64 lang/python#3.13.4 exec-env/GitHub-Actions",)))  # fmt: skip
    return role


def _gitlab(company: Company) -> list[Identity]:
    """The older pipelines: one project, pinned; and previews for the whole group."""
    found = []
    rows = (("storefront-prod", "lb-gitlab-deploy", "project_path:ardenly/cms:ref_type:branch:ref:main", "StringEquals", 0.5),
            ("storefront-staging", "gitlab-preview", "project_path:ardenly/*:ref_type:branch:ref:*", "StringLike", 1.2))  # fmt: skip
    for name, role_name, subject, operator, per_day in rows:
        account = company.account(name)
        provider = f"arn:aws:iam::{account.account_id}:oidc-provider/{GITLAB}"
        role = Identity(account, role_name, date(2022, 2, 21), tags={"owner": team_mail("storefront")})
        condition = {"StringEquals": {f"{GITLAB}:aud": "https://gitlab.com"}}
        condition.setdefault(operator, {})[f"{GITLAB}:sub"] = subject
        role.trust = trust_oidc(provider, condition)
        bucket = f"ardenly-cms-releases-{'prod' if account.environment == 'production' else 'staging'}-{HOME}"
        of = {"bucket": bucket, "key": "releases/%(hex8)s.zip"}
        role.inline["release"] = document(
            allow(["s3:PutObject", "s3:GetObject"], [f"arn:aws:s3:::{bucket}/*"]),
            allow(["cloudfront:CreateInvalidation", "ec2:DescribeInstances", "ssm:SendCommand"]),
        )
        uses = (
            Use("s3:PutObject", 1.5, of),
            Use("cloudfront:CreateInvalidation", 0.7),
            Use("ec2:DescribeInstances", 1.0),
        )
        labels = tuple(f"GitLabRunner-{digits(8, role_name, n)}" for n in range(150))
        role.plans.append(
            Plan(Entry.OIDC, f"{GITLAB}|{subject.replace('*', 'cms')}", labels, uses, "pipeline", per_day, 6, ("34.74.90.70", "34.148.16.9"),
                 ("aws-cli/2.15.40 Python/3.11.8 Linux/6.1.85 exe/x86_64.amzn.2 prompt/off command/s3.cp",)))  # fmt: skip
        found.append(role)
    return found


def _key_rotation(company: Company, calendar: Calendar) -> Identity:
    """Renews the one key that a bank insists on."""
    account = company.account("payments-prod")
    role = Identity(account, "ardenly-key-rotation", date(2022, 9, 12), tags={"owner": team_mail("security")})
    role.trust = trust_service("lambda.amazonaws.com")
    role.attached = [managed("service-role/AWSLambdaBasicExecutionRole")]
    actions = ["iam:ListAccessKeys", "iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey"]
    role.inline["rotate"] = document(
        allow(actions, [f"arn:aws:iam::{account.account_id}:user/bank-sftp"]), allow(["iam:GetAccessKeyLastUsed"])
    )
    of = {"user_name": "bank-sftp", "user_key": "AKIA" + digits(16, "bank"), "created": "rotated", "log_group": "/aws/lambda/key-rotation", "log_stream": "[$LATEST]"}  # fmt: skip
    weekly = (
        Use("iam:ListAccessKeys", 1.5, of),
        Use("iam:GetAccessKeyLastUsed", 1.5, of),
        Use("logs:CreateLogStream", 1, of),
    )
    agent, places = AGENTS["lambda"], public_addresses(account, role.name)
    role.plans.append(
        Plan(Entry.SERVICE, "lambda.amazonaws.com", ("key-rotation",), weekly, "weekly", 1, 5, places, agent)
    )
    rotation = (Use("iam:CreateAccessKey", 1, of), Use("iam:UpdateAccessKey", 1, of), Use("iam:DeleteAccessKey", 1, of))
    moment = calendar.moment(calendar.ago(88), "05:02")
    role.plans.append(
        Plan(
            Entry.SERVICE,
            "lambda.amazonaws.com",
            ("key-rotation",),
            rotation,
            "weekly",
            1,
            5,
            places,
            agent,
            moments=(moment,),
        )
    )
    return role
