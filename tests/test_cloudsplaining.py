"""Beside Cloudsplaining on the same dump: whatever it finds, Headroom finds, or says why there is nothing to find.

Its findings lie in `tests/data/cloudsplaining`; docs/METHOD.md, "Compared with Cloudsplaining", explains every
difference.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analytics.build import build_store
from analytics.iam.catalogue import bit_numbers
from analytics.outputs.estate import read_estate
from analytics.settings import Settings
from analytics.store import Store
from tests.event_files import event, write_layout_a

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from analytics.findings.estate import Estate

DATA = Path(__file__).parent / "data"
THEIRS = json.loads(gzip.decompress((DATA / "cloudsplaining" / "example-findings.json.gz").read_bytes()))
A = "arn:aws:iam::200611803367:"
# All that one policy allows them another one denies.
DENIED = {
    f"{A}role/fp2-allow-and-deny-multiple-policies-role",
    f"{A}user/fp2-allow-and-deny-multiple-policies-user",
}
DENIED_IAM = {f"{A}role/fp1-allow-and-deny-role", f"{A}user/fp1-allow-and-deny-user"}
RETIRED = {"codestar", "evidently", "iotevents", "aws-mcp"}  # services that AWS's reference no longer has
NO_CREDENTIAL = {  # of what Cloudsplaining calls credentials exposure
    "sts:GetSessionToken",  # the caller's own permissions, which it has already
    "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity",  # need no permission, but an assertion
    "cognito-identity:GetOpenIdToken",  # needs no permission
    "cognito-idp:GetSigningCertificate",  # a public certificate
    "iam:UpdateAccessKey",  # switches a key on or off and does not show it
}  # fmt: skip
ONLY_OURS = {  # paths that Cloudsplaining does not name
    "sts-001": {"role/AWS-QuickSetup-StackSet-Local-AdministrationRole", "role/privesc-AssumeRole-starting-role",
        "role/privesc-AssumeRole-intermediate-role"},
    "ec2-001": {"role/fn1-privesc3-partial-role", "user/fn1-privesc3-partial-user"},
    "iam-001": {"role/fn2-exploitableResourceConstraint-role", "user/fn2-exploitableResourceConstraint-user",
        "role/fn3-exploitableConditionConstraint-role", "user/fn3-exploitableConditionConstraint-user",
        "role/fp5-nonExploitableConditionConstraint-role", "user/fp5-nonExploitableConditionConstraint-user"},
    "cloudformation-002": {"role/privesc-CloudFormationUpdateStack-role",
        "user/privesc-CloudFormationUpdateStack-user"},
    "ssm-001": {"role/privesc-ssmStartSession-role", "user/privesc-ssmStartSession-user"},
    "ssm-002": {"role/privesc-ssmSendCommand-role", "user/privesc-ssmSendCommand-user"},
}  # fmt: skip


def pairs(category: str) -> Iterator[tuple[str, Any]]:
    """Each holder of a policy with each finding."""
    for policy in THEIRS["policies"]:
        for holder in policy["holders"]:
            yield from ((holder, found) for found in policy[category])


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("cloudsplaining")
    write_layout_a(folder / "one.parquet", [event(eventTime="2023-06-01T00:00:00Z")])
    store = Store(folder / "store")
    dump = DATA / "iam" / "cloudsplaining-example.authz.json.gz"
    build_store([str(folder / "one.parquet")], dump, store, settings=Settings(), now=datetime(2023, 6, 2))  # noqa: DTZ001
    with store.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def estate(con: DuckDBPyConnection) -> Estate:
    return read_estate(con)


@pytest.fixture(scope="module")
def paths(con: DuckDBPyConnection) -> dict[str, dict[str, frozenset[str]]]:
    """Of each identity the paths that it holds, with their actions in lower case."""
    found: defaultdict[str, dict[str, frozenset[str]]] = defaultdict(dict)
    for arn, path, actions in con.execute("select principal_arn, path_id, actions from escalation").fetchall():
        found[arn][path] = frozenset(action.lower() for action in json.loads(actions))
    return found


def test_every_escalation_is_held_as_a_path_of_the_same_actions_or_fewer(
    paths: dict[str, dict[str, frozenset[str]]],
) -> None:
    theirs = list(pairs("escalation"))
    assert len(theirs) == 436
    for holder, (kind, actions) in theirs:
        if holder in DENIED:
            assert holder not in paths
        elif kind == "PassExistingRoleToNewDataPipeline":
            assert "datapipeline-001" in paths[holder]  # a pipeline runs when it is defined and activated, too
        else:
            assert any(needed <= set(actions) for needed in paths[holder].values()), (holder, kind)


def test_what_headroom_finds_beside_is_named(
    con: DuckDBPyConnection, paths: dict[str, dict[str, frozenset[str]]]
) -> None:
    theirs = {holder for holder, _found in pairs("escalation")}
    beside = set(paths) - theirs
    administrators = {
        arn for (arn,) in con.execute("select principal_arn from risk where administrator = 'surely'").fetchall()
    }
    unnamed = beside - administrators
    expected = {A + name for names in ONLY_OURS.values() for name in names}
    assert {arn for arn in unnamed if arn.startswith(A)} == expected - administrators
    for path, names in ONLY_OURS.items():
        assert all(path in paths[A + name] for name in names)


def test_the_administrators_that_it_leaves_out_are_found(
    con: DuckDBPyConnection, paths: dict[str, dict[str, frozenset[str]]]
) -> None:
    """AdministratorAccess is no finding of its: the policy is AWS's, and excused."""
    theirs = {holder for holder, _found in pairs("escalation")}
    found = {arn for (arn,) in con.execute("select principal_arn from risk where administrator = 'surely'").fetchall()}
    left_out = {arn.rpartition("/")[2] for arn in found - theirs}
    assert left_out >= {
        "OrganizationAccountAccessRole", "AWSReservedSSO_AdministratorAccess_dc6414f7f2ab04fc",
        "AWS-QuickSetup-StackSet-Local-ExecutionRole", "stacksets-exec-b5520cb2730c2f54b523d6375a319abb",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("category", "findings", "light"),
    [
        ("exfiltration", 44, set()),
        ("exposure", 2758, {"quicksight:DescribeDataSetPermissions", "quicksight:DescribeDataSourcePermissions"}),
        ("credentials", 269, NO_CREDENTIAL),
    ],
)
def test_every_action_that_it_names_is_in_reach_and_weighs(
    estate: Estate, category: str, findings: int, light: set[str]
) -> None:
    catalogue, weights = estate.catalogue, estate.weights
    names = {action.lower(): number for number, action in enumerate(catalogue.actions)}
    theirs = list(pairs(category))
    assert len(theirs) == findings
    for holder, action in theirs:
        if action.partition(":")[0] in RETIRED:
            assert action.lower() not in names
            continue
        number = names[action.lower()]
        held = bool(estate.subjects[holder].reach.maybe >> number & 1)
        denied = holder in DENIED or (holder in DENIED_IAM and action.startswith("iam:"))
        assert held is not denied, (holder, action)
        weighs = weights.weights[number] >= weights.high_risk_from
        assert weighs or catalogue.actions[number] in light, action
        if category == "credentials" and catalogue.actions[number] not in light:
            assert weights.classes[number] in {"credential", "control"}, action


def test_every_service_wildcard_is_a_service_granted_whole(estate: Estate) -> None:
    theirs = list(pairs("wildcards"))
    assert len(theirs) == 1796
    for holder, service in theirs:
        if service in RETIRED:
            assert service not in estate.catalogue.services
            continue
        numbers = estate.catalogue.services[service]
        missing = (((1 << len(numbers)) - 1) << numbers.start) & ~estate.subjects[holder].reach.maybe
        if holder in DENIED or (holder in DENIED_IAM and service == "iam"):
            assert missing.bit_count() == len(numbers)
        else:
            assert list(bit_numbers(missing)) == []


def test_every_trust_that_it_names_is_a_way_into_the_role(con: DuckDBPyConnection) -> None:
    ways: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for arn, party, trust_class in con.execute("select principal_arn, party, trust_class from trust").fetchall():
        ways[arn][party] = trust_class
    assert len(THEIRS["trust"]) == 9
    for role in THEIRS["trust"]:
        found = ways[role["role"]]
        for service in role["compute"]:
            # The role of a cluster is the control plane's; what runs in a cluster has roles of its own.
            expected = "service" if service == "eks" else "compute_service"
            assert found[f"{service}.amazonaws.com"] == expected
        for party in role["cross_account_principals"]:
            own = f"::{role['role'].split(':')[4]}:" in party
            assert found[party] == ("same_account" if own else "unknown_account")
        assert not role["any_principal"]
        assert not role["any_principal_with_conditions"]


def test_its_infrastructure_findings_are_counted_as_unused_privilege(con: DuckDBPyConnection) -> None:
    """Modification of infrastructure is no finding here but weight: granted, and by this dump not seen used."""
    holders = {
        holder for one in THEIRS["policies"] if one["infrastructure"] for holder in one["holders"]
    } - DENIED - DENIED_IAM  # fmt: skip
    weighed = con.execute(
        "select principal_arn from gap_identity where unused_weight + unobserved_weight > 0"
    ).fetchall()
    assert holders <= {arn for (arn,) in weighed}
