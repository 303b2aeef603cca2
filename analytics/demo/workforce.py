"""People: permission sets of IAM Identity Center as roles in each account, and what each person does with them."""

from __future__ import annotations

from datetime import date

from analytics.demo.company import HOME, PEOPLE, Company, Person, team
from analytics.demo.documents import allow, document, managed, statement, trust_saml
from analytics.demo.guardrails import DETACHED_AGO
from analytics.demo.model import (
    Account,
    Calendar,
    Document,
    Entry,
    Identity,
    Plan,
    Refusal,
    Use,
    boundary_arn,
    hexadecimal,
    uuid_of,
)
from analytics.demo.refusals import refused

OFFICES = ("198.51.100.24", "198.51.100.25", "203.0.113.66")  # Dublin, Hamburg and the VPN
CONSOLE = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
)
CLI = (
    "aws-cli/2.31.18 md/awscrt#0.27.6 ua/2.1 os/macos#24.6.0 md/arch#arm64 lang/python#3.13.7 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#sts.get-caller-identity",
    "aws-cli/2.28.21 md/awscrt#0.26.1 ua/2.1 os/linux#6.8.0-85-generic md/arch#x86_64 lang/python#3.13.4 md/pyimpl#CPython cfg/retry-mode#standard md/installer#exe md/prompt#off md/command#s3.ls",
)

# permission set: AWS managed policies, accounts ("*": all that are collected), since
_SETS: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "AdministratorAccess": (("AdministratorAccess",), ("*",), "2022-04-11"),
    "ReadOnlyAccess": (("ReadOnlyAccess",), ("payments-prod", "storefront-prod", "fulfilment-prod", "data-platform-prod", "shared-services", "payments-staging", "storefront-staging"), "2022-04-11"),
    "SecurityAudit": (("SecurityAudit", "AWSCloudTrail_ReadOnlyAccess"), ("ardenly-management", "log-archive", "security-tooling", "payments-prod", "storefront-prod", "data-platform-prod"), "2022-05-02"),
    "DeveloperAccess": (("PowerUserAccess",), ("payments-staging", "storefront-staging", "data-platform-dev", "sandbox-engineering"), "2022-04-11"),
    "ProductionSupport": (("job-function/ViewOnlyAccess", "CloudWatchReadOnlyAccess"), ("payments-prod", "storefront-prod", "fulfilment-prod"), "2022-09-19"),
    "DatabaseOperator": (("AmazonRDSFullAccess",), ("payments-prod", "fulfilment-prod"), "2023-02-13"),
    "DataAnalyst": (("AmazonAthenaFullAccess",), ("data-platform-prod", "data-platform-dev"), "2022-06-07"),
    "BillingViewer": (("AWSBillingReadOnlyAccess",), ("ardenly-management",), "2022-04-11"),
    "NetworkAdministrator": (("job-function/NetworkAdministrator",), ("shared-services",), "2023-06-05"),
}  # fmt: skip
_BOUNDARIES = {"payments-staging": "developer", "storefront-staging": "developer", "data-platform-dev": "developer", "sandbox-engineering": "sandbox"}  # fmt: skip


def permission_sets(company: Company, calendar: Calendar) -> list[Identity]:
    """One role for each permission set and account, with the sessions of the people assigned to it."""
    roles = []
    for name, (policies, accounts, since) in _SETS.items():
        for account in company.accounts:
            if account.invited or not (account.name in accounts or accounts == ("*",)):
                continue
            role = Identity(
                account,
                f"AWSReservedSSO_{name}_{hexadecimal(16, company.seed, name, account.name)}",
                max(date.fromisoformat(since), account.joined),
                path=f"/aws-reserved/sso.amazonaws.com/{HOME}/",
                attached=[managed(policy) for policy in policies],
            )
            role.trust = trust_saml(
                f"arn:aws:iam::{account.account_id}:saml-provider/AWSSSO_{hexadecimal(16, company.seed, 'sso')}_DO_NOT_DELETE"
            )
            if name in _INLINE:
                role.inline["AwsSSOInlinePolicy"] = _INLINE[name]
            if name == "DeveloperAccess":
                role.boundary = boundary_arn(account, _BOUNDARIES[account.name])
            role.plans = [
                _plan(company, calendar, account, name, person, per_day) for person, per_day in _assigned(name, account)
            ]
            roles.append(role)
    return roles


def _assigned(name: str, account: Account) -> list[tuple[Person, float]]:
    """Who uses a permission set in an account, and how many sittings on a working day."""
    by_name = {person.name: person for person in PEOPLE}
    owners = account.owner.split("@")[0]
    match name:
        case "AdministratorAccess":
            rates = {"Tomasz Wrona": 0.22, "Oisin Daly": 0.25, "Lena Hoffmann": 0.3, "Niamh Brennan": 0.05}
            if account.name in {"log-archive", "security-tooling"}:
                rates = {"Jonas Reuter": 0.15, "Mateus Ribeiro": 0.3 if account.name == "security-tooling" else 0.08}
            elif account.environment == "staging":
                rates = {"Lena Hoffmann": 0.15, "Karim Haddad" if owners == "payments" else "Clara Lindqvist": 0.2}
            elif account.name == "sandbox-engineering":
                rates = {"Oisin Daly": 0.1}
            return [(by_name[person], rate) for person, rate in rates.items()]
        case "ReadOnlyAccess":
            return [(person, 0.35) for person in team(owners)] + [(by_name["Lena Hoffmann"], 0.3)]
        case "SecurityAudit":
            return [(person, 0.2) for person in team("security")]
        case "DeveloperAccess":
            people = team(owners) if account.name != "sandbox-engineering" else team("storefront") + team("payments")
            return [(person, 0.5 if account.name != "sandbox-engineering" else 0.12) for person in people]
        case "ProductionSupport":
            return [(person, 0.55) for person in team("support")]
        case "DatabaseOperator":
            return [(by_name["Marta Kowalczyk"], 0.5)]
        case "DataAnalyst":
            return [(by_name[person], 0.8) for person in ("Elif Aydin", "Ruairi Quinn", "Chiara Conti")]
        case "BillingViewer":
            return [(by_name["Declan Byrne"], 0.6), (by_name["Valerie Dubois"], 0.08)]
        case _:
            return [(by_name["Farah Siddiqui"], 0.7)]


def _plan(company: Company, calendar: Calendar, account: Account, name: str, person: Person, per_day: float) -> Plan:
    terminal = int(hexadecimal(2, person.email, name), 16) % 3 == 0
    place = (
        OFFICES[1] if person.name in {"Lena Hoffmann", "Jonas Reuter", "Hannah Weiss", "Anja Krause"} else OFFICES[0]
    )
    agent = int(hexadecimal(2, person.email), 16)
    return Plan(
        Entry.SAML,
        person.email,
        (person.email,),
        _uses(company, calendar, account, name),
        rhythm="office",
        per_day=per_day,
        minutes=38,
        addresses=(place, place, place, OFFICES[2]),
        agents=(CLI[agent % 2],) if terminal else (CONSOLE[agent % 3],),
        console=not terminal,
    )


def _uses(company: Company, calendar: Calendar, account: Account, name: str) -> tuple[Use, ...]:
    """What people do with a permission set, and what they try in vain."""
    fields = _fields(company, account)
    uses = [Use(call, mean, fields, _outside_allow_list(account, call)) for call, mean in _HABITS[name]]
    for call, mean, layer, kind in _TRIED.get(name, ()):
        uses.append(Use(call, mean, fields, refused(layer, kind, call)))
    if name == "AdministratorAccess":
        uses += _administrators_try(account, fields)
    if name == "DeveloperAccess" and account.unit == "NonProd":
        day = calendar.offset(calendar.workday(DETACHED_AGO))
        uses.append(
            Use("guardduty:CreateFilter", 0.02, fields, refused("scp", "explicit", "guardduty:CreateFilter"), last=day)
        )
        uses.append(
            Use(
                "guardduty:CreateFilter",
                0.02,
                fields,
                refused("boundary", "implicit", "guardduty:CreateFilter"),
                first=day,
            )
        )
    return tuple(uses)


def _outside_allow_list(account: Account, call: str) -> Refusal | None:
    """The log archive's control policy allows only some services."""
    service = call.split(":", maxsplit=1)[0]
    if account.name != "log-archive" or service in _ARCHIVE_SERVICES or call.startswith("ec2:Describe"):
        return None
    return refused("scp", "implicit", call)


def _administrators_try(account: Account, fields: dict[str, str]) -> list[Use]:
    found = []
    if account.unit in {"Payments", "Retail", "Prod", "NonProd", "Sandbox"}:
        lock = refused("scp", "explicit", "ec2:DescribeInstances")
        found.append(Use("ec2:DescribeInstances", 0.07, fields, lock, region="us-west-2"))
        found.append(Use("lambda:ListFunctions", 0.03, fields, refused("scp", "explicit", "lambda:ListFunctions"), region="ap-southeast-1"))  # fmt: skip
    if account.environment == "production":
        found.append(Use("iam:CreateAccessKey", 0.015, {**fields, "user_key": "", "created": ""}, refused("scp", "explicit", "iam:CreateAccessKey")))  # fmt: skip
        found.append(
            Use(
                "s3:PutBucketPublicAccessBlock",
                0.012,
                fields,
                refused("scp", "explicit", "s3:PutBucketPublicAccessBlock"),
            )
        )
    if account.unit == "Payments":
        found.append(
            Use("kms:ScheduleKeyDeletion", 0.02, fields, refused("scp", "explicit", "kms:ScheduleKeyDeletion"))
        )
    if account.unit == "Sandbox":
        of = {**fields, "type": "m5.24xlarge", "subnet": "subnet-0c0ffee0c0ffee000", "resource": f"arn:aws:ec2:{HOME}:{account.account_id}:instance/*"}  # fmt: skip
        found.append(Use("ec2:RunInstances", 0.3, of, refused("scp", "explicit", "ec2:RunInstances")))
    return found


def _fields(company: Company, account: Account) -> dict[str, str]:
    environment = {"production": "prod", "staging": "staging", "development": "dev"}.get(account.environment, "shared")
    application = _MAIN.get(account.name, "baseline")
    return {
        "log_group": f"/aws/lambda/{application}-{environment}",
        "log_stream": "[$LATEST]",
        "function": f"{application}-{environment}",
        "cluster": f"ardenly-{environment}",
        "service": application,
        "stack": f"{application}-{environment}",
        "dashboard": f"{application}-overview",
        "table": f"{_TABLES.get(account.name, 'orders')}-{environment}",
        "bucket": f"ardenly-{_BUCKETS.get(account.name, 'access-logs')}-{environment}-{HOME}",
        "role_name": "ardenly-security-audit",
        "user_name": person_of(account),
        "policy": boundary_arn(account, "workload"),
        "policy_name": "workload",
        "db": f"{application}-aurora",
        "database": "silver",
        "glue_table": "orders",
        "work_group": "analysts",
        "key": "queries/%(uuid)s.csv",
        "prefix": "queries/",
        "rule": f"{application}-schedule",
        "machine": f"order-fulfilment-{environment}",
        "queue": f"authorisations-{environment}",
        "repository": application,
        "detector": hexadecimal(32, company.seed, account.name, "detector"),
        "instance_arn": f"arn:aws:sso:::instance/ssoins-{hexadecimal(16, company.seed, 'instance')}",
        "identity_store": f"d-{hexadecimal(10, company.seed, 'store')}",
        "scp": f"p-{hexadecimal(8, company.seed, 'scp', 'region-lock')}",
        "zone": "Z0ARDENLYINTERNAL1",
        "kms": uuid_of(company.seed, "key", account.account_id, "data"),
        "owner": account.account_id,
        "domain": "product-search",
        "name": application,
        "group": f"sg-0{hexadecimal(16, account.account_id, application)}",
        "path": f"/{environment}/{application}",
        "secret": f"{environment}/{application}-a1b2c3",
        "job": "orders-curation",
        "pool": f"{HOME}_Merchants1",
        "user_key": "",
        "created": "",
        "document": "{}",
        "instance": f"i-0{hexadecimal(16, account.account_id, 'product-search', 0)}",
    }


_MAIN = {"payments-prod": "payment-authoriser", "payments-staging": "payment-authoriser", "storefront-prod": "catalogue-api", "storefront-staging": "catalogue-api",
         "fulfilment-prod": "warehouse-sync", "data-platform-prod": "lake-ingest", "data-platform-dev": "lake-ingest", "shared-services": "dns-updater",
         "security-tooling": "finding-router"}  # fmt: skip
_TABLES = {"payments-prod": "ledger", "payments-staging": "ledger", "fulfilment-prod": "stock"}
_BUCKETS = {"payments-prod": "settlement-files", "storefront-prod": "product-images", "data-platform-prod": "athena-results", "data-platform-dev": "athena-results"}  # fmt: skip


def person_of(account: Account) -> str:
    """The user that an administrator most often looks at in an account."""
    return "break-glass-1" if account.unit == "Root" else "ses-smtp"


_LOOKS = (
    ("ec2:DescribeInstances", 0.9), ("ec2:DescribeSecurityGroups", 0.5), ("ec2:DescribeVpcs", 0.4), ("ec2:DescribeRegions", 0.8), ("ec2:DescribeSubnets", 0.3),
    ("cloudwatch:DescribeAlarms", 1.2), ("cloudwatch:GetDashboard", 0.5), ("cloudwatch:ListDashboards", 0.3), ("logs:DescribeLogGroups", 1.0),
    ("logs:DescribeLogStreams", 0.5), ("lambda:ListFunctions", 0.7), ("lambda:GetFunction", 0.4), ("ecs:ListClusters", 0.4), ("ecs:DescribeServices", 0.5),
    ("s3:ListBuckets", 0.5), ("cloudformation:ListStacks", 0.3), ("cloudformation:DescribeStacks", 0.4), ("dynamodb:ListTables", 0.3), ("rds:DescribeDBClusters", 0.2),
    ("health:DescribeEvents", 0.5), ("elasticloadbalancing:DescribeLoadBalancers", 0.3),
)  # fmt: skip
_HABITS: dict[str, tuple[tuple[str, float], ...]] = {
    "AdministratorAccess": (
        *_LOOKS, ("iam:ListRoles", 0.6), ("iam:GetRole", 0.8), ("iam:ListAttachedRolePolicies", 0.6), ("iam:ListRolePolicies", 0.4), ("iam:GetPolicy", 0.3),
        ("iam:GetPolicyVersion", 0.3), ("iam:ListUsers", 0.2), ("iam:ListPolicies", 0.2), ("cloudtrail:LookupEvents", 0.3), ("logs:StartQuery", 0.4),
        ("logs:GetQueryResults", 0.8), ("servicequotas:ListServiceQuotas", 0.05), ("route53:ListHostedZones", 0.1), ("acm:ListCertificates", 0.1),
        ("ecs:UpdateService", 0.05), ("lambda:UpdateFunctionConfiguration", 0.04), ("cloudwatch:PutMetricAlarm", 0.05), ("logs:PutRetentionPolicy", 0.04),
        ("ec2:AuthorizeSecurityGroupIngress", 0.02), ("kms:ListAliases", 0.1), ("kms:DescribeKey", 0.1), ("support:CreateCase", 0.01),
    ),
    "ReadOnlyAccess": (
        *_LOOKS, ("logs:StartQuery", 0.8), ("logs:GetQueryResults", 1.5), ("logs:FilterLogEvents", 0.8), ("ecs:DescribeTasks", 0.5), ("states:ListExecutions", 0.3),
        ("dynamodb:DescribeTable", 0.4), ("lambda:GetFunctionConfiguration", 0.4), ("sqs:GetQueueAttributes", 0.3), ("ecr:DescribeImages", 0.2), ("acm:ListCertificates", 0.1),
    ),
    "SecurityAudit": (
        ("iam:ListRoles", 1.0), ("iam:ListUsers", 0.8), ("iam:GetAccountSummary", 0.5), ("iam:ListPolicies", 0.6), ("cloudtrail:LookupEvents", 2.0), ("cloudtrail:DescribeTrails", 0.5),
        ("guardduty:ListDetectors", 0.8), ("guardduty:ListFindings", 1.2), ("guardduty:GetFindings", 1.2), ("securityhub:GetFindings", 1.0), ("securityhub:DescribeHub", 0.5),
        ("access-analyzer:ListAnalyzers", 0.4), ("config:DescribeConfigRules", 0.5), ("s3:ListBuckets", 0.4), ("ec2:DescribeSecurityGroups", 0.5), ("kms:ListKeys", 0.3),
    ),
    "DeveloperAccess": (
        *_LOOKS, ("logs:StartQuery", 1.0), ("logs:GetQueryResults", 2.0), ("logs:FilterLogEvents", 1.0), ("lambda:UpdateFunctionCode", 0.4), ("lambda:UpdateFunctionConfiguration", 0.2),
        ("ecs:UpdateService", 0.2), ("ecs:DescribeTasks", 0.5), ("dynamodb:DescribeTable", 0.4), ("cloudformation:CreateChangeSet", 0.1), ("cloudformation:ExecuteChangeSet", 0.1),
        ("states:ListExecutions", 0.3), ("sqs:GetQueueAttributes", 0.3), ("s3:GetBucketTagging", 0.1), ("events:ListRules", 0.2), ("ssm:GetParametersByPath", 0.2), ("ecs:ExecuteCommand", 0.1),
    ),
    "ProductionSupport": (
        ("cloudwatch:DescribeAlarms", 1.5), ("cloudwatch:GetDashboard", 1.2), ("cloudwatch:ListDashboards", 0.6), ("cloudwatch:DescribeAlarmHistory", 0.6), ("logs:DescribeLogGroups", 1.5),
        ("logs:StartQuery", 2.0), ("logs:GetQueryResults", 3.5), ("logs:FilterLogEvents", 1.0), ("ec2:DescribeInstances", 0.3), ("ecs:ListClusters", 0.5), ("ecs:ListServices", 0.5),
        ("lambda:ListFunctions", 0.6), ("sqs:ListQueues", 0.4), ("dynamodb:ListTables", 0.2), ("rds:DescribeDBInstances", 0.2),
    ),
    "DatabaseOperator": (
        ("rds:DescribeDBInstances", 1.5), ("rds:DescribeDBClusters", 1.2), ("rds:DescribeDBSnapshots", 0.8), ("rds:DescribeDBLogFiles", 0.8), ("rds:CreateDBSnapshot", 0.3),
        ("rds:ModifyDBInstance", 0.1), ("ec2:DescribeSecurityGroups", 0.5), ("ec2:DescribeSubnets", 0.4), ("ec2:DescribeVpcs", 0.4),
    ),
    "DataAnalyst": (
        ("athena:ListWorkGroups", 0.8), ("athena:GetWorkGroup", 1.0), ("athena:StartQueryExecution", 3.0), ("athena:GetQueryExecution", 6.0), ("athena:GetQueryResults", 3.0),
        ("glue:GetDatabases", 1.0), ("glue:GetTables", 1.5), ("glue:GetTable", 2.0), ("glue:GetPartitions", 1.5), ("s3:GetObject", 2.0), ("s3:ListBuckets", 0.5),
    ),
    "BillingViewer": (("ce:GetCostAndUsage", 4.0), ("ce:GetCostForecast", 1.2), ("budgets:ViewBudget", 0.8), ("organizations:ListAccounts", 0.6)),
    "NetworkAdministrator": (
        ("ec2:DescribeVpcs", 1.0), ("ec2:DescribeSubnets", 1.0), ("ec2:DescribeRouteTables", 1.2), ("ec2:DescribeTransitGatewayAttachments", 0.8), ("ec2:DescribeFlowLogs", 0.5),
        ("ec2:DescribeNetworkInterfaces", 0.8), ("ec2:DescribeSecurityGroups", 0.8), ("ec2:DescribeAddresses", 0.4), ("route53:ListHostedZones", 0.8),
        ("route53:ListResourceRecordSets", 1.0), ("route53:ChangeResourceRecordSets", 0.2), ("elasticloadbalancing:DescribeLoadBalancers", 0.4), ("ec2:AuthorizeSecurityGroupIngress", 0.15),
    ),
}  # fmt: skip

_INLINE: dict[str, Document] = {
    "ProductionSupport": document(
        allow(["logs:StartQuery", "logs:GetQueryResults", "logs:StopQuery", "logs:FilterLogEvents", "logs:GetLogEvents"]),
        statement("Deny", ["s3:GetObject", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "secretsmanager:GetSecretValue", "ssm:GetParameter*"], Sid="NoCustomerData"),
    ),
    "DatabaseOperator": document(
        allow(["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "pi:GetResourceMetrics"]),
        statement("Deny", ["rds:DeleteDBInstance", "rds:DeleteDBCluster", "rds:DeleteDBSnapshot"], Sid="NoDeletion"),
    ),
    "DataAnalyst": document(
        allow(["s3:GetObject", "s3:PutObject", "s3:ListBucket"], ["arn:aws:s3:::ardenly-athena-results-*", "arn:aws:s3:::ardenly-athena-results-*/*"]),
        allow(["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::ardenly-lake-curated-*", "arn:aws:s3:::ardenly-lake-curated-*/*"]),
        allow(["s3:ListAllMyBuckets"]),
    ),
    "BillingViewer": document(allow(["organizations:ListAccounts", "organizations:DescribeOrganization", "ce:*", "budgets:ViewBudget"])),
}  # fmt: skip

# What people try in vain: call, how often in a sitting, the layer that refuses, how.
_TRIED: dict[str, tuple[tuple[str, float, str, str], ...]] = {
    "ReadOnlyAccess": (
        ("lambda:UpdateFunctionConfiguration", 0.03, "identity", "implicit"), ("secretsmanager:GetSecretValue", 0.05, "identity", "implicit"),
        ("ecs:ExecuteCommand", 0.03, "identity", "implicit"), ("ssm:StartSession", 0.02, "identity", "implicit"),
    ),
    "DeveloperAccess": (
        ("kms:ScheduleKeyDeletion", 0.012, "boundary", "implicit"),
        ("iam:CreateAccessKey", 0.008, "identity", "implicit"), ("iam:PutRolePolicy", 0.03, "identity", "implicit"),
    ),
    "ProductionSupport": (
        ("s3:GetObject", 0.06, "identity", "explicit"), ("dynamodb:Query", 0.15, "identity", "explicit"), ("sqs:PurgeQueue", 0.03, "identity", "implicit"),
        ("cognito-idp:AdminDisableUser", 0.05, "identity", "implicit"), ("secretsmanager:GetSecretValue", 0.01, "identity", "explicit"),
    ),
    "DatabaseOperator": (("rds:DeleteDBSnapshot", 0.08, "identity", "explicit"), ("logs:FilterLogEvents", 0.1, "identity", "implicit")),
    "DataAnalyst": (("redshift:GetClusterCredentials", 0.05, "identity", "implicit"), ("glue:StartJobRun", 0.03, "identity", "implicit")),
    "SecurityAudit": (("s3:GetObject", 0.04, "identity", "implicit"), ("guardduty:CreateFilter", 0.02, "identity", "implicit")),
    "BillingViewer": (("ec2:DescribeInstances", 0.04, "identity", "implicit"), ("organizations:DescribePolicy", 0.02, "identity", "implicit")),
    "NetworkAdministrator": (("ec2:TerminateInstances", 0.03, "identity", "implicit"),),
}  # fmt: skip
_ARCHIVE_SERVICES = {
    "access-analyzer", "account", "athena", "cloudformation", "cloudtrail", "cloudwatch", "config", "events", "glue", "guardduty", "health", "iam", "kms", "lambda", "logs",
    "organizations", "s3", "securityhub", "sns", "sqs", "ssm", "sts", "support", "tag", "trustedadvisor",
}  # fmt: skip
