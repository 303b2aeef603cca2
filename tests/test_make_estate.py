"""The large snapshot of the figures: readable, the same every time, of the event generator's principals."""

import filecmp

import pytest

from analytics.sources.snapshot import read_snapshot
from tests.bench.gen_cloudtrail import World
from tests.bench.make_estate import Estate, write

SMALL = Estate(accounts=7, roles=120, policies=45, levels=5, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("estate")
    write(SMALL, path)
    return path


@pytest.fixture(scope="module")
def snapshot(folder):
    return read_snapshot(folder)


def test_it_reads_without_a_problem(snapshot):
    assert snapshot.problems == ()
    assert not any(identity.not_collected or identity.boundary_not_collected for identity in snapshot.identities)


def test_its_roles_and_users_are_those_of_the_event_generator(snapshot):
    world = World.build(3, 7, 120)
    events_of = {arn for arn, kind in zip(world.arn.to_pylist(), world.kind.tolist(), strict=True) if kind in (0, 1)}
    assert {identity.arn for identity in snapshot.identities} == events_of
    assert sum(":role/" in arn for arn in events_of) == 120


def test_it_has_as_many_customer_policies_as_asked_for(folder):
    arns = set()
    for path in folder.glob("accounts/*/authorization-details.json"):
        arns |= {part.split('"')[0] for part in path.read_text().split('"PolicyId":"ANPA')[1:]}
    assert len(arns) == 45


def test_five_levels_of_scps_bind_every_member_account(snapshot):
    depths = {len(snapshot.stack_of(identity).scp_levels) for identity in snapshot.identities}
    assert depths <= {0, 5}
    assert [account.account_id for account in snapshot.accounts if account.is_management] == [SMALL.management]
    bound = [identity for identity in snapshot.identities if snapshot.stack_of(identity).scp_levels]
    assert {identity.account_id for identity in bound} == set(SMALL.account_ids) - {SMALL.management}


def test_some_roles_have_a_boundary(snapshot):
    assert 0 < sum(identity.boundary is not None for identity in snapshot.identities) < 60


def test_the_same_arguments_write_the_same_files(folder, tmp_path):
    write(Estate(accounts=7, roles=120, policies=45, levels=5, seed=3), tmp_path)
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*.json")]
    assert filecmp.cmpfiles(folder, tmp_path, names, shallow=False) == (names, [], [])
