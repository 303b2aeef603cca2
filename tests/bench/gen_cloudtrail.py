"""Generate CloudTrail-like events: deterministic, vectorised, bounded memory.

The schema is that of the usual Athena CloudTrail table (lower-case column
names, nested ``useridentity``, ``resources`` as a list of structs,
``requestparameters``/``responseelements`` as JSON text, ``eventtime`` as ISO
text), partitioned hive-style by ``date``::

    OUT/date=2026-01-01/part-00000.parquet

``--format jsongz`` writes raw log files instead (``{"Records": [...]}``, camel
case, ``requestParameters`` a real JSON object, a few thousand records a file).

Skew: accounts, principals, events, resources, and client addresses follow
power laws; each principal uses a small set of events of its own; some
(principal, event) pairs are always denied, which makes most of the errors;
about a fifth of the roles never appear.

Determinism: the same arguments give the same values.  What exists (accounts,
principals, ...) depends on ``--seed`` alone; each day has a random stream of
its own, so the result does not depend on ``--workers``.

Memory: one chunk (``--row-group`` rows, about 2.5 KB each) per worker.

Needs numpy and pyarrow (orjson as well for ``--format jsongz``).

Example::

    python -m tests.bench.gen_cloudtrail --rows 1000000 --days 30 --out bench-data/events --workers 2
"""

from __future__ import annotations

import argparse
import concurrent.futures as cf
import datetime as dt
import gzip
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

REGIONS = [
    "us-east-1",
    "eu-west-1",
    "us-west-2",
    "eu-central-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "us-east-2",
    "eu-north-1",
    "ca-central-1",
    "sa-east-1",
]

# The commonest calls, in order of frequency; the rest are made up from SERVICES.
TOP_EVENTS = """sts AssumeRole|kms Decrypt|s3 GetObject|s3 PutObject|ec2 DescribeInstances
logs CreateLogStream|kms GenerateDataKey|s3 ListObjects|dynamodb GetItem|sts GetCallerIdentity
ssm UpdateInstanceInformation|s3 HeadObject|secretsmanager GetSecretValue|sqs ReceiveMessage
lambda Invoke|ec2 DescribeNetworkInterfaces|ec2 DescribeVolumes|s3 GetBucketAcl|dynamodb PutItem
ec2 DescribeTags|ec2 DescribeSecurityGroups|iam ListRoles|iam GetRole|iam PassRole
cloudwatch DescribeAlarms|autoscaling DescribeAutoScalingGroups|ec2 DescribeSubnets
elasticloadbalancing DescribeTargetHealth|rds DescribeDBInstances|ecr BatchGetImage
s3 DeleteObject|iam ListAttachedRolePolicies|ec2 CreateTags|sts AssumeRoleWithWebIdentity
kms CreateGrant|ssm GetParameter|ssm GetParameters|lambda ListFunctions|logs DescribeLogGroups
ec2 RunInstances|iam CreateRole|iam AttachRolePolicy|lambda UpdateFunctionCode|ec2 DescribeImages"""

SERVICES = {
    "s3": "Bucket BucketPolicy BucketTagging BucketVersioning ObjectTagging ObjectAcl BucketLifecycle",
    "ec2": "Vpcs RouteTables Snapshots LaunchTemplates Addresses KeyPairs NatGateways VpcEndpoints",
    "iam": "Policy User Group InstanceProfile RolePolicy AccessKey MFADevice OpenIDConnectProvider",
    "lambda": "Function20150331 Alias Layer EventSourceMapping Policy Concurrency",
    "dynamodb": "Table TimeToLive Stream Backup GlobalTable Item",
    "kms": "Key Alias Grant KeyPolicy KeyRotation",
    "logs": "LogGroup LogStream RetentionPolicy SubscriptionFilter QueryDefinition",
    "sns": "Topic Subscription TopicAttributes PlatformApplication",
    "sqs": "Queue QueueAttributes QueueTags",
    "rds": "DBInstances DBClusters DBSnapshots DBSubnetGroups",
    "ecs": "Services Tasks Clusters TaskDefinition",
    "eks": "Cluster Nodegroup FargateProfile Addon",
    "ecr": "Repository Image LifecyclePolicy",
    "ssm": "Document Parameter Association MaintenanceWindow",
    "secretsmanager": "Secret ResourcePolicy",
    "cloudformation": "Stacks StackResources ChangeSet StackSet",
    "cloudtrail": "Trails EventSelectors",
    "config": "ConfigRules ConfigurationRecorder ComplianceDetails",
    "glue": "Table Database Job Crawler Partition",
    "athena": "QueryExecution WorkGroup NamedQuery",
    "events": "Rule Targets EventBus",
    "states": "StateMachine Execution",
    "apigateway": "RestApi Stage Deployment",
    "route53": "HostedZone ResourceRecordSets HealthCheck",
    "acm": "Certificate Tags",
    "cloudwatch": "Alarm Dashboard MetricData",
    "autoscaling": "AutoScalingGroup LaunchConfiguration",
    "elasticloadbalancing": "LoadBalancer TargetGroup Listener Rule",
    "redshift": "Clusters Snapshot",
    "sagemaker": "Endpoint TrainingJob Model NotebookInstance",
    "organizations": "Account Policy OrganizationalUnit",
    "sso": "PermissionSet AccountAssignment",
    "guardduty": "Detector Findings",
    "securityhub": "Findings Insight",
    "backup": "BackupPlan BackupVault",
    "kinesis": "Stream StreamConsumer",
    "firehose": "DeliveryStream",
    "codebuild": "Project Builds",
    "codepipeline": "Pipeline Job",
    "es": "Domain Packages",
    "elasticache": "CacheCluster ReplicationGroup",
    "cognito-idp": "UserPool User",
    "wafv2": "WebACL IPSet",
    "batch": "Job ComputeEnvironment",
    "tagging": "Resources TagKeys",
}
VERBS = ["Describe", "Get", "List", "Create", "Update", "Put", "Delete", "Tag"]
DATA_SERVICES = {"s3", "kms", "sts", "dynamodb", "secretsmanager", "lambda", "sqs", "sns"}

DENIED_CODES = ["AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation", "UnauthorizedOperation"]
OTHER_CODES = [
    "NoSuchKey",
    "ThrottlingException",
    "ResourceNotFoundException",
    "ValidationException",
    "NoSuchEntityException",
    "Client.RequestLimitExceeded",
    "ConditionalCheckFailedException",
]
DENY_REASONS = [
    "because no identity-based policy allows the {a} action",
    "with an explicit deny in a service control policy",
    "because no resource-based policy allows the {a} action",
    "with an explicit deny in an identity-based policy",
    "with an explicit deny in a resource-based policy",
    "because no permissions boundary allows the {a} action",
    "because no session policy allows the {a} action",
    "because no VPC endpoint policy allows the {a} action",
    "because no service control policy allows the {a} action",
]

S = pa.string()
ISSUER = pa.struct([("type", S), ("principalid", S), ("arn", S), ("accountid", S), ("username", S)])
SESSION = pa.struct(
    [("attributes", pa.struct([("mfaauthenticated", S), ("creationdate", S)])), ("sessionissuer", ISSUER)]
)
IDENTITY = pa.struct(
    [
        ("type", S),
        ("principalid", S),
        ("arn", S),
        ("accountid", S),
        ("invokedby", S),
        ("accesskeyid", S),
        ("username", S),
        ("sessioncontext", SESSION),
    ]
)
RESOURCE = pa.struct([("arn", S), ("accountid", S), ("type", S)])
SCHEMA = pa.schema(
    [
        ("eventversion", S),
        ("useridentity", IDENTITY),
        ("eventtime", S),
        ("eventsource", S),
        ("eventname", S),
        ("awsregion", S),
        ("sourceipaddress", S),
        ("useragent", S),
        ("errorcode", S),
        ("errormessage", S),
        ("requestparameters", S),
        ("responseelements", S),
        ("additionaleventdata", S),
        ("requestid", S),
        ("eventid", S),
        ("resources", pa.list_(RESOURCE)),
        ("eventtype", S),
        ("apiversion", S),
        ("readonly", S),
        ("recipientaccountid", S),
        ("serviceeventdetails", S),
        ("sharedeventid", S),
        ("vpcendpointid", S),
    ]
)
# Columns whose values hardly repeat: a dictionary would only be built and thrown away.
NO_DICTIONARY = {"requestparameters", "responseelements", "requestid", "eventid", "errormessage"}

_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)


def zipf(n: int, s: float = 1.1, q: float = 2.7) -> np.ndarray:
    """Normalised Zipf-Mandelbrot weights of ``n`` ranks."""
    w = 1.0 / np.power(np.arange(n) + q, s)
    return w / w.sum()


def _fixed(chars: np.ndarray) -> pa.Array:
    """(n, width) uint8 characters -> string array of n values, without a Python loop."""
    n, width = chars.shape
    offsets = np.arange(0, (n + 1) * width, width, dtype=np.int32)
    return pa.Array.from_buffers(S, n, [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(chars))])


def hexes(rng: np.random.Generator, n: int, width: int) -> pa.Array:
    """``n`` random lower-case hexadecimal strings."""
    return _fixed(_HEX[rng.integers(0, 16, (n, width), dtype=np.uint8)])


def uuids(rng: np.random.Generator, n: int) -> pa.Array:
    """``n`` random strings of a UUID's form."""
    chars = _HEX[rng.integers(0, 16, (n, 36), dtype=np.uint8)]
    chars[:, [8, 13, 18, 23]] = ord("-")
    return _fixed(chars)


def join(*parts) -> pa.Array:
    """Element-wise concatenation of string arrays and constants (null if any is null)."""
    parts = [pa.scalar(p, S) if isinstance(p, str) else p for p in parts]
    return pc.binary_join_element_wise(*parts, pa.scalar("", S))


def nullable(values: pa.Array, valid: np.ndarray) -> pa.Array:
    """``values`` where ``valid``, else null."""
    return pc.if_else(pa.array(valid), values, pa.scalar(None, S))


def _filler(rng: np.random.Generator, length: int) -> str:
    """JSON members (no braces) of about ``length`` characters."""
    keys = [
        "clientToken",
        "maxResults",
        "filterSet",
        "tagSpecification",
        "encryptionContext",
        "instanceType",
        "description",
        "subnetId",
        "policyDocument",
        "environment",
        "imageId",
        "securityGroupIds",
    ]
    out, size, i = [], 0, 0
    while size < length:
        body = "".join(_HEX[rng.integers(0, 16, int(rng.integers(8, 60)))].tobytes().decode())
        item = f'"{keys[i % len(keys)]}{i // len(keys) or ""}":{{"items":[{{"name":"{body[:8]}","value":"{body}"}}]}}'
        out.append(item)
        size += len(item) + 1
        i += 1
    return ",".join(out)


@dataclass
class World:
    """Everything that exists, as arrays to take from; built from the seed alone."""

    accounts: pa.Array
    acct_of: np.ndarray  # principal -> account
    cum: np.ndarray  # cumulative probability of principals
    kind: np.ndarray  # principal -> 0 role, 1 user, 2 AWS service, 3 root
    ptype: pa.Array
    pid: pa.Array
    arn: pa.Array  # role/user/root arn, null for AWS services
    name: pa.Array
    sess_n: np.ndarray  # sessions of a principal
    prof_off: np.ndarray  # CSR: principal -> its events
    prof_ev: np.ndarray
    region_of: np.ndarray
    ev_source: pa.Array
    ev_name: pa.Array
    ev_action: pa.Array
    ev_service: pa.Array
    ev_readonly: pa.Array
    ev_data: np.ndarray
    req: tuple[pa.Array, pa.Array]
    resp: tuple[pa.Array, pa.Array]
    variants: int
    ips: pa.Array
    agents: pa.Array

    @classmethod
    def build(cls, seed: int, n_acct: int, n_role: int, n_event: int = 900) -> World:
        rng = np.random.default_rng([seed, 0])
        accounts = [f"{x:012d}" for x in rng.choice(899_999_999_999, n_acct, replace=False) + 100_000_000_000]
        # Events
        pairs = [tuple(p.split()) for line in TOP_EVENTS.split("\n") for p in line.split("|")]
        rest = [(s, v + noun) for s, nouns in SERVICES.items() for noun in nouns.split() for v in VERBS]
        rest = [p for p in rest if p not in set(pairs)]
        order = rng.permutation(len(rest))
        pairs = (pairs + [rest[i] for i in order])[:n_event]
        n_event = len(pairs)
        src = [f"{'monitoring' if s == 'cloudwatch' else s}.amazonaws.com" for s, _ in pairs]
        ro = ["true" if n.startswith(("Describe", "Get", "List", "Head", "BatchGet")) else "false" for _, n in pairs]
        # Principals: roles, then users (a twentieth), a root per account, services per account
        n_user, svc = (
            max(1, n_role // 20),
            ["ec2", "lambda", "config", "cloudtrail", "autoscaling", "ssm", "delivery.logs"],
        )
        acct_w = zipf(n_acct, 0.9)
        acct_of = np.concatenate(
            [
                rng.choice(n_acct, n_role, p=0.5 * acct_w + 0.5 / n_acct),
                rng.choice(n_acct, n_user, p=acct_w),
                np.arange(n_acct),
                np.repeat(np.arange(n_acct), len(svc)),
            ]
        )
        kind = np.repeat([0, 1, 3, 2], [n_role, n_user, n_acct, n_acct * len(svc)])
        n_p = len(kind)
        w = np.zeros(n_p)
        w[:n_role] = rng.permutation(zipf(n_role, 1.05, 20)) * (rng.random(n_role) > 0.2)
        w[:n_role] *= 0.5 + acct_w[acct_of[:n_role]] * n_acct * 0.5
        for k, share in ((0, 0.885), (1, 0.045), (2, 0.069), (3, 0.001)):
            m = kind == k
            if k:
                w[m] = rng.permutation(zipf(int(m.sum()), 1.0, 10))
            w[m] *= share / w[m].sum()
        teams = ["data", "platform", "payments", "web", "ml", "sec", "ops", "crm", "billing", "iot"]
        uses = ["lambda", "ecs-task", "ci-deploy", "reader", "admin", "batch", "glue", "eks-node", "api", "backup"]
        names, arns, pids = [], [], []
        for i in range(n_p):
            a = accounts[acct_of[i]]
            if kind[i] == 0:
                path = "aws-reserved/sso.amazonaws.com/" if i % 17 == 0 else ""
                nm = f"{teams[i % 10]}-{uses[(i // 10) % 10]}-role-{i:05d}"
                row = nm, f"arn:aws:iam::{a}:role/{path}{nm}", f"AROA{i * 7919 + 10**9:017d}"
            elif kind[i] == 1:
                nm = f"svc-{teams[i % 10]}-user-{i:05d}"
                row = nm, f"arn:aws:iam::{a}:user/{nm}", f"AIDA{i * 7919 + 10**9:017d}"
            elif kind[i] == 3:
                row = None, f"arn:aws:iam::{a}:root", a
            else:
                row = svc[i % len(svc)] + ".amazonaws.com", None, None
            for column, value in zip((names, arns, pids), row, strict=True):
                column.append(value)
        # What each principal calls: a small set drawn from the global law
        n_prof = np.clip(rng.lognormal(np.log(14), 0.9, n_p), 1, 220).astype(np.int64)
        off = np.concatenate([[0], np.cumsum(n_prof)])
        prof = rng.choice(n_event, int(off[-1]), p=zipf(n_event)).astype(np.int32)
        # JSON templates: (event x variant) -> text before and after the parts that vary by row
        variants = 3

        def templates(median: float, lo: int, hi: int):
            lens = np.clip(rng.lognormal(np.log(median), 0.7, n_event * variants), lo, hi).astype(int)
            body = [_filler(rng, int(x)) for x in lens]
            cut = [b.find(",") + 1 or len(b) for b in body]
            return (
                pa.array(["{" + b[:c].rstrip(",") + "," for b, c in zip(body, cut, strict=True)], S),
                pa.array([("," + b[c:] if b[c:] else "") + "}" for b, c in zip(body, cut, strict=True)], S),
            )

        n_ip = 20_000
        quad = rng.integers(1, 255, (n_ip, 4))
        ips = [
            f"10.{b}.{c}.{d}" if i % 3 == 0 else f"{a % 200 + 11}.{b}.{c}.{d}" for i, (a, b, c, d) in enumerate(quad)
        ]
        agents = [
            f"{t}/{1 + i % 3}.{i % 40}.{i % 11} Python/3.{8 + i % 5}.{i % 9} Linux/5.{i % 20}.0 "
            f"botocore/1.{20 + i % 15}.{i % 90} exec-env/{e}"
            for i in range(60)
            for t in ("Boto3", "aws-cli", "aws-sdk-java", "aws-sdk-go", "APN/1.0 HashiCorp Terraform")
            for e in ("AWS_ECS_FARGATE", "AWS_Lambda_python3.11")
        ]
        return cls(
            pa.array(accounts, S),
            acct_of,
            np.cumsum(w) / w.sum(),
            kind,
            pa.array(np.array(["AssumedRole", "IAMUser", "AWSService", "Root"])[kind], S),
            pa.array(pids, S),
            pa.array(arns, S),
            pa.array(names, S),
            np.clip(rng.lognormal(1.2, 1.3, n_p), 1, 400).astype(np.int64),
            off,
            prof,
            rng.choice(len(REGIONS), n_p, p=zipf(len(REGIONS), 1.6, 1)),
            pa.array(src, S),
            pa.array([n for _, n in pairs], S),
            pa.array([f"{s}:{n}" for s, n in pairs], S),
            pa.array([s for s, _ in pairs], S),
            pa.array(ro, S),
            np.array([s in DATA_SERVICES for s, _ in pairs]),
            templates(420, 120, 2600),
            templates(330, 100, 2600),
            variants,
            pa.array(ips, S),
            pa.array(agents, S),
        )


def chunk(w: World, rng: np.random.Generator, n: int, day: dt.date, *, accounts_sorted: bool = True) -> pa.Table:
    """``n`` events of ``day`` as one table of ``SCHEMA``."""
    p = np.minimum(np.searchsorted(w.cum, rng.random(n)), len(w.kind) - 1)
    u = rng.random(n)
    span = w.prof_off[p + 1] - w.prof_off[p]
    ev = w.prof_ev[w.prof_off[p] + (span * u**2.2).astype(np.int64)]
    hours = np.clip(rng.normal(13.5, 4.5, n), 0, 23.9997)
    sec = np.where(rng.random(n) < 0.4, rng.random(n) * 86400, hours * 3600).astype(np.int64)
    acct = w.acct_of[p]
    if accounts_sorted:
        order = np.lexsort((sec, acct))
        p, ev, sec, acct = p[order], ev[order], sec[order], acct[order]
    kind = w.kind[p]
    principals, events = pa.array(p), pa.array(ev)
    is_role, is_svc, is_user = kind == 0, kind == 2, kind == 1
    cross = (rng.random(n) < 0.03) & ~is_svc
    recip = np.where(cross, rng.integers(0, len(w.accounts), n), acct)
    caller, recipient = w.accounts.take(pa.array(acct)), w.accounts.take(pa.array(recip))

    # Identity
    sess_i = (w.sess_n[p] * rng.random(n) ** 2).astype(np.int64)
    sess = join("session-", pc.cast(pa.array((p * 131 + sess_i * 7) % 999_983), S))
    name, role_arn, pid = w.name.take(principals), w.arn.take(principals), w.pid.take(principals)
    sts_arn = join("arn:aws:sts::", caller, ":assumed-role/", pc.coalesce(name, pa.scalar("", S)), "/", sess)
    arn = pc.if_else(pa.array(is_role), sts_arn, role_arn)
    principal = pc.if_else(pa.array(is_role), join(pid, ":", sess), pid)
    role_mask = pa.array(~is_role)
    created = _iso(day).take(pa.array((sec // 3600) * 3600))
    attrs = pa.StructArray.from_arrays(
        [nullable(_pick(["false", "true"], (p % 9 == 0).astype(np.int8)), is_role), nullable(created, is_role)],
        ["mfaauthenticated", "creationdate"],
        mask=role_mask,
    )
    issuer = pa.StructArray.from_arrays(
        [
            nullable(pa.repeat(pa.scalar("Role", S), n), is_role),
            nullable(pid, is_role),
            nullable(role_arn, is_role),
            nullable(caller, is_role),
            nullable(name, is_role),
        ],
        fields=list(ISSUER),
        mask=role_mask,
    )
    session = pa.StructArray.from_arrays([attrs, issuer], fields=list(SESSION), mask=role_mask)
    akid = join("ASIA", pc.utf8_upper(hexes(rng, n, 16)))
    identity = pa.StructArray.from_arrays(
        [
            w.ptype.take(principals),
            principal,
            nullable(arn, ~is_svc),
            nullable(caller, ~is_svc),
            nullable(name, is_svc),
            nullable(akid, ~is_svc),
            nullable(name, is_user),
            session,
        ],
        fields=list(IDENTITY),
    )

    # Resources: a power law over a few hundred per account and service
    res_i = (300 * rng.random(n) ** 3).astype(np.int64)
    service = w.ev_service.take(events)
    res_name = join(service, "-res-", pc.cast(pa.array(res_i), S))
    res_arn = join(
        "arn:aws:", service, ":", pa.array(REGIONS, S).take(pa.array(w.region_of[p])), ":", recipient, ":", res_name
    )
    n_res = np.where(w.ev_data[ev], 1 + (rng.random(n) < 0.25), 0) * (rng.random(n) < 0.9)
    offsets = np.concatenate([[0], np.cumsum(n_res)]).astype(np.int32)
    rep = pa.array(np.repeat(np.arange(n), n_res))
    item = pa.StructArray.from_arrays(
        [res_arn.take(rep), recipient.take(rep), join("AWS::", pc.utf8_capitalize(service.take(rep)), "::Resource")],
        fields=list(RESOURCE),
    )
    resources = pa.ListArray.from_arrays(pa.array(offsets), item, mask=pa.array(n_res == 0))

    # Errors: pairs that are always denied, some denials at random, and other failures
    pair = (p.astype(np.int64) * 1_000_003 + ev * 7919) % 10_007
    denied = (pair < 260) | (rng.random(n) < 0.006)
    failed = ~denied & (rng.random(n) < 0.018)
    err = denied | failed
    code = np.where(denied, rng.choice(4, n, p=[0.5, 0.25, 0.2, 0.05]), 4 + rng.integers(0, len(OTHER_CODES), n))
    errorcode = nullable(_pick(DENIED_CODES + OTHER_CODES, code), err)
    which = np.flatnonzero(err)
    message = _messages(which, denied=denied, arn=arn, action=w.ev_action.take(events), resource=res_arn, rng=rng, n=n)

    t = pa.array(ev.astype(np.int64) * w.variants + (p + res_i) % w.variants)
    req = join(
        w.req[0].take(t),
        '"requestName":"',
        res_name,
        '","resourceArn":"',
        res_arn,
        '","nonce":"',
        hexes(rng, n, 16),
        '"',
        w.req[1].take(t),
    )
    resp = join(
        w.resp[0].take(t),
        '"responseId":"',
        hexes(rng, n, 32),
        '","assumedRoleUser":"',
        res_name,
        '"',
        w.resp[1].take(t),
    )
    readonly = w.ev_readonly.take(events)
    wrote = np.asarray(pc.equal(readonly, "false").to_numpy(zero_copy_only=False))
    ip_i = (p * 37 + (12 * rng.random(n) ** 3).astype(np.int64)) % len(w.ips)
    ip = pc.if_else(pa.array(is_svc), name, w.ips.take(pa.array(ip_i)))
    agent = pc.if_else(pa.array(is_svc), name, w.agents.take(pa.array((p * 13 + ev % 2) % len(w.agents))))
    none = pa.nulls(n, S)

    def one(value: str | None) -> pa.Array:
        return pa.repeat(pa.scalar(value, S), n)

    columns = [
        one("1.09"),
        identity,
        _iso(day).take(pa.array(sec)),
        w.ev_source.take(events),
        w.ev_name.take(events),
        pa.array(REGIONS, S).take(pa.array(w.region_of[p])),
        ip,
        agent,
        errorcode,
        message,
        nullable(req, rng.random(n) > 0.08),
        nullable(resp, (wrote | (rng.random(n) < 0.15)) & ~err),
        nullable(
            one(
                '{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","AuthenticationMethod":"AuthHeader"}'
            ),
            w.ev_data[ev],
        ),
        uuids(rng, n),
        uuids(rng, n),
        resources,
        _pick(["AwsApiCall", "AwsServiceEvent"], is_svc.astype(np.int8)),
        none,
        readonly,
        recipient,
        none,
        nullable(uuids(rng, n), cross),
        nullable(_pick([f"vpce-{i:017x}" for i in range(50)], acct % 50), p % 4 == 0),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


_iso_cache: dict[dt.date, pa.Array] = {}


def _iso(day: dt.date) -> pa.Array:
    """ISO text of every second of ``day`` (kept for the current day only)."""
    if day not in _iso_cache:
        _iso_cache.clear()
        h = [f"{i:02d}" for i in range(60)]
        _iso_cache[day] = pa.array([f"{day}T{a}:{b}:{c}Z" for a in h[:24] for b in h for c in h], S)
    return _iso_cache[day]


def _pick(values: list[str], index: np.ndarray) -> pa.Array:
    return pa.array(values, S).take(pa.array(np.asarray(index, np.int32)))


def _messages(which, *, denied, arn, action, resource, rng, n) -> pa.Array:
    """Error messages of the rows ``which``; null elsewhere."""
    idx = pa.array(which)
    a = action.take(idx)
    k = rng.choice(len(DENY_REASONS), len(which), p=zipf(len(DENY_REASONS), 1.3, 1))
    before, after = zip(*[[*r.split("{a}"), ""][:2] for r in DENY_REASONS], strict=True)
    named = np.array(["{a}" in r for r in DENY_REASONS])[k]
    reason = join(_pick(list(before), k), pc.if_else(pa.array(named), a, pa.scalar("", S)), _pick(list(after), k))
    text = join(
        "User: ",
        pc.coalesce(arn.take(idx), pa.scalar("service", S)),
        " is not authorized to perform: ",
        a,
        " on resource: ",
        resource.take(idx),
        " ",
        reason,
    )
    other = join("The request could not be completed for ", resource.take(idx))
    text = pc.if_else(pa.array(denied[which]), text, other)
    back = np.full(n, -1, np.int64)
    back[which] = np.arange(len(which))
    return text.take(pa.array(back, mask=back < 0))


def _camel(name: str) -> str:
    table = {
        "useridentity": "userIdentity",
        "principalid": "principalId",
        "accountid": "accountId",
        "invokedby": "invokedBy",
        "accesskeyid": "accessKeyId",
        "username": "userName",
        "sessioncontext": "sessionContext",
        "sessionissuer": "sessionIssuer",
        "mfaauthenticated": "mfaAuthenticated",
        "creationdate": "creationDate",
        "awsregion": "awsRegion",
        "sourceipaddress": "sourceIPAddress",
        "useragent": "userAgent",
        "errorcode": "errorCode",
        "errormessage": "errorMessage",
        "requestparameters": "requestParameters",
        "responseelements": "responseElements",
        "additionaleventdata": "additionalEventData",
        "requestid": "requestID",
        "eventid": "eventID",
        "readonly": "readOnly",
        "recipientaccountid": "recipientAccountId",
        "sharedeventid": "sharedEventID",
        "vpcendpointid": "vpcEndpointId",
        "eventversion": "eventVersion",
        "eventtime": "eventTime",
        "eventsource": "eventSource",
        "eventname": "eventName",
        "eventtype": "eventType",
        "apiversion": "apiVersion",
        "serviceeventdetails": "serviceEventDetails",
    }
    return table.get(name, name)


def _raw(value, key=""):
    """A row's value as CloudTrail's own JSON would carry it."""
    import orjson

    if isinstance(value, dict):
        out = {_camel(k): _raw(v, k) for k, v in value.items() if v is not None}
        if "requestParameters" not in out and "eventID" in out:
            out["requestParameters"] = None
        if "responseElements" not in out and "eventID" in out:
            out["responseElements"] = None
        return out
    if isinstance(value, list):
        return [{"ARN" if k == "arn" else _camel(k): v for k, v in one.items()} for one in value]  # `resources`
    if key in ("requestparameters", "responseelements", "additionaleventdata"):
        return orjson.loads(value)
    if key == "readonly":
        return value == "true"
    return value


def write_day(args: argparse.Namespace, world: World, index: int, rows: int) -> tuple[int, int]:
    """Write one day's files; returns (rows, bytes)."""
    day = dt.date.fromisoformat(args.start) + dt.timedelta(days=index)
    rng = np.random.default_rng([args.seed, 1, index])
    folder = Path(args.out) / f"date={day}"
    folder.mkdir(parents=True, exist_ok=True)
    done = size = part = 0
    while done < rows:
        in_file = min(rows - done, args.rows_per_file)
        if args.format == "jsongz":
            import orjson

            path = folder / f"part-{part:05d}.json.gz"
            in_file = min(in_file, 4000)
            records = [_raw(r) for r in chunk(world, rng, in_file, day).to_pylist()]
            with path.open("wb") as f, gzip.GzipFile("", "wb", 6, f, mtime=0) as g:
                g.write(orjson.dumps({"Records": records}))
        else:
            path = folder / f"part-{part:05d}.parquet"
            flat = [c for c in _leaves(SCHEMA) if c.split(".")[0] not in NO_DICTIONARY]
            with pq.ParquetWriter(path, SCHEMA, compression=args.compression, use_dictionary=flat) as out:
                left = in_file
                while left:
                    n = min(left, args.row_group)
                    out.write_table(chunk(world, rng, n, day), row_group_size=n)
                    left -= n
        done, size, part = done + in_file, size + path.stat().st_size, part + 1
    return done, size


def _leaves(schema) -> list[str]:
    """Parquet paths of all leaf columns."""

    def walk(field, prefix):
        path = f"{prefix}{field.name}"
        if pa.types.is_struct(field.type):
            return [x for f in field.type for x in walk(f, path + ".")]
        if pa.types.is_list(field.type):
            return [x for f in field.type.value_type for x in walk(f, path + ".list.element.")]
        return [path]

    return [x for f in schema for x in walk(f, "")]


_world: World | None = None


def _start(args) -> None:
    global _world  # noqa: PLW0603 - one world for each process of the pool
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    _world = World.build(args.seed, args.accounts, args.roles, args.events)


def _task(job):
    args, index, rows = job
    return write_day(args, _world, index, rows)


def main(argv: list[str] | None = None) -> None:
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--rows", type=int, default=1_000_000)
    ap.add_argument("--days", type=int, default=30)
    ap.add_argument("--start", default="2026-01-01", help="first day (ISO)")
    ap.add_argument("--accounts", type=int, default=400)
    ap.add_argument("--roles", type=int, default=30_000)
    ap.add_argument("--events", type=int, default=900, help="distinct (eventSource, eventName) pairs")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--out", required=True)
    ap.add_argument("--format", choices=["parquet", "jsongz"], default="parquet")
    ap.add_argument("--compression", default="zstd", choices=["zstd", "snappy", "gzip", "none"])
    ap.add_argument("--rows-per-file", type=int, default=300_000)
    ap.add_argument("--row-group", type=int, default=100_000)
    ap.add_argument("--workers", type=int, default=1)
    args = ap.parse_args(argv)
    # Weekends are quieter; the last day takes the rounding.
    first = dt.date.fromisoformat(args.start)
    w = np.array([0.45 if (first + dt.timedelta(days=i)).weekday() > 4 else 1.0 for i in range(args.days)])
    per_day = np.floor(args.rows * w / w.sum()).astype(int)
    per_day[-1] += args.rows - per_day.sum()
    jobs = [(args, i, int(n)) for i, n in enumerate(per_day) if n]
    t0 = time.perf_counter()
    with cf.ProcessPoolExecutor(args.workers, initializer=_start, initargs=(args,)) as pool:
        done = list(pool.map(_task, jobs))
    rows, size = (sum(x) for x in zip(*done, strict=True))
    sec = time.perf_counter() - t0
    print(f"{rows} rows, {size / 1e6:.1f} MB, {size / rows:.1f} bytes/row, {sec:.1f} s, {rows / sec:,.0f} rows/s")


if __name__ == "__main__":
    main()
