"""The estate that a build gives back is the one that its snapshot and its events describe."""

from collections.abc import Iterator

import duckdb
import pytest

from analytics.findings.estate import POLICY_TYPES, Estate
from analytics.iam.stack import PolicyStack
from analytics.outputs.estate import EstateError, read_estate
from analytics.outputs.stacks import stack_of, trust_of
from analytics.sources.organization import NodeKind
from analytics.sources.snapshot import Snapshot, read_snapshot
from analytics.sources.snapshot_values import naive
from tests.builders import allow, deny, policy
from tests.demo_sample import built, sample


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with built().connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return read_snapshot(sample().folder / "snapshot")


@pytest.fixture(scope="module")
def estate(con: duckdb.DuckDBPyConnection) -> Estate:
    return read_estate(con)


def comparable(stack: PolicyStack) -> tuple[object, ...]:
    """A build counts the policies that were not collected, and does not name them."""
    levels = [[(level.node_id, level.policies) for level in side] for side in (stack.scp_levels, stack.rcp_levels)]
    facts = (stack.principal, stack.identity, stack.boundary, stack.boundary_not_collected)
    return (*facts, len(stack.not_collected), *levels)


def test_every_identity_of_the_snapshot_is_there_with_the_same_policies(estate: Estate, snapshot: Snapshot) -> None:
    assert list(estate.subjects) == sorted(identity.arn for identity in snapshot.identities)
    for identity in snapshot.identities:
        subject = estate.subjects[identity.arn]
        assert comparable(subject.stack) == comparable(snapshot.stack_of(identity))
        assert subject.trust == identity.trust
        assert (subject.kind, subject.path, subject.created) == (identity.kind, identity.path, naive(identity.created))


def test_reach_is_that_of_the_stack(estate: Estate) -> None:
    for subject in estate.subjects.values():
        assert subject.reach == estate.reachable.of(subject.stack)


def test_the_stack_of_one_identity_is_the_one_among_all(con: duckdb.DuckDBPyConnection, estate: Estate) -> None:
    for subject in list(estate.subjects.values())[::17]:
        assert stack_of(con, subject.arn) == subject.stack
        assert trust_of(con, subject.arn) == subject.trust


def test_seen_are_the_actions_of_the_window_that_were_not_only_denied(
    con: duckdb.DuckDBPyConnection, estate: Estate
) -> None:
    rows = con.execute(
        "select principal_arn, action from usage, windows"
        " where window_days = 90 and day >= window_start group by all having sum(calls) > sum(denied)"
    ).fetchall()
    expected: dict[str, set[str]] = {}
    for arn, action in rows:
        expected.setdefault(arn, set()).add(action)
    for subject in estate.subjects.values():
        known = {action for action in expected.get(subject.arn, ()) if estate.catalogue.number(action) is not None}
        assert set(estate.catalogue.names(subject.seen)) == known


def test_credentials_come_back_as_the_report_gave_them(estate: Estate, snapshot: Snapshot) -> None:
    users = [identity for identity in snapshot.identities if identity.credentials]
    assert users
    for identity in users:
        had, kept = identity.credentials, estate.subjects[identity.arn].credentials
        assert had is not None
        assert kept is not None
        assert (kept.password_enabled, kept.mfa_active) == (had.password_enabled, had.mfa_active)
        assert [(key.active, key.created, key.last_used) for key in kept.access_keys] == [
            (key.active, naive(key.created), naive(key.last_used)) for key in had.access_keys
        ]
    assert all(subject.credentials is None for subject in estate.subjects.values() if subject.kind == "role")


def test_the_levels_of_every_account_are_those_of_the_organisation(estate: Estate, snapshot: Snapshot) -> None:
    organization = snapshot.organization
    assert organization is not None
    assert (estate.organization_id, estate.enabled_types) == (organization.id, organization.enabled_types)
    for account in snapshot.accounts:
        assert estate.levels(account.account_id, "scp") == organization.scp_levels(account.account_id)
        assert estate.levels(account.account_id, "rcp") == organization.rcp_levels(account.account_id)
    assert estate.management_account_id == organization.management_account_id
    assert estate.levels(organization.management_account_id or "", "scp") == ()


def test_nodes_have_parents_before_children(estate: Estate) -> None:
    seen: set[str | None] = {None}
    for node in estate.nodes.values():
        assert node.parent_id in seen
        seen.add(node.node_id)
    assert {node.kind for node in estate.nodes.values()} == set(NodeKind)


def test_a_layer_that_is_switched_off_binds_nobody(estate: Estate) -> None:
    account = next(node.node_id for node in estate.nodes.values() if len(estate.levels(node.node_id, "scp")) > 1)
    off = Estate(**{**vars(estate), "enabled_types": frozenset({POLICY_TYPES["rcp"]})})
    assert off.levels(account, "scp") == ()
    assert off.levels(account, "rcp") == estate.levels(account, "rcp") != ()


def test_a_proposal_changes_reach_and_nobody_else(estate: Estate) -> None:
    subject = max(estate.subjects.values(), key=lambda one: one.reach.surely.bit_count())
    stack = PolicyStack(subject.stack.principal, identity=(policy(allow("s3:*"), deny("s3:DeleteBucket")),))
    changed = estate.changed(subject, stack=stack)
    held = estate.catalogue.expand("s3:*") & ~estate.catalogue.expand("s3:DeleteBucket")
    assert changed.reach.surely == held
    other = estate.replaced([changed])
    assert other.subjects[subject.arn] is changed
    assert all(other.subjects[arn] is one for arn, one in estate.subjects.items() if arn != subject.arn)
    assert estate.changed(subject, seen=0).reach is subject.reach


def test_a_build_of_another_catalogue_is_refused() -> None:
    con = duckdb.connect()
    con.execute("create table actions as select 0 as number, 's3:NoSuchAction' as action")
    with pytest.raises(EstateError, match=r"another action catalogue .* `python -m analytics build`"):
        read_estate(con)
    con.close()
