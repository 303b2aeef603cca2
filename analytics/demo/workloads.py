"""From an application to its roles: the trust policy, the permissions in the style of their time, the daily work.

Styles are the company's history: `legacy` took AWS's FullAccess policies, `serverless` gave whole services, `cdk`
writes what its constructs need, `current` is what the platform team's modules write: tight and under a boundary.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from analytics.demo.company import HOME, team_mail
from analytics.demo.documents import allow, document, managed, trust_oidc, trust_service
from analytics.demo.model import Account, Document, Entry, Identity, Plan, Use, base32, digits, hexadecimal

if TYPE_CHECKING:
    from analytics.demo.grants import Need, Site

AGENTS = {
    "lambda": (
        "Boto3/1.40.52 md/Botocore#1.40.52 ua/2.1 os/linux#5.10.245-273.1030.amzn2.aarch64 md/arch#aarch64 lang/python#3.13.7 md/pyimpl#CPython exec-env/AWS_Lambda_python3.13 cfg/retry-mode#legacy Botocore/1.40.52",
    ),
    "ecs": (
        "aws-sdk-java/2.33.4 md/io#sync md/http#Apache ua/2.1 os/Linux#5.10.244-240.970.amzn2.x86_64 lang/java#21.0.8 md/OpenJDK_64-Bit_Server_VM#21.0.8+9-LTS exec-env/AWS_ECS_FARGATE cfg/retry-mode#standard",
        "aws-sdk-go-v2/1.39.2 ua/2.1 os/linux lang/go#1.25.1 md/GOOS#linux md/GOARCH#arm64 exec-env/AWS_ECS_FARGATE",
    ),
    "ec2": ("amazon-ssm-agent/3.3.3050.0 aws-sdk-go/1.55.7 (go1.23.8; linux; amd64)",),
    "glue": (
        "aws-sdk-java/1.12.788 Linux/5.10.239-236.958.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/17.0.15+6-LTS vendor/Amazon.com_Inc. AWSGlue/5.0",
    ),
    "states": ("states.amazonaws.com",),
    "irsa": ("aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.24.4 md/GOOS#linux md/GOARCH#amd64 api/sts#1.33.19",),
    "batch": (
        "Boto3/1.39.17 md/Botocore#1.39.17 ua/2.1 os/linux#6.1.150 md/arch#x86_64 lang/python#3.12.11 md/pyimpl#CPython exec-env/AWS_ECS_FARGATE Botocore/1.39.17",
    ),
    "sagemaker": (
        "Boto3/1.38.36 md/Botocore#1.38.36 ua/2.1 os/linux md/arch#x86_64 lang/python#3.11.13 md/pyimpl#CPython Botocore/1.38.36 AWS-SageMaker-Python-SDK/2.251.1",
    ),
    "codebuild": (
        "aws-cli/2.31.13 md/awscrt#0.27.6 ua/2.1 os/linux md/arch#x86_64 lang/python#3.13.7 md/pyimpl#CPython exec-env/AWS_CodeBuild cfg/retry-mode#standard md/installer#exe",
    ),
}
SERVICES = {
    "lambda": "lambda.amazonaws.com",
    "ecs": "ecs-tasks.amazonaws.com",
    "ec2": "ec2.amazonaws.com",
    "glue": "glue.amazonaws.com",
    "states": "states.amazonaws.com",
    "batch": "ecs-tasks.amazonaws.com",
    "sagemaker": "sagemaker.amazonaws.com",
    "codebuild": "codebuild.amazonaws.com",
}
_FULL_ACCESS = {
    "s3": "AmazonS3FullAccess",
    "dynamodb": "AmazonDynamoDBFullAccess",
    "sqs": "AmazonSQSFullAccess",
    "sns": "AmazonSNSFullAccess",
    "ses": "AmazonSESFullAccess",
    "athena": "AmazonAthenaFullAccess",
    "glue": "AWSGlueConsoleFullAccess",
    "rds": "AmazonRDSFullAccess",
    "states": "AWSStepFunctionsFullAccess",
    "cloudfront": "CloudFrontFullAccess",
}
BOUNDARY_SINCE = date(2024, 3, 1)


@dataclass(frozen=True, slots=True)
class Application:
    """One deployable thing of a team: where it runs, how it was built, what it needs."""

    team: str
    name: str
    kind: str  # key of SERVICES, or "irsa"
    accounts: tuple[str, ...]
    created: str
    needs: tuple[Need, ...]
    style: str = "current"  # current, cdk, serverless, legacy
    rhythm: str = "shoppers"
    per_day: float = 2.0
    scale: float = 1.0
    in_vpc: bool = False
    name_of_role: str | None = None  # where it follows no convention


def roles_of(application: Application, site: Site) -> list[Identity]:
    """The role of an application in one account, with its policies and its work."""
    production = site.account.environment == "production"
    created = date.fromisoformat(application.created) - timedelta(days=0 if production else 19)
    name = _role_name(application, site)
    role = Identity(
        site.account,
        name,
        created,
        path="/workload/" if application.style == "current" and not application.name_of_role else "/",
        trust=_trust(application, site),
        tags=_tags(application, site),
        description=_DESCRIPTIONS[application.style].format(name=application.name, kind=application.kind),
    )
    grants = [need(site) for need in application.needs]
    statements = _merged([statement for grant in grants for statement in grant.statements])
    _give_permissions(role, application, statements)
    if application.style == "current" and created >= BOUNDARY_SINCE and production:
        role.boundary = f"arn:aws:iam::{site.account.account_id}:policy/boundary/ardenly-workload-boundary"
    uses = _own_uses(application, site) + tuple(use for grant in grants for use in grant.uses)
    role.plans.append(_plan(application, site, uses, 1.0 if production else 0.35))
    return [role]


_DESCRIPTIONS = {
    "current": "{name} ({kind}), managed by Terraform module workload-role",
    "cdk": "",
    "serverless": "",
    "legacy": "Allows {kind} to call AWS services on your behalf.",
}


def _role_name(application: Application, site: Site) -> str:
    if application.name_of_role:
        return application.name_of_role.replace("<env>", site.environment)
    name, mark = application.name, base32(12, site.seed, application.name, site.account.account_id)
    camel = "".join(part.capitalize() for part in name.split("-"))
    return {
        "current": f"{application.team}-{name}-{_SUFFIX[application.kind]}",
        "cdk": f"{camel}Stack-{_CONSTRUCT.get(application.kind, '')}ServiceRole{mark[:8]}-{mark}"[:64],
        "serverless": f"{name}-{site.environment}-{HOME}-lambdaRole",
        "legacy": f"lb-{name}-{_SUFFIX[application.kind]}",
    }[application.style]


_SUFFIX = {
    "lambda": "fn",
    "ecs": "task",
    "ec2": "instance",
    "glue": "job",
    "states": "workflow",
    "irsa": "irsa",
    "batch": "job",
    "sagemaker": "model",
    "codebuild": "build",
}
_CONSTRUCT = {"lambda": "Handler", "ecs": "TaskDef", "glue": "Job", "states": "StateMachine", "batch": "Job"}


def _trust(application: Application, site: Site) -> Document:
    if application.kind == "irsa":
        issuer = f"oidc.eks.{HOME}.amazonaws.com/id/{hexadecimal(32, site.seed, 'cluster').upper()}"
        provider = f"arn:aws:iam::{site.account.account_id}:oidc-provider/{issuer}"
        subject = f"system:serviceaccount:{application.team}:{application.name}"
        return trust_oidc(provider, {"StringEquals": {f"{issuer}:sub": subject, f"{issuer}:aud": "sts.amazonaws.com"}})
    if application.style == "current" and application.kind in {"glue", "states", "sagemaker"}:
        return trust_service(SERVICES[application.kind], StringEquals={"aws:SourceAccount": site.account.account_id})
    return trust_service(SERVICES[application.kind])


def _tags(application: Application, site: Site) -> dict[str, str]:
    if application.style == "current":
        return {
            "owner": team_mail(application.team),
            "application": application.name,
            "environment": site.account.environment,
            "cost-centre": site.account.cost_centre,
            "managed-by": "terraform",
        }
    if application.style == "cdk":
        return {"Team": application.team, "aws-cdk:stack": application.name}
    if application.style == "serverless":
        return {"STAGE": site.environment}
    return {}


def _merged(statements: list[Document]) -> list[Document]:
    """Statements on the same resource become one, in the order of their first appearance."""
    merged: dict[str, Document] = {}
    for statement in statements:
        resources = statement["Resource"]
        key = resources if isinstance(resources, str) else "\n".join(resources)
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else list(statement["Action"])
        if key in merged:
            known = merged[key]["Action"]
            actions = list(dict.fromkeys(([known] if isinstance(known, str) else known) + actions))
        merged[key] = allow(actions, resources)
    return list(merged.values())


def _give_permissions(role: Identity, application: Application, statements: list[Document]) -> None:
    if application.kind == "lambda":
        part = "AWSLambdaVPCAccessExecutionRole" if application.in_vpc else "AWSLambdaBasicExecutionRole"
        role.attached.append(managed(f"service-role/{part}"))
    if application.kind == "ec2":
        role.attached += [managed("AmazonSSMManagedInstanceCore"), managed("CloudWatchAgentServerPolicy")]
    if application.kind == "glue":
        role.attached.append(managed("service-role/AWSGlueServiceRole"))
    if application.style == "legacy":
        called = {action.split(":")[0] for action in _actions(statements)}
        role.attached += sorted(managed(_FULL_ACCESS[service]) for service in called & set(_FULL_ACCESS))
        rest = [s for s in statements if _actions([s])[0].split(":")[0] not in _FULL_ACCESS]
        if rest:
            role.inline["inline"] = document(*rest)
    elif application.style == "serverless":
        services = sorted({action.split(":")[0] for action in _actions(statements)})
        role.inline[f"{application.name}-lambda"] = document(allow([f"{service}:*" for service in services]))
    elif statements:
        label = "workload" if application.style == "current" else f"DefaultPolicy{base32(8, role.name)}"
        role.inline[label] = document(*statements)


def _actions(statements: list[Document]) -> list[str]:
    found: list[str] = []
    for statement in statements:
        actions = statement["Action"]
        found += [actions] if isinstance(actions, str) else actions
    return found


def _own_uses(application: Application, site: Site) -> tuple[Use, ...]:
    """What the runtime itself does with the role: log streams, the agent on an instance."""
    function = f"{application.name}-{site.environment}"
    if application.kind == "lambda":
        of = {"log_group": f"/aws/lambda/{function}", "log_stream": "[$LATEST]", "function": function}
        uses = [Use("logs:CreateLogStream", 1.6, of)]
        if application.in_vpc:
            network = {"subnet": f"subnet-0{hexadecimal(16, site.account.account_id, 'net')}"}
            network |= {"group": f"sg-0{hexadecimal(16, site.account.account_id, application.name)}"} | of
            uses.append(Use("ec2:DescribeNetworkInterfaces", 0.3, via="lambda.amazonaws.com"))
            uses.append(Use("ec2:CreateNetworkInterface", 0.12, network, via="lambda.amazonaws.com"))
            uses.append(Use("ec2:DeleteNetworkInterface", 0.1, via="lambda.amazonaws.com"))
        return tuple(uses)
    if application.kind == "glue":
        of = {"log_group": "/aws-glue/jobs/output", "log_stream": "jr"}
        return (Use("logs:CreateLogStream", 2.0, of),)
    if application.kind == "ec2":
        instance = f"i-0{hexadecimal(16, site.account.account_id, application.name, 0)}"
        of = {"instance": instance, "computer": "ip-10-40-3-18.eu-west-1.compute.internal"}
        return (
            Use("ssm:UpdateInstanceInformation", 3.0, of),
            Use("ssm:ListInstanceAssociations", 1.5, of),
            Use("ec2:DescribeTags", 0.8, of),
        )
    return ()


def _plan(application: Application, site: Site, uses: tuple[Use, ...], weight: float) -> Plan:
    scale = application.scale * weight
    kind, count = application.kind, 4
    function = f"{application.name}-{site.environment}"
    labels = {
        "lambda": (function,),
        "ec2": tuple(f"i-0{hexadecimal(16, site.account.account_id, application.name, n)}" for n in range(3)),
        "glue": ("GlueJobRunnerSession",),
        "irsa": tuple(f"1{digits(18, application.name, n)}" for n in range(count)),
        "codebuild": tuple(f"AWSCodeBuild-{hexadecimal(8, application.name, n)}" for n in range(count)),
        "sagemaker": ("SageMaker",),
    }.get(kind, tuple(hexadecimal(32, site.account.account_id, application.name, n) for n in range(12)))
    scaled = tuple(
        Use(u.call, u.mean * scale, u.of, u.refusal, u.via, u.region, u.shared_with, u.first, u.last) for u in uses
    )
    return Plan(
        Entry.OIDC if kind == "irsa" else Entry.SERVICE,
        f"oidc.eks.{HOME}.amazonaws.com" if kind == "irsa" else SERVICES[kind],
        labels,
        scaled,
        rhythm=application.rhythm,
        per_day=application.per_day if weight == 1.0 else max(0.5, application.per_day / 2),
        minutes=0 if application.rhythm in {"always", "shoppers", "office"} else 35,
        addresses=private_addresses(site.account, application.name)
        if application.in_vpc or kind in {"ec2", "ecs", "batch", "irsa"}
        else public_addresses(site.account, application.name),
        agents=AGENTS[kind],
        vpc_endpoint=f"vpce-0{hexadecimal(16, site.account.account_id, 'endpoint')}" if kind == "ecs" else None,
    )


def private_addresses(account: Account, name: str) -> tuple[str, ...]:
    """Addresses inside the account's network, one /16 for each account."""
    second = 40 + int(account.account_id) % 20
    numbers = [int(hexadecimal(4, account.account_id, name, n), 16) for n in range(6)]
    return tuple(f"10.{second}.{number >> 8 & 63}.{4 + number % 248}" for number in numbers)


def public_addresses(account: Account, name: str) -> tuple[str, ...]:
    """Addresses of AWS's own ranges in Ireland."""
    numbers = [int(hexadecimal(6, account.account_id, name, n), 16) for n in range(3)]
    first = ("34.240", "52.49", "54.77", "3.248", "63.32")
    return tuple(f"{first[number % 5]}.{number >> 8 & 255}.{1 + number % 254}" for number in numbers)
