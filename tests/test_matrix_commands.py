"""`matrix` and `draft` on a store that the real pipeline made: what they print, keep and refuse."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from analytics.build import build_store
from analytics.cli import app, main
from analytics.settings import read_settings
from analytics.store import Store
from tests.store_builder import PROD, write_store

ROOT = "r-ab12"
CELL = {
    "scenario", "severity", "target", "target_kind", "layer", "state", "statements", "missing_actions", "exemptions",
    "can_act", "did_act",
}  # fmt: skip  # of the contract; more may come


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_store(tmp_path_factory.mktemp("matrix")).folder


def run(folder: Path, *words: str) -> Any:
    return CliRunner().invoke(app, [*words, "--store", str(folder)])


def printed(folder: Path, *words: str) -> dict[str, Any]:
    found = run(folder, *words, "--json")
    assert found.exit_code == 0, found.output
    document: dict[str, Any] = json.loads(found.stdout)
    return document


def root_of(folder: Path) -> str:
    with Store(folder).connect() as con:
        return str(con.execute("select node_id from nodes where kind = 'root'").fetchall()[0][0])


def test_the_matrix_has_five_cells_for_each_core_scenario_and_target(folder: Path):
    cells = printed(folder, "matrix", "--target", root_of(folder))["cells"]
    assert len(cells) == 40 * 5
    assert set(cells[0]) >= CELL
    assert len(printed(folder, "matrix", "--target", root_of(folder), "--extended")["cells"]) == 55 * 5


def test_filters_leave_the_cells_that_they_name(folder: Path):
    cells = printed(folder, "matrix", "--scenario", "LOG-01", "--layer", "scp")["cells"]
    assert {(cell["scenario"], cell["layer"]) for cell in cells} == {("LOG-01", "scp")}
    open_ones = printed(folder, "matrix", "--gaps")["cells"]
    assert {cell["state"] for cell in open_ones} <= {"gap", "partial", "unknown"}


def test_an_identity_is_a_target_too(folder: Path):
    with Store(folder).connect() as con:
        arn = con.execute("select min(principal_arn) from principals where in_snapshot and kind = 'role'").fetchall()
    cells = printed(folder, "matrix", "--target", arn[0][0], "--scenario", "LOG-01")["cells"]
    assert [(cell["layer"], cell["target_kind"]) for cell in cells] == [
        (layer, "role") for layer in ("scp", "rcp", "boundary", "identity", "best")
    ]


def test_csv_has_the_cells_and_a_person_gets_a_table(folder: Path):
    found = run(folder, "matrix", "--scenario", "LOG-01", "--csv")
    assert {row["scenario"] for row in csv.DictReader(io.StringIO(found.stdout))} == {"LOG-01"}
    assert "LOG-01" in run(folder, "matrix", "--scenario", "LOG-01").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("matrix", "--target", "ou-none"), "there is no target `ou-none` in the build"),
        (("matrix", "--target", f"arn:aws:iam::{PROD}:role/none"), "there is no target"),
        (("matrix", "--scenario", "X-1"), "there is no scenario `X-1`"),
        (("matrix", "--layer", "vpc"), "`vpc` is not a layer"),
        (("matrix", "--with", "none"), "there is no draft `none`"),
        (("draft", "--scenario", "X-1", "--target", ROOT), "there is no scenario `X-1`"),
    ],
)
def test_what_there_is_not_is_said_in_one_sentence(
    folder: Path, words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("sys.argv", ["headroom", *words, "--store", str(folder)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert said in capsys.readouterr().err


def test_a_draft_closes_its_cell_is_kept_and_every_build_tells_what_it_would_do(tmp_path: Path):
    folder = write_store(tmp_path).folder
    root = root_of(folder)
    gap = next(
        cell["scenario"]
        for cell in printed(folder, "matrix", "--target", root, "--layer", "scp", "--gaps")["cells"]
        if cell["state"] == "gap"
    )
    made = printed(folder, "draft", "--scenario", gap, "--target", root, "--name", "kept")
    assert made["effect"]["calls_broken"] is None
    assert [change["after"] for change in made["effect"]["drafted"]] in (["covered"], ["conditional"])
    changed = [
        cell for cell in printed(folder, "matrix", "--with", "kept", "--target", root)["cells"] if cell["changed"]
    ]
    assert {(cell["scenario"], cell["layer"], cell["before"]) for cell in changed} >= {(gap, "scp", "gap")}
    store = Store(folder)
    (folder / "drafts" / "broken.json").write_text("{", "utf-8")
    snapshot = next(tmp_path.rglob("organization.json"), None)
    assert snapshot is not None, "the snapshot of the store"
    events = [str(path) for path in tmp_path.rglob("*.parquet")]
    now = datetime(2026, 11, 23, 7, tzinfo=UTC)
    build_store(events, snapshot.parent, store, settings=read_settings(folder), now=now)
    with store.connect() as con:
        rows = con.execute(
            "select name, evaluated, cells_open, calls_broken, problem is null from draft_effects order by file"
        ).fetchall()
    assert rows == [(None, False, None, None, False), ("kept", True, 0, None, True)]


def test_a_draft_prints_the_policy_alone(folder: Path):
    found = run(folder, "draft", "--scenario", "LOG-10", "--target", root_of(folder), "--format", "terraform")
    assert found.exit_code == 0, found.output
    assert 'resource "aws_organizations_policy"' in found.stdout
    assert "Calls broken: not proven yet." in found.stderr
    assert run(folder, "draft", "--scenario", "LOG-10", "--target", root_of(folder), "--format", "x").exit_code == 2


def test_a_teams_file_that_cannot_be_used_stops_no_build_and_is_told_once(tmp_path: Path):
    folder = write_store(tmp_path).folder
    (folder / "guardrails.yaml").write_text("scenarios: 1", "utf-8")
    events = str(tmp_path / "input" / "events")
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)
    build_store([events], tmp_path / "input" / "snapshot", Store(folder), settings=read_settings(folder), now=now)
    with Store(folder).connect() as con:
        told = con.execute("select reason from problems where subject = 'guardrails.yaml'").fetchall()
        scenarios = con.execute("select count(*) from scenarios").fetchall()
    assert len(told) == 1
    assert "needs a list `scenarios`" in told[0][0]
    assert scenarios == [(55,)]
