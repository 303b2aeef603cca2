"""What the platform and security teams put into every account: landing zone, audit, pipelines, service-linked roles."""

from __future__ import annotations

from datetime import date, timedelta

from analytics.demo.company import Company, team_mail
from analytics.demo.documents import (
    allow,
    document,
    guardrail,
    managed,
    statement,
    trust_aws,
    trust_oidc,
    trust_service,
)
from analytics.demo.model import Account, Entry, Identity, Managed, Plan, Use, boundary_arn, digits, hexadecimal
from analytics.demo.platform_uses import audit_uses, config_uses, deploy_uses, stack_set_uses, terraform_uses
from analytics.demo.refusals import WITHOUT_REASON
from analytics.demo.workloads import private_addresses

GITHUB = "token.actions.githubusercontent.com"
_RUNNERS = ("20.57.71.114", "4.227.115.99", "52.159.231.70", "20.109.36.183", "172.184.169.11", "40.84.170.226")
_GITHUB_AGENT = (
    "aws-sdk-js/3.901.0 ua/2.1 os/linux#6.11.0-1018-azure lang/js md/nodejs#20.19.5 api/sts#3.901.0 configure-aws-credentials-for-github-actions",
    "aws-cli/2.31.13 md/awscrt#0.27.6 ua/2.1 os/linux#6.11.0-1018-azure md/arch#x86_64 lang/python#3.13.7 md/pyimpl#CPython exec-env/GitHub-Actions cfg/retry-mode#standard",
)
TERRAFORM = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.13.3 (+https://www.terraform.io) terraform-provider-aws/6.14.1 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.39.0 ua/2.1 os/linux lang/go#1.24.6",
)

# repository that deploys into an account, and the services (or functions) it replaces
_DEPLOYS = {
    "payments-prod": ("payments-platform", "checkout-api", "payment-authoriser"),
    "payments-staging": ("payments-platform", "checkout-api", "payment-authoriser"),
    "storefront-prod": ("storefront", "web-frontend", "catalogue-api"),
    "storefront-staging": ("storefront", "web-frontend", "catalogue-api"),
    "fulfilment-prod": ("fulfilment", "stock-levels", "warehouse-sync"),
    "data-platform-prod": ("data-platform", "schema-registry", "lake-ingest"),
    "data-platform-dev": ("data-platform", "schema-registry", "lake-ingest"),
    "shared-services": ("platform-tools", "developer-portal", "dns-updater"),
    "security-tooling": ("security-automation", "finding-router", "finding-router"),
}
LINKED = (
    ("support.amazonaws.com", "AWSServiceRoleForSupport", "AWSSupportServiceRolePolicy"),
    ("trustedadvisor.amazonaws.com", "AWSServiceRoleForTrustedAdvisor", "AWSTrustedAdvisorServiceRolePolicy"),
    ("organizations.amazonaws.com", "AWSServiceRoleForOrganizations", "AWSOrganizationsServiceTrustPolicy"),
    ("config.amazonaws.com", "AWSServiceRoleForConfig", "AWSConfigServiceRolePolicy"),
    ("guardduty.amazonaws.com", "AWSServiceRoleForAmazonGuardDuty", "AmazonGuardDutyServiceRolePolicy"),
)


def boundaries(company: Company) -> list[Managed]:
    """The boundary policies, which lie in every account that uses them."""
    by_environment = {
        "production": (("workload", 5), ("deploy", 3)),
        "staging": (("workload", 5), ("developer", 2)),
        "development": (("workload", 5), ("developer", 2)),
        "sandbox": (("sandbox", 1),),
        "security": (("workload", 5), ("deploy", 3)),
    }
    found = []
    for account in company.accounts:
        names = company.names() | {"account": account.account_id}
        for kind, version in by_environment.get(account.environment, ()):
            text = guardrail(f"boundary-{kind}", names)
            made = max(date(2024, 2, 19), account.joined)
            found.append(
                Managed(account, f"ardenly-{kind}-boundary", text, made, "/boundary/", version, date(2025, 6, 11))
            )
    return found


def baseline(company: Company, account: Account) -> list[Identity]:
    """The roles of the landing zone in one account."""
    management, tooling = company.management, company.account("security-tooling")
    made = max(date(2021, 6, 2), account.joined) + timedelta(days=1)
    owner = {"owner": team_mail("platform"), "managed-by": "landing-zone"}
    admin = f"arn:aws:iam::{management.account_id}:role/AWSCloudFormationStackSetAdministrationRole"
    zone = Identity(account, "ardenly-landing-zone", made, attached=[managed("AdministratorAccess")], tags=dict(owner))
    zone.trust = trust_aws(f"arn:aws:iam::{management.account_id}:root" if account is management else admin)
    if account is not management:
        zone.plans.append(
            Plan(
                Entry.ROLE,
                admin,
                ("ardenly-baseline-stackset",),
                stack_set_uses(),
                per_day=0.9,
                minutes=6,
                addresses=("cloudformation.amazonaws.com",),
                agents=("cloudformation.amazonaws.com",),
            )
        )
    hub = f"arn:aws:iam::{tooling.account_id}:role/ardenly-audit-hub"
    audit = Identity(account, "ardenly-security-audit", made, tags={"owner": team_mail("security")})
    audit.attached = [managed("SecurityAudit"), managed("job-function/ViewOnlyAccess")]
    audit.trust = trust_aws(hub)
    audit.plans.append(
        Plan(
            Entry.ROLE,
            hub,
            ("audit-scan",),
            audit_uses(account),
            per_day=1.0,
            minutes=9,
            addresses=private_addresses(tooling, "audit"),
            agents=("Boto3/1.40.48 md/Botocore#1.40.48 ua/2.1 os/linux lang/python#3.13.7 md/pyimpl#CPython exec-env/AWS_ECS_FARGATE Botocore/1.40.48",),
        )
    )  # fmt: skip
    users = [f"arn:aws:iam::{management.account_id}:user/break-glass-{n}" for n in (1, 2)]
    glass = Identity(
        account,
        "ardenly-break-glass",
        made,
        attached=[managed("AdministratorAccess")],
        tags=dict(owner, purpose="emergency"),
        description="Two-person emergency access, see runbook RB-001",
        used_before=260 if account.environment == "production" else None,
    )
    glass.trust = trust_aws(*users, Bool={"aws:MultiFactorAuthPresent": "true"})
    roles = [zone, audit, glass]
    if account is not management and not account.invited:
        access = Identity(account, "OrganizationAccountAccessRole", account.joined, used_before=410)
        access.attached = [managed("AdministratorAccess")]
        access.trust = trust_aws(f"arn:aws:iam::{management.account_id}:root")
        roles.append(access)
    return roles


def hubs(company: Company) -> list[Identity]:
    """The roles from which the ones of the landing zone are assumed."""
    management, tooling, shared = (company.account(n) for n in ("ardenly-management", "security-tooling", "shared-services"))  # fmt: skip
    sets = Identity(management, "AWSCloudFormationStackSetAdministrationRole", date(2021, 6, 1))
    sets.trust = trust_service("cloudformation.amazonaws.com")
    sets.inline["AssumeExecutionRole"] = document(
        allow(["sts:AssumeRole"], ["arn:aws:iam::*:role/ardenly-landing-zone"])
    )
    sets.plans.append(
        Plan(Entry.SERVICE, "cloudformation.amazonaws.com", ("AWSCloudFormation",), (), rhythm="nightly", per_day=1, minutes=8,
             addresses=("cloudformation.amazonaws.com",), agents=("cloudformation.amazonaws.com",)))  # fmt: skip
    bought = next(account for account in company.accounts if account.invited)
    missing = {
        "role": f"arn:aws:iam::{bought.account_id}:role/ardenly-security-audit",
        "label": "audit-scan",
        "key": "",
        "expiration": "",
        "role_id": "",
        "session_arn": "",
    }
    hub = Identity(tooling, "ardenly-audit-hub", date(2022, 2, 14), tags={"owner": team_mail("security")})
    hub.trust = trust_service("ecs-tasks.amazonaws.com")
    hub.inline["assume-audit"] = document(
        allow(["sts:AssumeRole"], ["arn:aws:iam::*:role/ardenly-security-audit"], Condition={"StringEquals": {"aws:ResourceOrgID": company.organization_id}}),
        allow(["organizations:ListAccounts", "organizations:DescribeOrganization", "organizations:ListRoots"]),
    )  # fmt: skip
    hub.plans.append(
        Plan(Entry.SERVICE, "ecs-tasks.amazonaws.com", tuple(hexadecimal(32, "audit", n) for n in range(9)),
             (Use("organizations:ListAccounts", 1), Use("sts:GetCallerIdentity", 1), Use("sts:AssumeRole", 1.2, missing, WITHOUT_REASON)), rhythm="nightly", per_day=1, minutes=40,
             addresses=private_addresses(tooling, "audit"), agents=("Boto3/1.40.48 md/Botocore#1.40.48 ua/2.1 os/linux lang/python#3.13.7 md/pyimpl#CPython exec-env/AWS_ECS_FARGATE Botocore/1.40.48",)))  # fmt: skip
    github = Identity(shared, "ardenly-github-hub", date(2023, 1, 9), path="/ci/", tags={"owner": team_mail("platform"), "managed-by": "terraform"})  # fmt: skip
    github.trust = github_trust(shared, "repo:ardenly/infrastructure:environment:production", exact=True)
    github.inline["chain"] = document(allow(["sts:AssumeRole"], ["arn:aws:iam::*:role/ci/ardenly-terraform-apply"]))
    github.plans.append(github_plan((Use("sts:GetCallerIdentity", 1),), "infrastructure", per_day=1.6, minutes=30))
    return [sets, hub, github]


def pipelines(company: Company) -> list[Identity]:
    """Roles of GitHub Actions and Terraform."""
    shared = company.account("shared-services")
    hub = f"arn:aws:iam::{shared.account_id}:role/ci/ardenly-github-hub"
    roles = []
    for account in company.accounts:
        if account.name not in _DEPLOYS:
            continue
        repository, service, function = _DEPLOYS[account.name]
        production = account.environment in {"production", "security"}
        owner = {"owner": account.owner, "managed-by": "terraform", "repository": f"ardenly/{repository}"}
        deploy = Identity(account, f"{repository}-deploy", max(date(2023, 1, 16), account.joined), tags=dict(owner))
        environment = "production" if production else account.environment
        deploy.trust = github_trust(account, f"repo:ardenly/{repository}:environment:{environment}", exact=True)
        deploy.attached = [managed("PowerUserAccess" if production else "AdministratorAccess")]
        if production:
            deploy.boundary = boundary_arn(account, "deploy")
            deploy.inline["roles"] = document(
                allow(["iam:GetRole", "iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:TagRole",
                       "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "iam:PassRole", "iam:UpdateAssumeRolePolicy", "iam:DeleteRole"],
                      [f"arn:aws:iam::{account.account_id}:role/workload/*"])
            )  # fmt: skip
        deploy.plans.append(github_plan(deploy_uses(company, account, service, function), repository, 3.2, 9))
        roles.append(deploy)
        plan = Identity(account, "ardenly-terraform-plan", max(date(2023, 1, 9), account.joined), path="/ci/", tags=dict(owner, repository="ardenly/infrastructure"))  # fmt: skip
        plan.trust = github_trust(account, "repo:ardenly/infrastructure:pull_request", exact=True)
        plan.attached = [managed("ReadOnlyAccess")]
        state = f"arn:aws:s3:::ardenly-terraform-state/{account.name}/*"
        plan.inline["state"] = document(allow(["s3:GetObject", "s3:PutObject"], [state]), _no_secrets())
        plan.plans.append(github_plan(terraform_uses(shared, account, 0.5), "infrastructure", 2.2, 6, TERRAFORM))
        apply = Identity(account, "ardenly-terraform-apply", max(date(2023, 1, 9), account.joined), path="/ci/", tags=dict(owner, repository="ardenly/infrastructure"))  # fmt: skip
        apply.trust = trust_aws(hub)
        apply.attached = [managed("AdministratorAccess")]
        apply.plans.append(
            Plan(Entry.ROLE, hub, ("terraform-apply",), terraform_uses(shared, account, 1.0), per_day=0.16, minutes=8, addresses=_RUNNERS, agents=TERRAFORM)
        )  # fmt: skip
        roles.append(apply)
        roles.append(plan)
    return roles


def linked(company: Company, account: Account) -> list[Identity]:
    """Service-linked roles of an account."""
    roles = []
    for service, name, policy in LINKED:
        if name.endswith("Organizations") and account is company.management:
            continue
        role = Identity(account, name, account.joined, path=f"/aws-service-role/{service}/")
        role.trust = trust_service(service)
        role.attached = [managed(f"aws-service-role/{policy}")]
        if service == "config.amazonaws.com":
            role.plans.append(
                Plan(Entry.INSIDE, service, ("AWSConfig-Describe",), config_uses(), per_day=4, minutes=0, addresses=(service,), agents=(service,))
            )  # fmt: skip
        if service == "guardduty.amazonaws.com":
            uses: tuple[Use, ...] = (Use("ec2:DescribeInstances", 0.5), Use("ec2:DescribeVpcEndpoints", 0.5))
            role.plans.append(
                Plan(Entry.INSIDE, service, ("GuardDuty",), uses, per_day=1, minutes=0, addresses=(service,), agents=(service,))
            )  # fmt: skip
        if service == "trustedadvisor.amazonaws.com":
            uses = (Use("ec2:DescribeInstances", 0.3), Use("rds:DescribeDBInstances", 0.3), Use("iam:GetAccountSummary", 0.3))  # fmt: skip
            role.plans.append(
                Plan(Entry.INSIDE, service, ("TrustedAdvisor",), uses, rhythm="weekly", per_day=1, minutes=5, addresses=(service,), agents=(service,))
            )  # fmt: skip
        roles.append(role)
    return roles


def github_trust(account: Account, subject: str, *, exact: bool) -> dict[str, object]:
    """A trust policy for GitHub's OIDC provider; an inexact subject may hold wildcards."""
    provider = f"arn:aws:iam::{account.account_id}:oidc-provider/{GITHUB}"
    audience = {f"{GITHUB}:aud": "sts.amazonaws.com"}
    if exact:
        return trust_oidc(provider, {"StringEquals": {**audience, f"{GITHUB}:sub": subject}})
    return trust_oidc(provider, {"StringEquals": audience, "StringLike": {f"{GITHUB}:sub": subject}})


def github_plan(uses: tuple[Use, ...], repository: str, per_day: float, minutes: float, agents: tuple[str, ...] = _GITHUB_AGENT[1:]) -> Plan:  # fmt: skip
    """What a repository's pipeline does, a session per run."""
    labels = tuple(f"gha-{repository}-{digits(11, repository, n)}" for n in range(400))
    return Plan(Entry.OIDC, f"{GITHUB}|repo:ardenly/{repository}", labels, uses, "pipeline", per_day, minutes, _RUNNERS, agents)  # fmt: skip


def _no_secrets() -> dict[str, object]:
    return statement(
        "Deny", ["secretsmanager:GetSecretValue", "ssm:GetParameter*", "s3:GetObjectVersion"], Sid="NoSecretsInPlans"
    )
