"""Policy documents of the large snapshot, and the AWS managed policies that its accounts attach."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

REGIONS = ["eu-west-1", "eu-central-1", "us-east-1"]
AWS_MANAGED = ("ReadOnlyAccess", "AdministratorAccess", "AmazonSSMManagedInstanceCore", "AWSLambdaBasicExecutionRole")
REFERENCE = Path(__file__).resolve().parents[2] / "data" / "reference"


def statement(effect: str, element: str, actions: list[str], resource: str) -> dict:
    return {"Effect": effect, element: actions, "Resource": resource}


def policy_document(statements: list[dict]) -> dict:
    return {"Version": "2012-10-17", "Statement": statements}


def trust_document(principal: dict, action: str, condition: dict | None = None) -> dict:
    conditions = {"Condition": condition} if condition else {}
    return policy_document([{"Effect": "Allow", "Principal": principal, "Action": action, **conditions}])


def aws_reference(name: str) -> dict:
    path = "service-role/" if name == "AWSLambdaBasicExecutionRole" else ""
    return {"PolicyName": name, "PolicyArn": f"arn:aws:iam::aws:policy/{path}{name}"}


def aws_policies() -> list[dict]:
    """The AWS managed policies that the accounts attach, as a dump shows them."""
    known = json.loads(gzip.decompress((REFERENCE / "aws_managed_policies.json.gz").read_bytes()))
    return [
        {
            "PolicyName": name,
            "Arn": known[name]["arn"],
            "DefaultVersionId": known[name]["version"],
            "PolicyVersionList": [
                {"Document": known[name]["document"], "VersionId": known[name]["version"], "IsDefaultVersion": True}
            ],
        }
        for name in AWS_MANAGED
    ]
