"""The organisation of the large snapshot: a tree of units with the guards that organisations put on them."""

from __future__ import annotations

import random

from tests.bench.estate_documents import REGIONS, policy_document, statement

GLOBAL_ACTIONS = [
    "iam:*",
    "organizations:*",
    "route53:*",
    "cloudfront:*",
    "support:*",
    "sts:*",
    "health:*",
    "budgets:*",
]
NOT_BREAK_GLASS = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/break-glass"}}
TOP_UNITS = ("Prod", "NonProd", "Security", "Sandbox")
UNITS = ("Payments", "Retail", "Data", "Platform", "Mobile", "Partners")


def control_policy(name: str, *statements: dict, kind: str = "SERVICE_CONTROL_POLICY") -> dict:
    content = policy_document(list(statements))
    return {"Id": f"p-{name.lower()}", "Name": name, "Type": kind, "AwsManaged": False, "Content": content}


def full_access(kind: str) -> dict:
    name = "FullAWSAccess" if kind == "SERVICE_CONTROL_POLICY" else "RCPFullAWSAccess"
    return control_policy(name, statement("Allow", "Action", ["*"], "*"), kind=kind) | {"AwsManaged": True}


def node_policies(depth: int, name: str) -> list[dict]:
    """The control policies attached at a depth of the tree: full access, and a guard or two."""
    given = [full_access("SERVICE_CONTROL_POLICY"), full_access("RESOURCE_CONTROL_POLICY")]
    if depth == 0:
        leave = statement("Deny", "Action", ["organizations:LeaveOrganization", "account:CloseAccount"], "*")
        trails = statement("Deny", "Action", ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail"], "*")
        given.append(control_policy("ProtectOrganization", leave, trails | {"Condition": NOT_BREAK_GLASS}))
    elif depth == 1:
        outside = {"Condition": {"StringNotEquals": {"aws:RequestedRegion": REGIONS}}}
        given.append(control_policy("Regions", statement("Deny", "NotAction", GLOBAL_ACTIONS, "*") | outside))
    elif depth == 2 and name != "Platform":
        keys = statement("Deny", "Action", ["iam:CreateUser", "iam:CreateAccessKey"], "*")
        given.append(control_policy("NoUsers", keys | {"Condition": NOT_BREAK_GLASS}))
    elif depth == 3 and name == "Tier1":
        given.append(
            control_policy("Network", statement("Deny", "Action", ["ec2:*Vpc*", "ec2:*InternetGateway*"], "*"))
        )
    return given


def organization(account_ids: list[str], management: str, *, levels: int, seed: int) -> dict:
    """The tree: `levels` from the root to each account, the accounts dealt over the lowest units."""
    rng = random.Random(f"{seed}/tree")
    waiting = [account for account in account_ids if account != management]
    rng.shuffle(waiting)
    leaves: list[dict] = []
    tree = _unit(levels, 0, "Root", "0", leaves)
    for index, account_id in enumerate(waiting):
        leaves[index % len(leaves)]["Children"].append(_account(account_ids, account_id, rng))
    tree["Children"].append(_account(account_ids, management, rng))
    identifier = {"Id": "r-ab12", "MasterAccountId": management}
    arn = f"arn:aws:organizations::{management}:root/o-exampleorgid/r-ab12"
    types = [{"Type": kind, "Status": "ENABLED"} for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")]
    return {**tree, **identifier, "Arn": arn, "PolicyTypes": types}


def _unit(levels: int, depth: int, name: str, place: str, leaves: list[dict]) -> dict:
    unit = {"Type": "OrganizationalUnit", "Id": f"ou-ab12-{place:z<8}", "Name": name}
    unit |= {"Policies": node_policies(depth, name), "Children": []}
    below = {0: TOP_UNITS, 1: UNITS}.get(depth, ("Tier1", "Tier2"))
    if depth < levels - 2:
        unit["Children"] = [
            _unit(levels, depth + 1, child, f"{place}{index}", leaves) for index, child in enumerate(below)
        ]
    else:
        leaves.append(unit)
    return unit


def _account(account_ids: list[str], account_id: str, rng: random.Random) -> dict:
    name = f"{rng.choice(UNITS).lower()}-{account_ids.index(account_id):03d}"
    environment = rng.choice(("prod", "staging", "dev"))
    node = {"Type": "Account", "Id": account_id, "Name": f"{name}-{environment}", "Status": "ACTIVE"}
    return node | {"Tags": {"environment": environment}, "Policies": node_policies(9, name)}
