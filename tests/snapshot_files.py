"""Writes small snapshots: a test names only what it is about, in AWS's own JSON."""

import json
from pathlib import Path

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
FULL_ACCESS = {
    "Id": "p-FullAWSAccess",
    "Name": "FullAWSAccess",
    "Type": "SERVICE_CONTROL_POLICY",
    "Content": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
}


def document(*actions: str, effect: str = "Allow", **statement: object) -> dict:
    """A policy of one statement on every resource."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": effect, "Action": list(actions), "Resource": "*", **statement}],
    }


def trust(service: str = "ec2.amazonaws.com") -> dict:
    """A trust policy for one service."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(name: str = "app", *, account: str = ACCOUNT, path: str = "/", **fields: object) -> dict:
    """One entry of RoleDetailList."""
    return {
        "Path": path,
        "RoleName": name,
        "RoleId": f"AROA{name.upper()}",
        "Arn": f"arn:aws:iam::{account}:role{path}{name}",
        "CreateDate": "2024-03-01T00:00:00+00:00",
        "AssumeRolePolicyDocument": trust(),
        "RolePolicyList": [],
        "AttachedManagedPolicies": [],
        "Tags": [],
        **fields,
    }


def user(name: str = "ann", *, account: str = ACCOUNT, **fields: object) -> dict:
    """One entry of UserDetailList."""
    return {
        "Path": "/",
        "UserName": name,
        "UserId": f"AIDA{name.upper()}",
        "Arn": f"arn:aws:iam::{account}:user/{name}",
        "GroupList": [],
        "AttachedManagedPolicies": [],
        "Tags": [],
        **fields,
    }


def managed(name: str, content: object, *, account: str = ACCOUNT, **fields: object) -> dict:
    """One entry of Policies, with an older version beside the default one."""
    old = {"VersionId": "v1", "IsDefaultVersion": False, "Document": document("old:Version")}
    new = {"VersionId": "v2", "IsDefaultVersion": True, "Document": content}
    arn = f"arn:aws:iam::{account}:policy/{name}"
    return {"PolicyName": name, "Arn": arn, "DefaultVersionId": "v2", "PolicyVersionList": [old, new], **fields}


def attached(name: str, *, account: str = ACCOUNT) -> dict:
    """A reference to a managed policy; account `aws` makes it AWS's."""
    return {"PolicyName": name, "PolicyArn": f"arn:aws:iam::{account}:policy/{name}"}


def details(*, roles=(), users=(), groups=(), policies=()) -> dict:
    """A whole authorization-details document."""
    return {
        "UserDetailList": list(users),
        "GroupDetailList": list(groups),
        "RoleDetailList": list(roles),
        "Policies": list(policies),
    }


def scp(name: str, *actions: str, effect: str = "Deny", **fields: object) -> dict:
    """A control policy attached to a node."""
    content = document(*actions, effect=effect)
    return {"Id": f"p-{name}", "Name": name, "Type": "SERVICE_CONTROL_POLICY", "Content": content, **fields}


def ou(name: str, *children: dict, policies=(FULL_ACCESS,)) -> dict:
    """An organisational unit."""
    node = {"Type": "OrganizationalUnit", "Id": f"ou-ab12-{name.lower():0>8}", "Name": name, "Policies": list(policies)}
    return {**node, "Children": list(children)}


def account(account_id: str = ACCOUNT, name: str = "payments", *, policies=(FULL_ACCESS,), **fields: object) -> dict:
    """An account of the organisation."""
    return {"Type": "Account", "Id": account_id, "Name": name, "Policies": list(policies), **fields}


def root(*children: dict, policies=(FULL_ACCESS,), types=("SERVICE_CONTROL_POLICY",), **fields: object) -> dict:
    """The tree of an organisation whose management account is 999988887777."""
    return {
        "Id": "r-ab12",
        "Arn": "arn:aws:organizations::999988887777:root/o-exampleorgid/r-ab12",
        "Name": "Root",
        "PolicyTypes": [{"Type": kind, "Status": "ENABLED"} for kind in types],
        "Policies": list(policies),
        "Children": list(children),
        **fields,
    }


def write(folder: Path, files: dict[str, object]) -> Path:
    """The folder with these files; text and bytes are written as they are, anything else as JSON."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def write_account(folder: Path, dump: object, *, account: str = ACCOUNT, **files: object) -> Path:
    """A snapshot folder of one account; further files by their path in the snapshot."""
    return write(folder, {f"accounts/{account}/authorization-details.json": dump, **files})
