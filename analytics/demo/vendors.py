"""Who comes from outside: vendors with a role, an agency nobody remembers, and callers without any role of ours."""

from __future__ import annotations

from datetime import date

from analytics.demo.company import HOME, Company, team_mail
from analytics.demo.documents import allow, document, managed, trust_aws
from analytics.demo.model import Account, Entry, Identity, Plan, Use, digits, hexadecimal, uuid_of
from analytics.demo.refusals import refused

DATADOG, SNYK, FIVETRAN, CLOUDABILITY = "464622532012", "198361731867", "834469178297", "165736516723"
_MONITORED = (
    "payments-prod", "storefront-prod", "fulfilment-prod", "data-platform-prod", "shared-services", "payments-staging",
    "storefront-staging", "data-platform-dev", "ardenly-management",
)  # fmt: skip
_CRAWLED = (
    "ec2:DescribeInstances", "ec2:DescribeVolumes", "rds:DescribeDBInstances", "elasticloadbalancing:DescribeLoadBalancers", "lambda:ListFunctions",
    "sqs:ListQueues", "elasticache:DescribeCacheClusters", "ecs:ListClusters", "autoscaling:DescribeAutoScalingGroups", "dynamodb:ListTables",
    "sns:ListTopics", "health:DescribeEvents", "cloudwatch:DescribeAlarms", "tag:GetResources",
)  # fmt: skip
_READS = (
    "apigateway:GET", "autoscaling:Describe*", "backup:List*", "budgets:ViewBudget", "cloudfront:ListDistributions", "cloudtrail:DescribeTrails",
    "cloudtrail:GetTrailStatus", "cloudtrail:LookupEvents", "cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*", "codedeploy:List*", "dynamodb:Describe*",
    "dynamodb:List*", "ec2:Describe*", "ecs:Describe*", "ecs:List*", "elasticache:Describe*", "elasticache:List*", "elasticfilesystem:DescribeFileSystems",
    "elasticloadbalancing:Describe*", "es:DescribeElasticsearchDomains", "events:CreateEventBus", "health:DescribeEvents", "kinesis:Describe*", "kinesis:List*",
    "lambda:GetPolicy", "lambda:List*", "logs:DescribeLogGroups", "logs:DescribeSubscriptionFilters", "logs:DeleteSubscriptionFilter", "logs:PutSubscriptionFilter",
    "logs:FilterLogEvents", "organizations:DescribeOrganization", "rds:Describe*", "rds:List*", "redshift:DescribeClusters", "route53:List*", "s3:GetBucketLogging",
    "s3:GetBucketLocation", "s3:GetBucketNotification", "s3:GetBucketTagging", "s3:ListAllMyBuckets", "s3:PutBucketNotification", "ses:Get*", "sns:List*", "sns:Publish",
    "sqs:ListQueues", "states:ListStateMachines", "support:DescribeTrustedAdvisor*", "tag:GetResources", "tag:GetTagKeys", "tag:GetTagValues", "xray:BatchGetTraces",
)  # fmt: skip


def vendors(company: Company) -> list[Identity]:
    """Roles that accounts outside the organisation may assume."""
    roles = [_datadog(company, company.account(name)) for name in _MONITORED]
    for name in ("shared-services", "storefront-prod"):
        account = company.account(name)
        of = {"repository": "web-frontend", "registry": account.account_id}
        uses = (Use("ecr:DescribeRepositories", 2), Use("ecr:DescribeImages", 3, of), Use("ecr:DescribeImageScanFindings", 1, of))  # fmt: skip
        roles.append(
            _role(company, account, "SnykEcrIntegration", "2023-11-06", SNYK, uses, per_day=2.5, address="35.239.120.7", grants=("ecr:Describe*", "ecr:List*", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability"))
        )  # fmt: skip
    lake = company.account("data-platform-prod")
    bucket = f"ardenly-lake-landing-prod-{HOME}"
    of = {"bucket": bucket, "key": "fivetran/%(hex16)s.csv", "prefix": "fivetran/", "kms": uuid_of(company.seed, "key", lake.account_id, "data")}  # fmt: skip
    roles.append(
        _role(company, lake, "fivetran-lake-access", "2022-08-29", FIVETRAN, (Use("s3:PutObject", 5, of), Use("s3:ListObjects", 2, of)), per_day=4, address="35.227.135.0",
              grants=("s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:DeleteObject"), on=(f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"))
    )  # fmt: skip
    old = Identity(company.management, "CloudabilityRole", date(2020, 11, 9), used_before=320, description="Cloudability cost reports")  # fmt: skip
    old.trust = trust_aws(f"arn:aws:iam::{CLOUDABILITY}:user/cloudability")
    old.inline["CloudabilityPolicy"] = document(allow(["ce:*", "cloudwatch:GetMetricStatistics", "ec2:Describe*", "organizations:List*", "organizations:Describe*", "rds:Describe*", "savingsplans:Describe*"]))  # fmt: skip
    return [*roles, old, _warehouse(company), _agency(company)]


def _datadog(company: Company, account: Account) -> Identity:
    weight = 0.3 if account.environment == "production" else 0.16
    uses = tuple(Use(call, weight) for call in _CRAWLED)
    role = _role(company, account, "DatadogIntegrationRole", "2022-03-07", DATADOG, uses, per_day=3, address="3.233.158.12", grants=_READS)  # fmt: skip
    role.attached = [managed("SecurityAudit")]
    role.tags = {"owner": team_mail("platform"), "vendor": "datadog"}
    return role


def _role(company: Company, account: Account, name: str, since: str, vendor: str, uses: tuple[Use, ...], *, per_day: float, address: str,
          grants: tuple[str, ...], on: tuple[str, ...] = ("*",)) -> Identity:  # fmt: skip
    external = hexadecimal(32, company.seed, account.name, name)
    role = Identity(account, name, max(date.fromisoformat(since), account.joined))
    role.trust = trust_aws(f"arn:aws:iam::{vendor}:root", StringEquals={"sts:ExternalId": external})
    role.inline[f"{name}Policy"] = document(allow(list(grants), list(on)))
    labels = tuple(f"{name.split('I', maxsplit=1)[0]}-{digits(6, name, n)}" for n in range(4))
    role.plans.append(
        Plan(Entry.VENDOR, f"{vendor}:{external}", labels, uses, "always", per_day, 20, (address,), ("Boto3/1.36.26 md/Botocore#1.36.26 ua/2.0 os/linux lang/python#3.11.11 md/pyimpl#CPython Botocore/1.36.26",))
    )  # fmt: skip
    return role


def warehouse_vendor(company: Company) -> str:
    """The account of the warehouse software's maker, which no list knows."""
    return digits(12, company.seed, "wms vendor")


def _warehouse(company: Company) -> Identity:
    """The maker of the warehouse software; the ExternalId was dropped a few weeks ago."""
    account = company.account("fulfilment-prod")
    bucket = f"ardenly-wms-exchange-prod-{HOME}"
    of = {"bucket": bucket, "key": "support/%(hex8)s.log", "prefix": "support/", "kms": uuid_of(company.seed, "key", account.account_id, "data")}  # fmt: skip
    uses = (
        Use("s3:GetObject", 3, of),
        Use("ec2:DescribeInstances", 1),
        Use("logs:FilterLogEvents", 2, {"log_group": "/ardenly/wms-bridge"}),
    )
    role = Identity(account, "wms-vendor-access", date(2021, 2, 22), tags={"owner": team_mail("fulfilment")})
    role.trust = trust_aws(f"arn:aws:iam::{warehouse_vendor(company)}:root")
    role.inline["support"] = document(
        allow(["s3:GetObject", "s3:ListBucket", "s3:PutObject"], [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]),
        allow(["ec2:Describe*", "logs:*", "ssm:StartSession", "ssm:SendCommand"]),
    )  # fmt: skip
    role.plans.append(
        Plan(Entry.VENDOR, warehouse_vendor(company), ("support-desk",), uses, "office", 0.22, 30, ("198.51.100.77",), ("aws-cli/2.15.30 Python/3.11.8 Windows/10 exe/AMD64 prompt/off command/s3.cp",))
    )  # fmt: skip
    return role


def _agency(company: Company) -> Identity:
    """An agency that built a landing page in 2023; its role stayed."""
    role = Identity(company.account("storefront-staging"), "agency-brightpixel", date(2023, 5, 15), used_before=300)
    role.trust = trust_aws(f"arn:aws:iam::{digits(12, company.seed, 'agency')}:root")
    role.attached = [managed("PowerUserAccess")]
    return role


def outsiders(company: Company) -> list[Identity]:
    """Callers that come without a role of ours: their calls stand in our log as another account's."""
    found = []
    lake = company.account("data-platform-prod")
    bucket = {
        "bucket": f"ardenly-marketing-exports-prod-{HOME}",
        "key": "segments/%(hex8)s.csv",
        "owner": lake.account_id,
    }
    agency = Account(digits(12, company.seed, "agency"), "outside", "", "", "", "", date(2020, 1, 1))
    for name, mean in (("campaign-loader", 1.6), ("reporting", 0.5)):
        user = Identity(agency, name, date(2021, 1, 1), is_user=True)
        use = Use("s3:GetObject", mean, bucket, refused("rcp", "explicit", "s3:GetObject"), shared_with=lake.account_id)
        user.plans.append(Plan(Entry.KEY, "", (name,), (use,), "office", 0.5, 15, ("198.51.100.140",), ("Boto3/1.26.165 Python/3.9.17",)))  # fmt: skip
        found.append(user)
    return found
