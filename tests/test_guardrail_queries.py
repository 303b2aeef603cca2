"""The matrix as it is read: the cells of the table in their places, the people behind a gap, the files made of it."""

import io
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import openpyxl
import pytest

from analytics.outputs import queries
from analytics.outputs.coverage_files import column_names, matrix_table, matrix_workbook
from analytics.outputs.coverage_look import LAYER_NAMES, LOOKS, STATES, look_of
from analytics.outputs.coverage_svg import matrix_svg
from analytics.outputs.export import provenance
from analytics.outputs.queries import Filters, MatrixChoice
from analytics.outputs.views import VIEWS, ViewError, view_rows
from tests.guardrail_store import BREAK_GLASS, write_guarded_store
from tests.store_builder import DEPLOY, DORMANT, LOGS, NAMES, PROD, SANDBOX

ROOT = "r-ab12"
ALL = Filters(90)


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with write_guarded_store(tmp_path_factory.mktemp("guarded")).connect() as con:
        yield con


@pytest.fixture(scope="module")
def matrix(con):
    return queries.guardrail_matrix(con, choice=MatrixChoice(extended=True))


@pytest.fixture(scope="module")
def origin(con):
    return provenance("guardrails", queries.build_info(con), ALL)


def state(matrix, scenario, column):
    row = [one.id for one in matrix.scenarios].index(scenario)
    return STATES[matrix.states[row, column]]


def test_every_cell_of_the_table_stands_in_its_place(con, matrix):
    held = con.execute("select scenario, target, state, single_layer from coverage where layer = 'best'").fetchall()
    assert len(held) == matrix.states.size == len(matrix.scenarios) * len(matrix.targets)
    rows = {one.id: row for row, one in enumerate(matrix.scenarios)}
    columns = {one.id: column for column, one in enumerate(matrix.targets)}
    for scenario, target, said, single in held:
        at = rows[scenario], columns[target]
        assert (STATES[matrix.states[at]], matrix.single[at]) == (said, single)


def test_targets_stand_in_the_order_of_the_tree(matrix):
    assert [one.name for one in matrix.targets] == [
        "Root", "Prod", "Payments", "payments-prod", "Sandbox", "sandbox-1", "Security", NAMES[LOGS]
    ]  # fmt: skip
    assert [one.depth for one in matrix.targets] == [0, 1, 2, 3, 1, 2, 1, 2]


def test_scenarios_of_a_category_stand_together(matrix):
    categories = [one.category for one in matrix.scenarios]
    changes = sum(one != other for one, other in pairwise(categories))
    assert changes == len(set(categories)) - 1


def test_a_choice_narrows_rows_and_columns(con, matrix):
    core = queries.guardrail_matrix(con, choice=MatrixChoice())
    assert 0 < len(core.scenarios) < len(matrix.scenarios)
    assert all(one.is_core for one in core.scenarios)
    sandbox = queries.guardrail_matrix(con, choice=MatrixChoice(ou_path="Root/Sandbox", severity="critical"))
    assert [one.name for one in sandbox.targets] == ["Sandbox", "sandbox-1"]
    assert {one.severity for one in sandbox.scenarios} == {"critical"}
    alone = queries.guardrail_matrix(con, choice=MatrixChoice(account_id=PROD))
    assert [one.id for one in alone.targets] == [PROD]
    assert queries.guardrail_matrix(con, choice=MatrixChoice(ou_path="Root/Pro")).layers == ()


def test_only_open_scenarios_are_left_when_asked_for(con, matrix):
    opened = queries.guardrail_matrix(con, choice=MatrixChoice(extended=True, only_open=True))
    assert {one.id for one in opened.scenarios} == {
        one.id for one, is_open in zip(matrix.scenarios, matrix.open_rows, strict=True) if is_open
    }
    assert "LOG-01" not in {one.id for one in opened.scenarios}


def test_the_layers_of_one_target_agree_with_the_matrix_of_each_layer(con):
    of_target = queries.guardrail_matrix(con, choice=MatrixChoice(target=SANDBOX))
    assert of_target.layers == tuple(LAYER_NAMES)
    for column, layer in enumerate(of_target.layers):
        of_layer = queries.guardrail_matrix(con, choice=MatrixChoice(layer=layer))
        at = [one.id for one in of_layer.targets].index(SANDBOX)
        assert np.array_equal(of_target.states[:, column], of_layer.states[:, at])
    assert of_target.telling == [0]


def test_a_target_or_a_layer_that_does_not_exist_has_no_cells(con):
    assert queries.guardrail_matrix(con, choice=MatrixChoice(target="ou-none")).layers == ()
    assert sum(queries.guardrail_matrix(con, choice=MatrixChoice(layer="none")).counts().values()) == 0


def test_a_cell_has_its_statement_and_whom_it_spares(con):
    cells = queries.guardrail_cell(con, scenario="LOG-01", target=PROD)
    assert list(cells) == list(LAYER_NAMES)
    scp = cells["scp"]
    assert (scp.state, cells["best"].best_layer_of, scp.exemptions) == ("covered", "scp", (BREAK_GLASS,))
    (statement,) = scp.statements
    assert (statement["policy"], statement["sid"], statement["attached_to"]) == ("protect-trail", "ProtectTrail", ROOT)
    found = queries.guardrail_policy(
        con, policy=statement["policy"], policy_arn=statement["policy_arn"], attached_to=statement["attached_to"]
    )
    assert "ProtectTrail" in found.document


def test_a_policy_that_the_build_lacks_and_a_cell_that_there_is_not_are_nothing(con):
    assert queries.guardrail_policy(con, policy="none", policy_arn=None, attached_to=None) is None
    assert queries.guardrail_cell(con, scenario="NONE", target=PROD) == {}


def test_a_partial_cell_names_what_is_missing(con):
    scp = queries.guardrail_cell(con, scenario="LOG-04", target=SANDBOX)["scp"]
    assert scp.state == "partial"
    assert "guardduty:DeleteDetector" not in scp.missing_actions
    assert "guardduty:UpdateDetector" in scp.missing_actions


def test_an_identity_without_a_boundary_is_not_stopped_by_one(con):
    """Of the four roles of the account one has a boundary, and it leaves out cloudtrail and iam."""
    for scenario in ("LOG-01", "IAM-03"):
        cell = queries.guardrail_cell(con, scenario=scenario, target=PROD)["boundary"]
        assert (cell.state, cell.stopped, cell.principals) == ("partial", 1, 4)
    assert queries.guardrail_cell(con, scenario="IAM-03", target=SANDBOX)["boundary"].state == "gap"


def test_the_people_behind_a_gap_are_as_many_as_the_table_says(con):
    asked = con.execute(
        "select scenario, target, can_act, did_act, open_actions::varchar[] from coverage "
        "where layer = 'best' and state in ('gap', 'partial', 'conditional')"
    ).fetchall()
    assert asked
    for scenario, target, can_act, did_act, actions in asked:
        rows = queries.guardrail_actors(con, target=target, actions=tuple(actions))
        if can_act is None:  # about strangers or root users, whom nobody counts
            assert scenario in {"IAM-13", "ROOT-01", "ROOT-02"}, (scenario, target)
            continue
        assert (rows["can"] != "no").sum() == can_act, (scenario, target)
        if did_act is not None:
            assert (rows["calls_seen"] > 0).sum() == did_act, (scenario, target)


def test_who_did_it_comes_first_with_the_calls(con):
    rows = queries.guardrail_actors(con, target=ROOT, actions=("s3:PutBucketPolicy",))
    assert list(rows["principal_arn"])[:2] == [DEPLOY.arn, DORMANT.arn]
    assert list(rows["calls_seen"])[:2] == [5, 0]
    assert queries.guardrail_actors(con, target=SANDBOX, actions=("s3:PutBucketPolicy",)).empty


def test_the_gap_list_holds_every_open_account_with_owners(con, matrix):
    rows = queries.guardrail_gap_list(con, filters=ALL)
    accounts = [column for column, one in enumerate(matrix.targets) if one.kind == "account"]
    assert len(rows) == int(matrix.open_cells[:, accounts].sum())
    assert set(rows["state"]) <= {"gap", "partial"}
    severities = list(rows["severity"])
    assert severities == sorted(severities, key=["critical", "high", "medium"].index)
    of_iam = rows[(rows["account_id"] == PROD) & (rows["scenario"] == "IAM-03")]
    assert list(of_iam["owners"]) == ["platform"]  # who owns the deploy pipeline; the administrator has no owner


def test_views_of_guardrails_can_be_exported(con):
    rows = view_rows(con, "guardrails", ALL)
    assert len(rows) == con.execute("select count(*) from coverage").fetchone()[0]
    assert len(view_rows(con, "gaps", Filters(90, account_id=PROD))) < len(view_rows(con, "gaps", ALL))
    assert list(view_rows(con, "boundaries", ALL)["boundary"]) == ["app-boundary"]
    for view in ("boundary-ways-out", "boundary-makers", "boundary-coverage", "organisation-tree", "template-fit"):
        assert view in VIEWS
        assert len(view_rows(con, view, ALL).columns) > 5


def test_the_view_of_drift_follows_the_map_in_the_folder_of_the_store(con, tmp_path):
    for nowhere in (None, tmp_path):
        with pytest.raises(ViewError, match=r"boundary_map\.csv"):
            view_rows(con, "drift", ALL, nowhere)
    path = tmp_path / "boundary_map.csv"
    path.write_text("ou,boundary\nRoot/Prod*,arn:aws:iam::aws:policy/ReadOnlyAccess\n,none\n")
    rows = view_rows(con, "drift", ALL, tmp_path)
    assert set(rows["account_id"]) == {PROD}
    path.write_text("ou,boundery\nRoot,none\n")
    with pytest.raises(ViewError, match="boundery"):
        view_rows(con, "drift", ALL, tmp_path)


def test_the_wide_table_says_the_states_in_words(matrix):
    table = matrix_table(matrix)
    assert list(table.columns)[4:] == column_names(matrix)
    assert table.loc[table["scenario"] == "LOG-01", "Root"].tolist() == ["covered"]


def test_a_column_called_like_another_is_told_apart(con, matrix):
    twice = queries.Matrix(
        matrix.scenarios, (matrix.targets[0],) * 2, ("best",) * 2, matrix.states[:, :2], matrix.single[:, :2]
    )
    names = column_names(twice)
    assert names == [f"Root ({ROOT})"] * 2


def test_the_workbook_has_a_coloured_sheet_for_each_layer(con, matrix, origin):
    by_layer = {
        name: queries.guardrail_matrix(con, choice=MatrixChoice(layer=layer)) for layer, name in LAYER_NAMES.items()
    }
    book = openpyxl.load_workbook(io.BytesIO(matrix_workbook(by_layer, origin)))
    assert book.sheetnames == [*LAYER_NAMES.values(), "Legend", "Source"]
    sheet, found = book["SCP"], by_layer["SCP"]
    for row in range(len(found.scenarios)):
        for column in range(len(found.targets)):
            cell, look = sheet.cell(row + 2, column + 5), look_of(STATES[found.states[row, column]])
            assert cell.value == f"{look.mark} {look.word}"
            assert cell.fill.fgColor.rgb[-6:].lower() == look.fill[0][1:]
    assert {row[0].value: row[1].value for row in book["Source"].iter_rows()}["build_id"] == origin.build_id


def test_the_picture_is_read_back_cell_by_cell(matrix, origin):
    picture = ET.fromstring(matrix_svg(matrix, "Coverage <of> & all", origin))
    space = {"svg": "http://www.w3.org/2000/svg"}
    assert picture.find("svg:title", space).text == "Coverage <of> & all"
    told = [group.find("svg:title", space).text for group in picture.findall("svg:g", space)]
    expected = [look_of(STATES[one]).word for one in matrix.states.ravel()]
    assert told == [look.word for look in LOOKS] + expected
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert any(NAMES[LOGS][:20] in text for text in texts if text)
    assert not [one for one in picture.iter() if one.tag.rpartition("}")[2] in {"script", "image", "img", "a", "style"}]


def test_a_picture_holds_no_character_that_xml_does_not():
    assert "\x00" not in matrix_svg(*_hostile("a\x00b\u202ec]]>"))
    ET.fromstring(matrix_svg(*_hostile("a\x00b\u202ec]]>\ud800")))


def _hostile(name):
    target = queries.Target("1", "account", name, name, 0, is_management=False, environment=None)
    scenario = queries.Scenario(
        "X-1", name, name, name, True, (), "any", "any", "deny_always", "scp", (), (), "", ()
    )  # fmt: skip
    cells = np.zeros((1, 1), np.uint8)
    origin = type("Origin", (), {"build_id": name, "filters": name, "catalogue": name})()
    return queries.Matrix((scenario,), (target,), ("best",), cells, cells.astype(bool)), name, origin
