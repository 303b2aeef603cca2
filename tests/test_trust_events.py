"""Who became whom, and who changed which policy, on real events (tests/data/cloudtrail)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from analytics.build import build_store
from analytics.settings import Settings
from analytics.sources.convert import convert
from analytics.store import Store
from tests.sql_tables import assert_grain

REAL_EVENTS = Path(__file__).parent / "data" / "cloudtrail"
STRATUS = "arn:aws:iam::123837392027:role/stratus-red-team-"
BERT = "arn:aws:iam::123837392027:user/bert-jan"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("real")
    convert([REAL_EVENTS], folder / "events", workers=1)
    store = Store(folder / "store")
    years = Settings(window_days=6000)
    build_store([str(folder / "events")], None, store, settings=years, now=datetime(2026, 1, 1, tzinfo=UTC))
    with store.connect() as con:
        yield con


@pytest.mark.parametrize("table", ["assumed", "changes"])
def test_the_grain_holds(real: duckdb.DuckDBPyConnection, table: str) -> None:
    assert real.execute(f"select count(*) > 10 from {table}").fetchall() == [(True,)]
    assert_grain(real, table)


@pytest.mark.parametrize(
    ("became", "expected"),  # caller, account, network, calls, denied
    [
        (f"{STRATUS}get-usr-data-role", (BERT, "123837392027", "192.168.0.0/16", 4, 2)),
        (f"{STRATUS}leave-org-role", (BERT, "123837392027", "192.168.0.0/16", 3, 3)),
        (f"{STRATUS}ec2-enumerate-role", ("ec2.amazonaws.com", None, "ec2.amazonaws.com", 2, 0)),
        (
            "arn:aws:iam::444455556666:role/SAMLTestRoleShibboleth",
            ("arn:aws:iam::444455556666:saml-provider/Shibboleth", None, "192.0.0.0/16", 1, 0),
        ),
        (
            "arn:aws:iam::444455556666:role/FederatedWebIdentityRole",
            ("accounts.google.com", None, "192.0.0.0/16", 1, 0),
        ),
        (
            "arn:aws:iam::123837392027:user/stratus-red-team-nmfalu-gfjyeaypjt",
            ("console", None, "192.168.0.0/16", 1, 0),
        ),
    ],
)
def test_who_became_whom(real: duckdb.DuckDBPyConnection, became: str, expected: tuple[object, ...]) -> None:
    columns = "caller, caller_account_id, network, calls, denied"
    found = real.execute(f"select {columns} from assumed where principal_arn = $became", {"became": became})
    assert found.fetchall() == [expected]


def test_an_attack_can_be_read_from_the_changes(real: duckdb.DuckDBPyConnection) -> None:
    """Stratus Red Team backdoors a role: made, opened to another account, given a policy, removed."""
    found = real.execute(
        "select event_name, policy, summary, succeeded, actor from changes where subject = $role order by event_time",
        {"role": f"{STRATUS}backdoor-r-role"},
    ).fetchall()
    assert {actor for *_, actor in found} == {BERT}
    assert {(name, policy, succeeded) for name, policy, _, succeeded, _ in found} == {
        ("CreateRole", None, True),
        ("AttachRolePolicy", "arn:aws:iam::aws:policy/AdministratorAccess", True),
        ("UpdateAssumeRolePolicy", None, True),
        ("DeleteRole", None, True),
    }
    assert "policy AdministratorAccess attached to role stratus-red-team-backdoor-r-role" in {one[2] for one in found}


def test_a_refused_change_is_told_apart(real: duckdb.DuckDBPyConnection) -> None:
    found = real.execute(
        "select account_id, succeeded from changes where event_name = 'LeaveOrganization' order by all"
    )
    assert found.fetchall() == [("111122223333", False), ("123837392027", False)]
