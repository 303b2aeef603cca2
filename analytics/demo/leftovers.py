"""The sandbox, half-forgotten roles, and the account of Parcelkite, into which nobody can look yet."""

from __future__ import annotations

from datetime import date

from analytics.demo.company import OFFICES_OF_PARCELKITE, Company
from analytics.demo.documents import allow, document, managed, trust_aws, trust_service
from analytics.demo.model import Entry, Identity, Plan, Use, boundary_arn, hexadecimal
from analytics.demo.workloads import AGENTS, public_addresses

# name, created, trusted service, AWS managed policies, days unused before the activity (None: never used)
_SANDBOX = (
    ("lambda-playground-role-k2x9", "2022-05-11", "lambda.amazonaws.com", ("AdministratorAccess",), 500),
    ("test-role-1", "2022-05-17", "ec2.amazonaws.com", ("AmazonEC2FullAccess",), 640),
    ("test-role-2", "2022-05-17", "ec2.amazonaws.com", ("AmazonS3FullAccess",), None),
    ("hackday-bedrock", "2024-06-14", "lambda.amazonaws.com", ("AmazonBedrockFullAccess",), 210),
    ("StepFunctions-MyStateMachine-role-0c9e3a7b", "2023-02-27", "states.amazonaws.com", ("AWSLambda_FullAccess",), 800),
    ("AmazonSageMaker-ExecutionRole-20230912T101544", "2023-09-12", "sagemaker.amazonaws.com", ("AmazonSageMakerFullAccess",), 410),
    ("glue-crawler-demo", "2024-02-06", "glue.amazonaws.com", ("service-role/AWSGlueServiceRole", "AmazonS3FullAccess"), 150),
    ("cdk-hnb659fds-cfn-exec-role", "2023-08-28", "cloudformation.amazonaws.com", ("AdministratorAccess",), 60),
    ("eks-workshop-node", "2024-11-19", "ec2.amazonaws.com", ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"), 330),
    ("rds-monitoring-role", "2024-03-11", "monitoring.rds.amazonaws.com", ("service-role/AmazonRDSEnhancedMonitoringRole",), 20),
)  # fmt: skip
_ELSEWHERE = (
    ("payments-prod", "rds-monitoring-role", "2020-06-02", "monitoring.rds.amazonaws.com", ("service-role/AmazonRDSEnhancedMonitoringRole",), 1),
    ("fulfilment-prod", "rds-monitoring-role", "2020-11-02", "monitoring.rds.amazonaws.com", ("service-role/AmazonRDSEnhancedMonitoringRole",), 1),
    ("payments-prod", "apigateway-cloudwatch-logs", "2022-07-04", "apigateway.amazonaws.com", ("service-role/AmazonAPIGatewayPushToCloudWatchLogs",), 1),
    ("data-platform-prod", "dms-vpc-role", "2021-01-25", "dms.amazonaws.com", ("service-role/AmazonDMSVPCManagementRole",), 480),
    ("data-platform-prod", "aws-quicksight-service-role-v0", "2021-06-07", "quicksight.amazonaws.com", ("AmazonAthenaFullAccess",), 2),
    ("shared-services", "eks-tools-cluster", "2022-08-08", "eks.amazonaws.com", ("AmazonEKSClusterPolicy",), 0),
    ("shared-services", "lb-nagios", "2019-11-04", "ec2.amazonaws.com", ("AmazonEC2ReadOnlyAccess", "CloudWatchReadOnlyAccess"), 900),
    ("storefront-prod", "lb-ops-admin", "2019-06-03", "ec2.amazonaws.com", ("AdministratorAccess",), 305),
    ("storefront-prod", "lb-elasticsearch-snapshots", "2020-05-25", "es.amazonaws.com", ("AmazonS3FullAccess",), 700),
    ("payments-prod", "AWSBackupDefaultServiceRole", "2021-08-02", "backup.amazonaws.com", ("service-role/AWSBackupServiceRolePolicyForBackup",), None),
    ("fulfilment-prod", "AWSBackupDefaultServiceRole", "2021-08-02", "backup.amazonaws.com", ("service-role/AWSBackupServiceRolePolicyForBackup",), None),
)  # fmt: skip


def leftovers(company: Company) -> list[Identity]:
    """Roles of the playground and of the past."""
    sandbox = company.account("sandbox-engineering")
    rows = [("sandbox-engineering", *row) for row in _SANDBOX] + list(_ELSEWHERE)
    found = []
    for account_name, name, created, service, policies, unused in rows:
        account = company.account(account_name)
        role = Identity(account, name, date.fromisoformat(created), used_before=unused)
        role.trust = trust_service(service)
        role.attached = [managed(policy) for policy in policies]
        if account is sandbox and created > "2024-03":
            role.boundary = boundary_arn(account, "sandbox")
        if service == "backup.amazonaws.com":
            role.used_before = None
            role.plans.append(_backup(company, role))
        found.append(role)
    human = Identity(sandbox, "petrov-cross-test", date(2024, 9, 17), used_before=45)
    human.trust = trust_aws(f"arn:aws:iam::{company.account('storefront-staging').account_id}:root")
    human.attached = [managed("AmazonS3ReadOnlyAccess")]
    return [*found, human]


def _backup(company: Company, role: Identity) -> Plan:
    of = {"vault": "ardenly-daily", "db": "orders-aurora", "role": role.arn}
    uses = (Use("rds:DescribeDBClusters", 1, of), Use("ec2:CreateSnapshot", 1, of), Use("dynamodb:DescribeTable", 2, {"table": f"ledger-{company.seed}"}))  # fmt: skip
    return Plan(Entry.SERVICE, "backup.amazonaws.com", (f"AWSBackup-{role.name}",), uses, "nightly", 1, 30, ("backup.amazonaws.com",), ("backup.amazonaws.com",))  # fmt: skip


def parcelkite(company: Company) -> list[Identity]:
    """Identities of the bought start-up: they are in the logs, and in no snapshot."""
    account = company.account("parcelkite-production")
    made = account.joined
    bucket = {"bucket": "pk-parcels", "key": "labels/%(hex8)s.pdf", "owner": account.account_id}
    log = {"log_group": "/aws/lambda/pk-tracker", "log_stream": "[$LATEST]", "function": "pk-tracker"}
    names = {"stack": "pk-prod", "role_name": "pk-tracker-role", "service": "pk-api", "cluster": "pk", "name": "pk-web"}
    api = Identity(account, "pk-api-task", made)
    api.plans = [
        _service_plan(api, "ecs", (Use("s3:PutObject", 3, bucket), Use("logs:CreateLogStream", 3, log)), "shoppers")
    ]
    tracker = Identity(account, "pk-tracker-role", made)
    tracker.plans = [_service_plan(tracker, "lambda", (Use("logs:CreateLogStream", 5, log),), "always")]
    admin = Identity(account, "ola.svendsen", made, is_user=True)
    admin.attached = [managed("AdministratorAccess")]
    uses = tuple(Use(call, mean, {**names, **log}) for call, mean in (("lambda:UpdateFunctionCode", 1), ("ecs:UpdateService", 0.6), ("cloudformation:CreateChangeSet", 0.3), ("ec2:CreateTags", 0.3)))  # fmt: skip
    admin.plans = [Plan(Entry.KEY, "", (admin.name,), uses, "office", 0.8, 40, OFFICES_OF_PARCELKITE, ("aws-cli/2.17.44 md/awscrt#0.21.2 ua/2.0 os/macos#23.6.0 md/arch#arm64 lang/python#3.11.9 md/pyimpl#CPython",))]  # fmt: skip
    for identity in (api, tracker):
        identity.trust = trust_service("lambda.amazonaws.com")
        identity.inline["all"] = document(allow(["*"]))
    return [api, tracker, admin]


def _service_plan(role: Identity, kind: str, uses: tuple[Use, ...], rhythm: str) -> Plan:
    service = {"ecs": "ecs-tasks.amazonaws.com", "lambda": "lambda.amazonaws.com"}[kind]
    labels = tuple(hexadecimal(32, role.name, n) for n in range(6)) if kind == "ecs" else ("pk-tracker",)
    of_role = tuple(Use(u.call, u.mean, {"name": role.name, **u.of}) for u in uses)
    return Plan(Entry.SERVICE, service, labels, of_role, rhythm, 2, 0, public_addresses(role.account, role.name), AGENTS[kind])  # fmt: skip
