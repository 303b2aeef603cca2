"""Every SQL file of a build says its grain, keeps it on a real build, and has a test of rows in and rows out."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from analytics.sql import read_sql
from tests.sql_tables import GRAIN, NO_KEY, OF_LOAD, assert_grain
from tests.store_builder import write_store

TESTS = Path(__file__).parent
SQL = sorted(path.stem for path in (TESTS.parent / "analytics" / "sql").glob("*.sql"))
NOT_A_TABLE = {"principal_ref", "network_of", "work_tables"}  # macros, and the table that another file fills
TEMPORARY = {"call_day", "granted_service", "seen_action", "seen_fact", "source_file", *OF_LOAD}
NEEDS_REAL_EVENTS = {"assumed", "changes"}  # tests/test_trust_events.py
TESTED = re.compile(r'(?:outcome\(\s*(?:con|connection),\s*|read_sql\()"(\w+)"')


@pytest.mark.parametrize("name", SQL)
def test_the_first_line_says_name_and_grain(name: str) -> None:
    first = read_sql(name).splitlines()[0]
    assert re.match(rf"-- (?:\w+, )*{name}\b.*    grain: \S", first) or name == "work_tables", first
    assert "    grain: " in first


@pytest.mark.parametrize("name", [name for name in SQL if name not in {*NOT_A_TABLE, *OF_LOAD}])
def test_the_file_writes_the_table_of_its_name(name: str) -> None:
    written = rf"^(?:create table|create or replace temp table|insert into) {name}\b"
    assert re.search(written, read_sql(name), re.MULTILINE)


def test_every_file_is_tested_with_rows() -> None:
    texts = [path.read_text("utf-8") for path in TESTS.glob("test_sql_*.py")]
    tested = {name for text in texts for name in TESTED.findall(text)}
    by_parameter = {name for text in texts for name in re.findall(r'^    "(\w+)": \{', text, re.MULTILINE)}
    lists = {
        name
        for text in texts
        for found in re.findall(r'\("table", \[(.*?)\]', text)
        for name in re.findall(r"\w+", found)
    }
    assert set(SQL) - tested - by_parameter - lists == set()


def test_every_table_has_a_grain_in_the_tests() -> None:
    assert set(SQL) - NOT_A_TABLE == set(GRAIN) | NO_KEY


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    store = write_store(tmp_path_factory.mktemp("grain"))
    with store.connect() as connection:
        yield connection


@pytest.mark.parametrize("table", sorted(set(GRAIN) - TEMPORARY - NEEDS_REAL_EVENTS))
def test_the_grain_holds_on_a_real_build(real: duckdb.DuckDBPyConnection, table: str) -> None:
    assert real.execute(f"select count(*) > 0 from {table}").fetchall() == [(True,)]
    assert_grain(real, table)
