"""IAM users, groups and the long-lived keys that are still about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from analytics.demo.documents import allow, document, managed
from analytics.demo.grants import Need, Site, calls, reads, writes
from analytics.demo.model import Account, Document, Entry, Identity, Plan
from analytics.demo.workforce import CLI, CONSOLE, OFFICES

if TYPE_CHECKING:
    from analytics.demo.company import Company


@dataclass(frozen=True, slots=True)
class Group:
    """A group of an account and what it grants."""

    account: Account
    name: str
    created: date
    attached: tuple[str, ...] = ()
    inline: tuple[tuple[str, Document], ...] = ()
    path: str = "/"

    @property
    def arn(self) -> str:
        """The ARN as IAM prints it."""
        return f"arn:aws:iam::{self.account.account_id}:group{self.path}{self.name}"


def groups(company: Company) -> list[Group]:
    """The groups that were made before Identity Center came."""
    account = company.account
    old = date(2019, 4, 2)
    return [
        Group(company.management, "Administrators", old, (managed("AdministratorAccess"),)),
        Group(company.management, "Finance", old, (managed("job-function/Billing"),)),
        Group(account("storefront-prod"), "lb-developers", old, (managed("AmazonEC2FullAccess"), managed("AmazonS3FullAccess"), managed("CloudWatchFullAccess"))),
        Group(account("shared-services"), "ci", date(2020, 3, 2), (managed("PowerUserAccess"),)),
        Group(account("sandbox-engineering"), "playground", date(2022, 4, 20), (managed("PowerUserAccess"), managed("IAMFullAccess"))),
        Group(account("data-platform-dev"), "data-science", date(2021, 2, 8), (managed("job-function/DataScientist"),)),
        Group(account("fulfilment-prod"), "partners", date(2020, 11, 30), (), (("exchange", document(allow(["s3:ListAllMyBuckets", "s3:GetBucketLocation"]))),)),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _User:
    account: str
    name: str
    created: str
    groups: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    keys: tuple[tuple[int, int | None, bool], ...] = ()  # age in days, days since use, active
    console: int | None = None  # days since the last sign-in; None: no password
    mfa: bool = False
    rhythm: str = "nightly"
    per_day: float = 0.0
    agent: str = "Boto3/1.28.85 Python/3.9.19 Linux/4.14.355-276.618.amzn2.x86_64 Botocore/1.31.85"
    address: str = "203.0.113.121"
    tags: tuple[tuple[str, str], ...] = ()


_SMTP = (calls("ses:GetSendQuota", mean=1.5, also=("ses:SendRawEmail",)),)
_SFTP = (reads("wms-exchange", "out/%(hex8)s.edi", 3), writes("wms-exchange", "in/%(hex8)s.edi", 3))

_USERS = (
    _User("ardenly-management", "break-glass-1", "2021-06-02", needs=(calls(mean=0, also=("sts:AssumeRole",), on="arn:aws:iam::*:role/ardenly-break-glass"),), console=74, mfa=True, tags=(("purpose", "emergency"),)),
    _User("ardenly-management", "break-glass-2", "2021-06-02", needs=(calls(mean=0, also=("sts:AssumeRole",), on="arn:aws:iam::*:role/ardenly-break-glass"),), console=233, mfa=True, tags=(("purpose", "emergency"),)),
    _User("ardenly-management", "gerald.fitz", "2019-03-12", ("Administrators",), keys=((2400, 400, True),), console=411),
    _User("ardenly-management", "n.brennan", "2019-04-02", ("Administrators",), console=600, mfa=True),
    _User("ardenly-management", "v.dubois", "2019-09-16", ("Finance",), console=12, rhythm="office", per_day=0.08, agent=CONSOLE[1], address=OFFICES[0], mfa=True, needs=(calls("ce:GetCostAndUsage", "budgets:ViewBudget", mean=2),)),
    _User("ardenly-management", "auditor-extern", "2023-10-02", attached=("SecurityAudit",), console=301, mfa=True),
    _User("ardenly-management", "invoice-sync", "2020-01-20", needs=(calls("ce:GetCostAndUsage", mean=2),), keys=((1430, 0, True),), per_day=1, tags=(("owner", "finance@ardenly.example"),)),
    _User("shared-services", "jenkins", "2020-03-09", ("ci",), attached=("AdministratorAccess",), keys=((1920, 1, True), (2090, 1100, False)), rhythm="office", per_day=2.0, needs=(calls("ecr:GetAuthorizationToken", "ec2:DescribeInstances", "cloudformation:DescribeStacks", "s3:ListBuckets", mean=1.2, stack="lb-legacy-web"),), agent="aws-cli/1.29.85 Python/3.8.10 Linux/5.4.0-1103-aws botocore/1.31.85"),
    _User("shared-services", "gitlab-registry", "2020-06-15", keys=((1250, 0, True),), needs=(calls("ecr:GetAuthorizationToken", mean=2), calls("ecr:BatchCheckLayerAvailability", "ecr:PutImage", mean=1, registry="<registry>", repository="lb/cms", on="arn:aws:ecr:eu-west-1:<account>:repository/lb/*", also=("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"))), rhythm="office", per_day=0.8),
    _User("shared-services", "backup-veeam", "2021-04-26", keys=((800, 0, True),), needs=(writes("veeam-repository", "backup/%(hex16)s.vbk", 4),), per_day=1),
    _User("shared-services", "o.daly-cli", "2022-03-01", attached=("PowerUserAccess",), keys=((995, 260, True),)),
    _User("shared-services", "ses-smtp", "2019-07-08", keys=((1960, 0, True),), needs=_SMTP, rhythm="always", per_day=1),
    _User("storefront-prod", "ses-smtp", "2019-07-08", keys=((2010, 0, True),), needs=_SMTP, rhythm="shoppers", per_day=1),
    _User("storefront-prod", "cms-uploader", "2019-08-19", keys=((1500, 0, True),), needs=(writes("cms-media", "uploads/%(hex16)s.png", 2),), rhythm="office", per_day=1),
    _User("storefront-prod", "lb-deploy", "2019-05-06", ("lb-developers",), keys=((2300, 870, True),)),
    _User("storefront-prod", "s.okafor", "2019-05-06", ("lb-developers",), console=480),
    _User("storefront-prod", "d.petrov", "2020-02-03", ("lb-developers",), console=35, rhythm="office", per_day=0.04, agent=CONSOLE[2], address=OFFICES[0], needs=(calls("ec2:DescribeInstances", "s3:ListBuckets", mean=1),)),
    _User("storefront-prod", "akamai-logs", "2021-06-21", keys=((1050, 0, True),), needs=(writes("edge-logs", "cdn/%(hex16)s.gz", 4),), per_day=2, rhythm="always", address="23.205.110.14"),
    _User("storefront-prod", "feed-google", "2020-10-19", keys=((640, 0, True),), needs=(reads("product-feeds", "merchant/%(hex8)s.xml", 3),), per_day=1),
    _User("storefront-staging", "qa-bot", "2021-08-09", attached=("AmazonS3ReadOnlyAccess",), keys=((410, 0, True),), needs=(reads("test-data", "fixtures/%(hex8)s.json", 3),), rhythm="office", per_day=1.2, agent="aws-sdk-js/3.525.0 ua/2.0 os/linux#6.5.0 lang/js md/nodejs#20.11.1 api/s3#3.525.0"),
    _User("storefront-staging", "r.walsh-local", "2022-10-10", attached=("AmazonDynamoDBFullAccess",), keys=((770, 190, True),)),
    _User("payments-prod", "ses-smtp", "2020-02-24", keys=((1700, 0, True),), needs=_SMTP, rhythm="shoppers", per_day=1),
    _User("payments-prod", "bank-sftp", "2020-04-14", keys=((88, 0, True),), needs=(writes("settlement-files", "incoming/%(hex8)s.csv", 5),), per_day=1, address="198.51.100.201", tags=(("owner", "payments@ardenly.example"), ("rotation", "90d"))),
    _User("payments-prod", "pci-scanner", "2021-02-01", attached=("job-function/ViewOnlyAccess",), keys=((330, 6, True),), needs=(calls("ec2:DescribeInstances", "ec2:DescribeSecurityGroups", mean=2),), rhythm="weekly", per_day=1, address="198.51.100.214"),
    _User("payments-prod", "m.kowalczyk-db", "2020-06-08", attached=("AmazonRDSFullAccess",), keys=((1800, 700, True),), console=540),
    _User("payments-staging", "load-test", "2021-03-15", attached=("AmazonDynamoDBFullAccess",), keys=((620, 2, True),), needs=(calls("dynamodb:ListTables", mean=2),), rhythm="office", per_day=0.3),
    _User("payments-staging", "psp-sandbox", "2022-02-07", keys=((430, 1, True),), needs=(reads("settlement-files", "incoming/%(hex8)s.csv", 2),), per_day=0.5),
    _User("fulfilment-prod", "wms-partner", "2020-11-30", ("partners",), keys=((1310, 0, True),), needs=_SFTP, rhythm="office", per_day=1.5, address="198.51.100.230"),
    _User("fulfilment-prod", "carrier-north", "2021-09-27", ("partners",), keys=((980, 0, True),), needs=(reads("shipping-labels", "pdf/%(hex8)s.pdf", 3),), rhythm="office", per_day=1, address="198.51.100.233"),
    _User("fulfilment-prod", "carrier-south", "2021-09-27", ("partners",), keys=((980, 37, False),), needs=(reads("shipping-labels", "pdf/%(hex8)s.pdf", 3),)),
    _User("fulfilment-prod", "ses-smtp", "2020-10-05", keys=((1490, 0, True),), needs=_SMTP, rhythm="shoppers", per_day=0.8),
    _User("data-platform-prod", "tableau", "2021-05-17", attached=("AmazonAthenaFullAccess",), keys=((1340, 0, True),), needs=(calls("athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults", "glue:GetTables", mean=2, work_group="bi", database="gold"),), rhythm="office", per_day=2.0, address="34.247.11.93"),
    _User("data-platform-prod", "dms-source", "2021-01-25", keys=((910, 480, True),), attached=("service-role/AmazonDMSRedshiftS3Role",)),
    _User("data-platform-prod", "crm-segments", "2022-11-07", keys=((530, 0, True),), needs=(reads("marketing-exports", "segments/%(hex8)s.csv", 2),), per_day=1, address="52.210.44.8"),
    _User("data-platform-dev", "c.conti", "2021-04-12", ("data-science",), keys=((450, 95, True),), console=98),
    _User("data-platform-dev", "kaggle-team", "2022-05-30", ("data-science",), keys=((890, 655, True),)),
    _User("data-platform-dev", "notebook-service", "2021-10-18", attached=("AmazonSageMakerFullAccess",), keys=((720, 0, True),), needs=(calls("sagemaker:ListEndpoints", "sagemaker:DescribeTrainingJob", mean=2, name="notebook"),), rhythm="office", per_day=1),
    _User("sandbox-engineering", "hackathon-2023", "2023-11-17", ("playground",), keys=((734, 731, True),)),
    _User("sandbox-engineering", "y.tanabe-test", "2024-06-10", ("playground",), keys=((140, 20, True),), needs=(calls("ec2:DescribeInstances", "lambda:ListFunctions", "iam:ListRoles", mean=2),), rhythm="office", per_day=0.15, agent=CLI[0], address=OFFICES[0]),
    _User("sandbox-engineering", "tutorial-user", "2022-07-20", ("playground",), console=920),
)  # fmt: skip


def users(company: Company) -> list[Identity]:
    """The IAM users with their keys, passwords and work."""
    found = []
    for row in _USERS:
        account = company.account(row.account)
        user = Identity(account, row.name, date.fromisoformat(row.created), is_user=True, tags=dict(row.tags))
        user.groups = list(row.groups)
        user.attached = [managed(policy) for policy in row.attached]
        grants = [need(Site(account, company)) for need in row.needs]
        statements = [statement for grant in grants for statement in grant.statements]
        if statements:
            user.inline[f"{row.name}-access"] = document(*statements)
        uses = tuple(use for grant in grants for use in grant.uses)
        user.credentials = {"keys": row.keys, "console": row.console, "mfa": row.mfa}
        if row.per_day:
            entry = Entry.CONSOLE if row.console is not None and not row.keys else Entry.KEY
            user.plans.append(
                Plan(entry, "", (row.name,), uses, row.rhythm, row.per_day, 25, (row.address,), (row.agent,), mfa=row.mfa, console=entry is Entry.CONSOLE)
            )  # fmt: skip
        found.append(user)

    return found
