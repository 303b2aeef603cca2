"""The remediation list as files: formatted sheets, findings of Security Hub, Markdown; hostile names stay names."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from analytics.cli import app
from analytics.findings.lowering.values import ChangeKind
from analytics.findings.remediation.values import Kind
from analytics.outputs.export import Format, export, provenance
from analytics.outputs.export_asff import asff, limits
from analytics.outputs.export_text import RUNS_AS_FORMULA
from analytics.outputs.export_words import KIND_TITLES
from analytics.outputs.export_xlsx import console_link
from analytics.outputs.queries import Filters, build_info
from analytics.outputs.views import view_rows
from tests.store_builder import HOSTILE, PROD, SANDBOX, write_store

if TYPE_CHECKING:
    from analytics.outputs.export import Provenance
    from analytics.store import Store

PRODUCT = f"arn:aws:securityhub:eu-west-1:{PROD}:product/{PROD}/default"
pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported")  # openpyxl knows no data bars


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return write_store(tmp_path_factory.mktemp("export"))


@pytest.fixture(scope="module")
def view(store: Store) -> Iterator[tuple[pd.DataFrame, Provenance, Any]]:
    with store.connect() as con:
        build = build_info(con)
        filters = Filters(build.window_days)
        yield view_rows(con, "remediation", filters), provenance("remediation", build, filters), build


def book(view: tuple[pd.DataFrame, Provenance, Any]) -> openpyxl.Workbook:
    rows, origin, _build = view
    return openpyxl.load_workbook(io.BytesIO(export(rows, Format.XLSX, origin)))


def test_the_list_holds_a_hostile_name_to_begin_with(view: tuple[pd.DataFrame, Provenance, Any]) -> None:
    rows, _, _ = view
    assert rows["name"].eq(HOSTILE).any()
    assert rows["owner"].eq("=1+1").any()
    assert len(rows) > 3


def test_a_sheet_is_read_without_work(view: tuple[pd.DataFrame, Provenance, Any]) -> None:
    rows, _, _ = view
    sheet = book(view)["remediation"]
    title = list(rows.columns).index("title")
    assert sheet.freeze_panes == f"{openpyxl.utils.get_column_letter(title + 2)}2"
    assert sheet.auto_filter.ref == f"A1:{openpyxl.utils.get_column_letter(len(rows.columns))}{len(rows) + 1}"
    widths = [sheet.column_dimensions[cell.column_letter].width for cell in sheet[1]]
    assert max(widths) <= 61  # Excel adds a little to the 60 that we ask for
    assert len(set(widths)) > 5
    assert sheet["A1"].font.bold
    points = sheet.cell(2, list(rows.columns).index("score_before") + 1)
    assert points.number_format == "0.0"


@pytest.mark.parametrize("kinds", [Kind, ChangeKind])
def test_every_kind_has_words_of_its_own(kinds: type[Kind | ChangeKind]) -> None:
    said = [kind.words for kind in kinds]
    assert len(set(said)) == len(said)
    assert all("-" not in words or words == "Right-size" for words in said)


def test_people_read_words_for_kinds_and_machines_their_ids(view: tuple[pd.DataFrame, Provenance, Any]) -> None:
    rows, origin, _build = view
    ids, words = set(rows["kind"]), {KIND_TITLES[kind] for kind in rows["kind"]}
    sheet = book(view)["remediation"]
    at = [cell.value for cell in sheet[1]].index("kind") + 1
    assert {sheet.cell(row, at).value for row in range(2, sheet.max_row + 1)} == words
    assert not words & ids
    written = export(rows, Format.MARKDOWN, origin).decode()
    table = [line.split(" | ") for line in written.splitlines() if line.startswith("| ")]
    assert {line[2].replace("\\", "") for line in table[2:]} == words
    document = json.loads(export(rows, Format.JSON, origin))
    assert {row["kind"] for row in document["rows"]} == ids
    assert pq.read_table(io.BytesIO(export(rows, Format.PARQUET, origin)))["kind"].unique().to_pylist() == list(
        rows["kind"].unique()
    )


def test_what_narrows_a_file_beside_the_filter_bar_is_told_in_it(view: tuple[pd.DataFrame, Provenance, Any]) -> None:
    _rows, _origin, build = view
    assert provenance("identities", build, Filters(90), only=["dormant"]).filters == "only dormant"
    both = provenance("remediation", build, Filters(90, search="x"), only=["add-mfa", None])
    assert both.filters == "search = x; only add-mfa"


def test_scores_are_coloured_by_band_and_removal_is_a_bar(view: tuple[pd.DataFrame, Provenance, Any]) -> None:
    rows, _, _ = view
    sheet = book(view)["remediation"]
    rules = {}
    for where in sheet.conditional_formatting:
        column = re.match(r"[A-Z]+", str(where.sqref))
        assert column is not None
        rules[column[0]] = [rule.type for rule in where.rules]
    letter = {name: openpyxl.utils.get_column_letter(at + 1) for at, name in enumerate(rows.columns)}
    assert rules[letter["band"]].count("cellIs") == 4
    for name in ("score_before", "score_after"):
        assert rules[letter[name]].count("cellIs") == 4
        assert "containsBlanks" in rules[letter[name]]
    for name in ("risk_removed", "priority"):
        assert rules[letter[name]] == ["dataBar"]


def test_arns_are_links_to_the_console_and_nothing_else_is_one(view: tuple[pd.DataFrame, Provenance, Any]) -> None:
    rows, _, _ = view
    sheet = book(view)["remediation"]
    at = list(rows.columns).index("principal_arn") + 1
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            assert cell.data_type != "f"
            if cell.hyperlink is None:
                continue
            assert cell.column == at
            target = cell.hyperlink.target or ""
            assert target.startswith("https://console.aws.amazon.com/iam/home")
            assert not set(f"{target}{cell.hyperlink.location or ''}") & set("<>\"' `")
    assert sum(row[at - 1].hyperlink is not None for row in sheet.iter_rows(min_row=2)) == rows["principal_arn"].count()


@pytest.mark.parametrize(
    ("arn", "link"),
    [
        ("arn:aws:iam::111122223333:role/a/b", "https://console.aws.amazon.com/iam/home#/roles/details/b"),
        ("arn:aws:iam::111122223333:user/x y&z", "https://console.aws.amazon.com/iam/home#/users/details/x%20y%26z"),
        ("arn:aws-cn:iam::111122223333:role/b", "https://console.amazonaws.cn/iam/home#/roles/details/b"),
        ("arn:aws:iam::111122223333:root", None),
        ("arn:evil:iam::111122223333:role/b", None),
        ("javascript:alert(1)", None),
    ],
)
def test_a_link_is_made_of_parts_that_we_know(arn: str, link: str | None) -> None:
    assert console_link(arn) == link


def test_the_source_sheet_and_the_parquet_metadata_say_where_it_comes_from(
    view: tuple[pd.DataFrame, Provenance, Any],
) -> None:
    rows, origin, _ = view
    told = {what.value: value.value for what, value in book(view)["Source"].iter_rows(min_row=2)}
    assert told == origin.document()
    metadata = pq.read_schema(io.BytesIO(export(rows, Format.PARQUET, origin))).metadata
    assert json.loads(metadata[b"headroom"]) == origin.document()


def test_no_cell_of_the_csv_runs(view: tuple[pd.DataFrame, Provenance, Any]) -> None:
    rows, origin, _ = view
    pattern = re.compile(RUNS_AS_FORMULA.replace(r"\x{a0}\x{200b}\x{feff}", "\u00a0\u200b\ufeff"))
    found = pd.read_csv(io.BytesIO(export(rows, Format.CSV, origin)), dtype=str, keep_default_na=False)
    for name in found.columns:
        if not pd.api.types.is_numeric_dtype(rows.get(name, pd.Series(dtype=str))):
            assert not any(pattern.match(text) for text in found[name]), name


def test_a_text_too_long_for_a_cell_says_so_in_its_place(view: tuple[pd.DataFrame, Provenance, Any]) -> None:
    rows, origin, build = view
    long = rows.assign(commands="x" * 40_000)
    sheet = book((long, origin, build))["remediation"]
    at = list(rows.columns).index("commands") + 1
    assert sheet.cell(2, at).value == "40,000 characters, more than a cell holds: take JSON, Markdown or Parquet."


# --- Markdown


def test_markdown_shows_every_name_as_text_and_scripts_as_code(view: tuple[pd.DataFrame, Provenance, Any]) -> None:
    rows, origin, _ = view
    text = export(rows, Format.MARKDOWN, origin).decode()
    tokens = MarkdownIt("commonmark", {"linkify": False}).enable("table").parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inline} <= {"text", "text_special", "softbreak"}
    assert not any(token.type == "html_block" for token in tokens)
    cells = ["".join(child.content for child in token.children or ()) for token in tokens if token.type == "inline"]
    assert HOSTILE in cells
    fences = [token for token in tokens if token.type == "fence"]
    assert {token.info for token in fences} <= {"sh", "json"}
    scripts = [token.content.rstrip("\n") for token in fences if token.info == "sh"]
    assert scripts == [one for one in rows["commands"] if one]


# --- Security Hub


def requests(view: tuple[pd.DataFrame, Provenance, Any], rows: pd.DataFrame | None = None) -> list[dict[str, Any]]:
    known, origin, build = view
    return json.loads(asff(known if rows is None else rows, origin, product_arn=PRODUCT, made_at=build.created_at))


def test_every_finding_has_the_required_fields_within_the_limits(view: tuple[pd.DataFrame, Provenance, Any]) -> None:
    facts = limits()
    findings = [one for request in requests(view) for one in request["Findings"]]
    assert len(findings) == len(view[0])
    assert len({one["Id"] for one in findings}) == len(findings)
    for one in findings:
        assert set(facts["required"]) <= set(one)
        assert one["SchemaVersion"] == "2018-10-08"
        assert re.fullmatch(r"[0-9]{12}", one["AwsAccountId"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["CreatedAt"])
        assert one["Severity"]["Label"] in {"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"}
        assert set(facts["provider_fields"]) <= set(one["FindingProviderFields"])
        assert all(len(part.split("/")) <= 3 for part in one["Types"])
        for name in ("Title", "Description", "GeneratorId", "Id", "ProductArn"):
            assert 0 < len(one[name].strip()) <= facts["characters"][name]
        assert 0 < len(one["Remediation"]["Recommendation"]["Text"]) <= 512
        assert len(one["ProductFields"]) <= facts["counts"]["ProductFields"]
        for key, value in one["ProductFields"].items():
            assert len(key) <= facts["characters"]["ProductFields.key"]
            assert 0 < len(value) <= facts["characters"]["ProductFields.value"]
        for resource in one["Resources"]:
            is_target = "headroom/target" in one["ProductFields"]
            assert resource["Type"] in ({"Other"} if is_target else {"AwsIamRole", "AwsIamUser"})
            assert set(resource["Details"]) == {resource["Type"]}
            assert 0 < len(resource["Id"]) <= facts["characters"]["Resources.Id"]
        assert len(json.dumps(one)) <= facts["batch"]["finding_bytes"]


def test_batches_are_no_larger_than_security_hub_takes(view: tuple[pd.DataFrame, Provenance, Any]) -> None:
    rows, _, _ = view
    many = pd.concat([rows] * (250 // len(rows) + 1), ignore_index=True)
    found = requests(view, many)
    assert len(found) > 2
    assert sum(len(one["Findings"]) for one in found) == len(many)
    for request in found:
        assert len(request["Findings"]) <= 100
        assert len({one["AwsAccountId"] for one in request["Findings"]}) == 1


def test_a_finding_carries_the_numbers_of_the_list(view: tuple[pd.DataFrame, Provenance, Any]) -> None:
    rows, _, _ = view
    findings = {one["Id"]: one for request in requests(view) for one in request["Findings"]}
    for row in rows.to_dict("records"):
        fields = findings[f"headroom/{row['item_id']}"]["ProductFields"]
        removed = "not known" if pd.isna(row["risk_removed"]) else f"{row['risk_removed']:.1f}"
        assert fields["headroom/risk_removed"] == removed
        expected = "not proven" if pd.isna(row["calls_broken"]) else str(row["calls_broken"])
        assert fields["headroom/calls_broken"] == expected


def test_an_item_about_a_target_names_it_as_its_resource(view: tuple[pd.DataFrame, Provenance, Any]) -> None:
    rows, _, _ = view
    about = rows[rows["target"].notna()]
    assert len(about) > 1
    findings = {one["Id"]: one for request in requests(view) for one in request["Findings"]}
    for row in about.to_dict("records"):
        found = findings[f"headroom/{row['item_id']}"]
        (resource,) = found["Resources"]
        assert (resource["Type"], resource["Id"]) == ("Other", row["target"])
        assert resource["Details"]["Other"] == {"kind": row["target_kind"], "name": row["name"]}
        assert "Original" not in found["Severity"]  # a target has no score


# --- the command


def run(store: Store, *words: str) -> Any:
    return CliRunner().invoke(app, ["export", *words, "--store", str(store.folder)])


@pytest.mark.parametrize("ending", ["csv", "xlsx", "json", "parquet", "md"])
def test_the_files_ending_says_the_format(store: Store, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"list.{ending}"
    done = run(store, "remediation", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert out.stat().st_size > 500
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_filters_of_the_pages_narrow_the_file(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "list.json"
    assert run(store, "remediation", "--out", str(out), "--account", SANDBOX).exit_code == 0
    document = json.loads(out.read_text("utf-8"))
    assert {row["account_id"] for row in document["rows"]} == {SANDBOX}
    assert SANDBOX in document["provenance"]["filters"]


def test_security_hub_findings_need_a_product(store: Store, tmp_path: Path) -> None:
    out = str(tmp_path / "findings.json")
    assert run(store, "remediation", "--format", "asff", "--out", out, "--product-arn", PRODUCT).exit_code == 0
    missing = run(store, "remediation", "--format", "asff", "--out", out)
    assert (missing.exit_code, "needs `--product-arn`" in missing.stderr) == (2, True)
    wrong = run(store, "identities", "--format", "asff", "--out", out, "--product-arn", PRODUCT)
    assert (wrong.exit_code, "is for view `remediation`" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["remediation"], "`--out` is missing"),
        (["remediation", "--out", "x.pdf"], "`x.pdf` ends with none of the formats"),
        (["remediation", "--out", "x.csv", "--window", "7"], "`--window 7` is not a window of this build"),
    ],
)
def test_bad_usage_is_one_sentence(store: Store, words: list[str], reason: str) -> None:
    done = run(store, *words)
    assert done.exit_code == 2
    assert reason in done.stderr


def test_all_views_are_listed(store: Store) -> None:
    assert "remediation" in run(store, "list").stdout
