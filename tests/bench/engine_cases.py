"""Decision cases for the bench of `simulate`: distinct, and mixed as real ones are."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

MANAGED = Path(__file__).parents[2] / "data" / "reference" / "aws_managed_policies.json.gz"
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "ap-south-1")
ACTIONS = (
    ("s3:GetObject", "arn:aws:s3:::bucket-{n}/a/{m}"),
    ("s3:PutObject", "arn:aws:s3:::bucket-{n}/b/{m}"),
    ("s3:ListAllMyBuckets", "*"),
    ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:queue-{n}"),
    ("dynamodb:Query", "arn:aws:dynamodb:eu-west-1:111122223333:table/t-{n}"),
    ("ec2:DescribeInstances", "*"),
    ("ec2:StopInstances", "arn:aws:ec2:eu-west-1:111122223333:instance/i-{n}"),
    ("iam:PassRole", "arn:aws:iam::111122223333:role/service-{n}"),
    ("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/{n}"),
    ("sts:AssumeRole", "arn:aws:iam::111122223333:role/target-{n}"),
)


def make_cases(count, seed=5):
    """So many cases in the form of the decision-case contract, no two alike."""
    rng = random.Random(seed)
    managed = [entry["document"] for entry in json.loads(gzip.decompress(MANAGED.read_bytes())).values()]
    managed = rng.sample([one for one in managed if len(json.dumps(one)) < 4_000], 150)
    return (_case(number, rng, managed) for number in range(count))


def _case(number, rng, managed):
    action, resource = rng.choice(ACTIONS)
    resource = resource.format(n=rng.randrange(500), m=number)
    who = f"arn:aws:iam::111122223333:role/app-{rng.randrange(300)}"
    context = {"aws:RequestedRegion": rng.choice(REGIONS), "aws:PrincipalArn": who, "aws:SourceIp": "203.0.113.9"}
    case = {
        "id": f"case-{number}",
        "request": {
            "principal": who,
            "action": action,
            "resource": resource,
            "resource_account": "111122223333",
            "context": context,
        },
        "identity_policies": [*rng.sample(managed, rng.randint(1, 3)), _own(rng, action)],
        "permission_boundary": [rng.choice(managed), FULL] if rng.random() < 0.2 else None,
        "scps": [[FULL], [FULL, _region_lock(rng)], [FULL]] if rng.random() < 0.6 else [],
        "rcps": [[FULL]] if rng.random() < 0.2 else [],
        "resource_policy": _resource_policy(rng, who, action) if action[:3] in ("s3:", "sqs", "kms", "sts") else None,
        "session_policies": [FULL] if rng.random() < 0.1 else None,
    }
    if rng.random() < 0.1:
        case["request"]["unknown_keys"] = ["aws:SourceVpce", "aws:MultiFactorAuthPresent"]
    return case


def _own(rng, action):
    service = action.partition(":")[0]
    statement = {
        "Effect": "Allow",
        "Action": rng.choice([action, f"{service}:*", f"{service}:Get*"]),
        "Resource": rng.choice(["*", f"arn:aws:{service}:::bucket-{rng.randrange(500)}/*"]),
    }
    if rng.random() < 0.3:
        statement["Condition"] = {"StringEquals": {"aws:RequestedRegion": rng.choice(REGIONS)}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _region_lock(rng):
    regions = sorted(rng.sample(REGIONS, 2))
    condition = {"StringNotEquals": {"aws:RequestedRegion": regions}}
    deny = {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [deny]}


def _resource_policy(rng, who, action):
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": f"{action.partition(':')[0]}:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    principal = {"AWS": rng.choice([who, "arn:aws:iam::111122223333:root"])}
    allow = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": rng.choice([[deny], [deny, allow], [allow]])}
