"""What the platform's roles call: deployments, Terraform, the security audit, AWS Config, stack sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.demo.model import Account, Use, boundary_arn
from analytics.demo.refusals import refused

if TYPE_CHECKING:
    from analytics.demo.company import Company


def deploy_uses(company: Company, account: Account, service: str, function: str) -> tuple[Use, ...]:
    """A deployment of a service and a function, with the calls that are refused now and then."""
    environment = {"production": "prod", "staging": "staging", "development": "dev"}.get(
        account.environment, "security"
    )
    of = {
        "cluster": f"ardenly-{environment}",
        "service": service,
        "function": f"{function}-{environment}",
        "stack": f"{function}-{environment}",
    }
    of |= {"registry": company.account("shared-services").account_id, "repository": service}
    return (
        Use("sts:GetCallerIdentity", 1.0),
        Use("ecr:GetAuthorizationToken", 0.8),
        Use("ecs:DescribeTaskDefinition", 0.8, of),
        Use("ecs:RegisterTaskDefinition", 0.6, of),
        Use("ecs:UpdateService", 0.6, of),
        Use("ecs:DescribeServices", 4.0, of),
        Use("lambda:UpdateFunctionCode", 0.7, of),
        Use("lambda:GetFunctionConfiguration", 1.4, of),
        Use("lambda:PublishVersion", 0.4, of),
        Use("cloudformation:DescribeStacks", 1.2, of),
        Use("cloudformation:CreateChangeSet", 0.25, of),
        Use("cloudformation:DescribeChangeSet", 0.5, of),
        Use("cloudformation:ExecuteChangeSet", 0.25, of),
        Use("cloudformation:DescribeStackEvents", 0.7, of),
        *_deploys_refused(account, of),
    )  # fmt: skip


def _deploys_refused(account: Account, of: dict[str, str]) -> tuple[Use, ...]:
    """Roles without the boundary are refused by the pipeline's own boundary."""
    if account.environment not in {"production", "security"}:
        return ()
    role = {
        "role_name": f"{of['service']}-task",
        "role_path": "/workload/",
        "trust": "{}",
        "trust_encoded": "",
        "description": "",
    }
    role |= {
        "role_id": "",
        "created": "",
        "role": f"arn:aws:iam::{account.account_id}:role/workload/{of['service']}-task",
    }
    return (
        Use(
            "iam:CreateRole",
            0.02,
            {**role, "resource": role["role"]},
            refused("boundary", "explicit", "iam:CreateRole"),
        ),
    )


def terraform_uses(shared: Account, account: Account, weight: float) -> tuple[Use, ...]:
    """A plan or an apply of the infrastructure's code."""
    state = {
        "bucket": "ardenly-terraform-state",
        "key": f"{account.name}/terraform.tfstate",
        "owner": shared.account_id,
    }
    bucket = {"bucket": f"ardenly-access-logs-{account.name}"}
    names = {
        "role_name": "ardenly-security-audit",
        "policy_name": "workload",
        "policy": boundary_arn(account, "workload"),
    }
    names |= {"log_group": f"/ardenly/{account.name}", "function": "baseline-check"}
    uses = [
        Use("s3:GetObject", 2.0, state, shared_with=shared.account_id),
        Use("sts:GetCallerIdentity", 1.0),
        Use("iam:GetRole", 3.0, names),
        Use("iam:ListRolePolicies", 1.5, names),
        Use("iam:ListAttachedRolePolicies", 1.5, names),
        Use("iam:GetPolicy", 0.8, names),
        Use("iam:GetPolicyVersion", 0.8, names),
        Use("ec2:DescribeVpcs", 0.8),
        Use("ec2:DescribeSubnets", 1.0),
        Use("ec2:DescribeSecurityGroups", 1.2),
        Use("ec2:DescribeRouteTables", 0.8),
        Use("s3:GetBucketPolicy", 0.8, bucket),
        Use("s3:GetBucketEncryption", 0.8, bucket),
        Use("s3:GetBucketVersioning", 0.8, bucket),
        Use("s3:GetBucketTagging", 0.8, bucket),
        Use("s3:GetBucketPublicAccessBlock", 0.6, bucket),
        Use("logs:DescribeLogGroups", 0.8),
    ]
    if weight < 1.0:
        secret = {"secret": "prod/shared/database-q7w8e9"}
        uses.append(
            Use(
                "secretsmanager:GetSecretValue",
                0.06,
                secret,
                refused("identity", "explicit", "secretsmanager:GetSecretValue"),
            )
        )
    if weight == 1.0:
        uses.append(Use("s3:PutObject", 1.0, state, shared_with=shared.account_id))
        uses.append(Use("s3:PutBucketTagging", 0.2, bucket))
        uses.append(Use("iam:TagRole", 0.2, names | {"owner_mail": account.owner, "role_name": "terraform-managed"}))
        uses.append(Use("logs:PutRetentionPolicy", 0.3, names))
    return tuple(uses)


def audit_uses(account: Account) -> tuple[Use, ...]:
    """What the security team's audit reads in every account."""
    names = {"bucket": "ardenly-access-logs", "kms": "alias/aws/s3", "owner": "", "user_name": "break-glass-1"}
    listed = (
        "iam:ListRoles", "iam:ListUsers", "iam:GetAccountSummary", "iam:GetAccountAuthorizationDetails", "iam:GenerateCredentialReport",
        "iam:GetCredentialReport", "iam:GetAccountPasswordPolicy", "s3:ListBuckets", "ec2:DescribeSecurityGroups", "ec2:DescribeInstances",
        "ec2:DescribeSnapshots", "kms:ListKeys", "kms:ListAliases", "lambda:ListFunctions", "rds:DescribeDBInstances",
        "cloudtrail:DescribeTrails", "config:DescribeConfigurationRecorders", "guardduty:ListDetectors",
    )  # fmt: skip
    closed = {"rds:DescribeDBInstances"} if account.name == "log-archive" else set()
    return tuple(
        Use(name, 0.55, names, refused("scp", "implicit", "rds:DescribeDBInstances") if name in closed else None)
        for name in listed
    )


def config_uses() -> tuple[Use, ...]:
    """What AWS Config describes."""
    listed = (
        "ec2:DescribeSecurityGroups", "ec2:DescribeInstances", "ec2:DescribeVolumes", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
        "iam:ListRoles", "iam:ListPolicies", "s3:ListBuckets", "kms:ListKeys", "lambda:ListFunctions", "elasticloadbalancing:DescribeLoadBalancers",
    )  # fmt: skip
    return tuple(Use(name, 0.12) for name in listed)


def stack_set_uses() -> tuple[Use, ...]:
    """What a stack set changes in an account."""
    names = {"role_name": "ardenly-security-audit", "stack": "StackSet-ardenly-baseline"}
    return (
        Use("cloudformation:DescribeStacks", 1.0, names),
        Use("iam:GetRole", 1.0, names),
        Use("cloudtrail:DescribeTrails", 0.5),
        Use("config:DescribeConfigurationRecorders", 0.5),
    )
