"""A large snapshot in the folder form, for the figures: the same arguments always give the same files.

    python tests/bench/make_estate.py --out DIR --roles 30000 --accounts 400 --policies 6000 --levels 5 --seed 1

Accounts, roles and users are those of `gen_cloudtrail.py` with the same seed, so that its events and this snapshot are
one estate. A role's own policy covers most of what the generator lets it call, and more, as policies do.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))  # so that the file also runs by its path

from analytics.iam.catalogue import Catalogue, load_catalogue  # noqa: E402 the path comes first
from tests.bench.estate_documents import (  # noqa: E402 as above
    AWS_MANAGED,
    REGIONS,
    aws_policies,
    aws_reference,
    policy_document,
    statement,
    trust_document,
)
from tests.bench.estate_organization import organization  # noqa: E402 as above
from tests.bench.gen_cloudtrail import World  # noqa: E402 as above

TAKEN_AT = "2026-11-20T06:00:00Z"
ROLE, USER = 0, 1  # World.kind
CONDITIONS = (
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringEquals": {"aws:RequestedRegion": REGIONS[:2]}},
    {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}},
)


@dataclass(frozen=True)
class Estate:
    """What there is: the generator's world, and how many policies and levels to make around it."""

    accounts: int
    roles: int
    policies: int
    levels: int
    seed: int

    @cached_property
    def world(self) -> World:
        return World.build(self.seed, self.accounts, self.roles)

    @cached_property
    def account_ids(self) -> list[str]:
        return self.world.accounts.to_pylist()

    @property
    def management(self) -> str:
        return self.account_ids[-1]

    @cached_property
    def principals(self) -> list[list[int]]:
        """By account, the numbers of its roles and users in the world."""
        by_account: list[list[int]] = [[] for _ in range(self.accounts)]
        for number, (at, kind) in enumerate(zip(self.world.acct_of.tolist(), self.world.kind.tolist(), strict=True)):
            if kind in (ROLE, USER):
                by_account[at].append(number)
        return by_account

    @cached_property
    def arns(self) -> list[str | None]:
        return self.world.arn.to_pylist()

    @cached_property
    def event_actions(self) -> list[str]:
        return self.world.ev_action.to_pylist()

    def called(self, number: int) -> list[str]:
        """The `service:EventName` texts that the generator lets a principal call."""
        events = self.world.prof_ev[self.world.prof_off[number] : self.world.prof_off[number + 1]]
        return sorted({self.event_actions[event] for event in events.tolist()})

    def policies_of(self, at: int) -> int:
        """How many of the policies an account has: all accounts the same, the first ones take the rest."""
        return self.policies // self.accounts + (at < self.policies % self.accounts)


class AccountMaker:
    """Writes the dump of one account; its random stream is its own, so accounts do not depend on each other."""

    def __init__(self, estate: Estate, catalogue: Catalogue, aws_managed: list[dict], at: int) -> None:
        self.estate, self.catalogue, self.aws_managed, self.at = estate, catalogue, aws_managed, at
        self.account_id = estate.account_ids[at]
        self.rng = random.Random(f"{estate.seed}/{at}")
        self.count = estate.policies_of(at)
        self.boundaries = min(2, max(self.count - 1, 0))  # the first of the account's policies are its boundaries

    def dump(self) -> dict:
        """The account's authorization details."""
        roles, users, covered = [], [], [set() for _ in range(self.count)]
        for number in self.estate.principals[self.at]:
            own = self.rng.randrange(self.boundaries, self.count) if self.count else None
            if own is not None:
                covered[own].update(self.estate.called(number))
            if self.estate.world.kind[number] == ROLE:
                roles.append(self.role(number, own))
            else:
                users.append(self.user(number, own))
        policies = [self.managed(index, called) for index, called in enumerate(covered)]
        return {
            "UserDetailList": users,
            "GroupDetailList": [self.group("admins", "AdministratorAccess"), self.group("readers", "ReadOnlyAccess")],
            "RoleDetailList": roles,
            "Policies": policies + self.aws_managed,
        }

    def arn(self, kind: str, name: str) -> str:
        return f"arn:aws:iam::{self.account_id}:{kind}/{name}"

    def policy_name(self, index: int) -> str:
        return f"boundary-{index}" if index < self.boundaries else f"app-{self.at:03d}-{index:03d}"

    def reference(self, index: int) -> dict:
        name = self.policy_name(index)
        return {"PolicyName": name, "PolicyArn": self.arn("policy", name)}

    def attached(self, own: int | None, name: str) -> list[dict]:
        """Its own policy, sometimes a few of its neighbours', and AWS's where the name says so."""
        others = range(self.boundaries, self.count)
        extra = self.rng.sample(others, min(len(others), self.rng.choice((0, 0, 1, 1, 2, 4)))) if others else []
        chosen = list(dict.fromkeys([own, *extra])) if own is not None else []
        aws = {"admin": AWS_MANAGED[1], "reader": AWS_MANAGED[0], "lambda": AWS_MANAGED[3], "eks-node": AWS_MANAGED[2]}
        named = [policy for word, policy in aws.items() if f"-{word}-" in name and self.rng.random() < 0.7]
        return [*map(self.reference, chosen), *map(aws_reference, named)]

    def role(self, number: int, own: int | None) -> dict:
        arn = self.estate.arns[number] or ""
        path, _, name = arn.partition(":role")[2].rpartition("/")
        role = {
            "Path": f"{path}/",
            "RoleName": name,
            "RoleId": self.estate.world.pid[number].as_py(),
            "Arn": arn,
            "CreateDate": self.moment(2018, 2025),
            "AssumeRolePolicyDocument": self.trust(name, path),
            "InstanceProfileList": [],
            "RolePolicyList": self.inline(number) if self.rng.random() < 0.15 else [],
            "AttachedManagedPolicies": self.attached(own, name),
            "Tags": self.tags(name),
            "RoleLastUsed": {"LastUsedDate": self.moment(2026, 2026), "Region": self.rng.choice(REGIONS)}
            if self.rng.random() < 0.8
            else {},
        }
        if self.boundaries and "-admin-" not in name and self.rng.random() < 0.25:
            limit = self.arn("policy", self.policy_name(self.rng.randrange(self.boundaries)))
            role["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": limit}
        return role

    def user(self, number: int, own: int | None) -> dict:
        arn = self.estate.arns[number] or ""
        name = arn.rpartition("/")[2]
        return {
            "Path": "/",
            "UserName": name,
            "UserId": self.estate.world.pid[number].as_py(),
            "Arn": arn,
            "CreateDate": self.moment(2018, 2025),
            "GroupList": [self.rng.choice(("admins", "readers", "readers"))] if self.rng.random() < 0.3 else [],
            "AttachedManagedPolicies": [self.reference(own)] if own is not None else [],
            "Tags": self.tags(name),
        }

    def group(self, name: str, aws_policy: str) -> dict:
        return {
            "Path": "/",
            "GroupName": name,
            "GroupId": f"AGPA{self.at:016d}",
            "Arn": self.arn("group", name),
            "CreateDate": "2019-01-01T00:00:00+00:00",
            "GroupPolicyList": [],
            "AttachedManagedPolicies": [aws_reference(aws_policy)],
        }

    def inline(self, number: int) -> list[dict]:
        document = policy_document([self.statement(self.estate.called(number)[:4])])
        return [{"PolicyName": "inline", "PolicyDocument": document}]

    def tags(self, name: str) -> list[dict]:
        tags = {"team": name.removeprefix("svc-").partition("-")[0]}
        if self.rng.random() < 0.6:
            tags["owner"] = f"{tags['team']}@example.com"
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def moment(self, first: int, last: int) -> str:
        year, month, day = self.rng.randint(first, last), self.rng.randint(1, 10), self.rng.randint(1, 28)
        return f"{year}-{month:02d}-{day:02d}T{self.rng.randrange(24):02d}:00:00+00:00"

    def trust(self, name: str, path: str) -> dict:
        if "sso.amazonaws.com" in path:
            provider = self.arn("saml-provider", "AWSSSO_0123456789abcdef_DO_NOT_DELETE")
            return trust_document({"Federated": provider}, "sts:AssumeRoleWithSAML")
        if "-ci-deploy-" in name:
            provider = self.arn("oidc-provider", "token.actions.githubusercontent.com")
            subject = {"StringLike": {"token.actions.githubusercontent.com:sub": f"repo:example/{name[:12]}:*"}}
            return trust_document({"Federated": provider}, "sts:AssumeRoleWithWebIdentity", subject)
        services = {"lambda": "lambda", "ecs-task": "ecs-tasks", "eks-node": "ec2", "glue": "glue", "batch": "batch"}
        service = next((service for word, service in services.items() if f"-{word}-" in name), None)
        if service:
            return trust_document({"Service": f"{service}.amazonaws.com"}, "sts:AssumeRole")
        other = self.account_id if self.rng.random() < 0.8 else self.rng.choice(self.estate.account_ids)
        return trust_document({"AWS": f"arn:aws:iam::{other}:root"}, "sts:AssumeRole")

    def managed(self, index: int, called: set[str]) -> dict:
        """One customer managed policy; every fifth keeps an older version."""
        name = self.policy_name(index)
        statements = self.boundary(index) if index < self.boundaries else self.statements(sorted(called))
        document = policy_document(statements)
        versions = [
            {"Document": document, "VersionId": "v2", "IsDefaultVersion": True, "CreateDate": self.moment(2024, 2025)}
        ]
        if index % 5 == 0:
            old = policy_document(statements[:1])
            versions.append(
                {"Document": old, "VersionId": "v1", "IsDefaultVersion": False, "CreateDate": self.moment(2020, 2023)}
            )
        return {
            "PolicyName": name,
            "PolicyId": f"ANPA{self.at:08d}{index:08d}",
            "Arn": self.arn("policy", name),
            "Path": "/",
            "DefaultVersionId": "v2",
            "IsAttachable": True,
            "CreateDate": self.moment(2019, 2023),
            "PolicyVersionList": versions,
        }

    def boundary(self, index: int) -> list[dict]:
        """Everything but what changes identities, or a list of the services that teams use."""
        if index == 0:
            kept = ["iam:*", "organizations:*", "account:*", "sts:AssumeRole"]
            team = f"arn:aws:iam::{self.account_id}:role/team/*"
            return [statement("Allow", "NotAction", kept, "*"), statement("Allow", "Action", ["iam:PassRole"], team)]
        services = sorted(self.rng.sample(sorted(self.catalogue.services), min(40, len(self.catalogue.services))))
        return [statement("Allow", "Action", [f"{service}:*" for service in services], "*")]

    def statements(self, called: list[str]) -> list[dict]:
        """What the roles call, service by service, then what policies gather besides."""
        by_service: dict[str, list[str]] = {}
        for action in called:
            by_service.setdefault(action.partition(":")[0], []).append(action)
        made = [self.statement(actions) for actions in by_service.values() if self.rng.random() < 0.92]
        for _ in range(self.rng.choice((0, 1, 1, 2, 4))):
            service = self.rng.choice(sorted(self.catalogue.services))
            made.append(self.statement([self.catalogue.actions[self.rng.choice(self.catalogue.services[service])]]))
        if self.rng.random() < 0.1:
            made.append(statement("Deny", "Action", ["s3:DeleteBucket", "kms:ScheduleKeyDeletion"], "*"))
        return made[:28] or [statement("Allow", "Action", ["sts:GetCallerIdentity"], "*")]

    def statement(self, actions: list[str]) -> dict:
        """One Allow of one service: the very actions, a verb, or everything; on some resources or all."""
        real = [action for action in actions if self.catalogue.number(action) is not None] or ["sts:GetCallerIdentity"]
        service = real[0].partition(":")[0]
        style = self.rng.random()
        if style < 0.18:
            patterns = [f"{service}:*"]
        elif style < 0.45:
            patterns = sorted({f"{service}:{verb}*" for verb in ("Get", "List", "Describe")} | set(real))
        else:
            patterns = sorted(set(real) | {self.neighbour(action) for action in real})
        resource = "*" if self.rng.random() < 0.5 else f"arn:aws:{service}:*:{self.account_id}:{service}-res-*"
        made = statement("Allow", "Action", patterns, resource)
        if self.rng.random() < 0.15:
            made["Condition"] = self.rng.choice(CONDITIONS)
        return made

    def neighbour(self, action: str) -> str:
        """Another action of the same service."""
        return self.catalogue.actions[self.rng.choice(self.catalogue.services[action.partition(":")[0]])]


def files(estate: Estate) -> Iterator[tuple[str, object]]:
    """Every file of the snapshot by its path."""
    catalogue, aws_managed = load_catalogue(), aws_policies()
    yield (
        "organization.json",
        organization(estate.account_ids, estate.management, levels=estate.levels, seed=estate.seed),
    )
    accounts = {account_id: {"status": "ok"} for account_id in estate.account_ids}
    yield "manifest.json", {"taken_at": TAKEN_AT, "accounts": accounts}
    arn = f"arn:aws:cloudtrail:eu-west-1:{estate.management}:trail/organization"
    data = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]
    trail = {"Name": "organization", "TrailARN": arn, "IsMultiRegionTrail": True, "IsOrganizationTrail": True}
    selectors = [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": data}]
    yield "trails.json", {"trailList": [trail | {"IsLogging": True, "EventSelectors": selectors}]}
    for at, account_id in enumerate(estate.account_ids):
        yield (
            f"accounts/{account_id}/authorization-details.json",
            AccountMaker(estate, catalogue, aws_managed, at).dump(),
        )


def write(estate: Estate, out: Path) -> int:
    """Write the snapshot; returns its size in bytes."""
    size = 0
    for name, content in files(estate):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        size += path.write_bytes(json.dumps(content, separators=(",", ":")).encode())
    return size


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--roles", type=int, default=30_000)
    parser.add_argument("--accounts", type=int, default=400)
    parser.add_argument("--policies", type=int, default=6_000, help="customer managed policies, over all accounts")
    parser.add_argument("--levels", type=int, default=5, help="levels of SCPs from the root to an account, 2 or more")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)
    if min(given.roles, given.accounts, given.policies) < 1 or given.levels < 2:
        parser.error("--roles, --accounts and --policies must be 1 or more, --levels 2 or more")
    started = time.perf_counter()
    size = write(Estate(given.accounts, given.roles, given.policies, given.levels, given.seed), given.out)
    print(f"{given.out}: {size / 1e6:.1f} MB in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
