"""data/reference: every file is described, with the columns and the number of rows that it really has."""

import csv
import json
import re
from pathlib import Path

import pytest
import yaml

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
README = (REFERENCE / "README.md").read_text(encoding="utf-8")
FILES = sorted(path.name for path in REFERENCE.iterdir() if path.name != "README.md")
TABLES = [name for name in FILES if name.endswith(".csv")]


def rows(name):
    with (REFERENCE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def described(name):
    """The cells of the file's row in the README."""
    line = re.search(rf"^\| `{re.escape(name)}` \|(.*)\|$", README, re.MULTILINE)
    assert line, f"{name} has no row in data/reference/README.md"
    return [cell.strip() for cell in line[1].split("|")]


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_described(name):
    assert described(name)


@pytest.mark.parametrize("name", TABLES)
def test_the_description_has_the_columns_and_the_rows(name):
    count, text = described(name)
    table = rows(name)
    assert int(count.replace(",", "")) == len(table)
    assert [column for column in table[0] if f"`{column}`" not in text] == []


@pytest.mark.parametrize("name", TABLES)
def test_no_row_stands_twice(name):
    keys = {
        "non_iam_events.csv": ("event_source", "event_name", "event_type"),
        "event_exceptions.csv": ("event_source", "event_name"),
        "policy_events.csv": ("event_source", "event_name"),
        "protected_resources.csv": ("action", "resource_part"),
    }.get(name, (next(iter(rows(name)[0])),))
    found = [tuple(row[key] for key in keys) for row in rows(name)]
    assert [key for key in found if found.count(key) > 1] == [] if len(found) < 1000 else len(found) == len(set(found))


def test_every_change_of_a_policy_says_what_it_changed():
    kinds = {"role", "user", "group", "policy", "provider", "account", "node", "control_policy", "permission_set"}
    for row in rows("policy_events.csv"):
        assert row["subject_kind"] in kinds | {"organization"}, row
        if row["changes"] != "session":
            told = set(re.findall(r"\{(\w+)\}", row["summary"]))
            assert row["summary"], row
            assert told <= {"subject", "policy", "versionId"}, row
            assert row["subject_key"] or "subject" not in told, row
            assert row["policy_key"] or "policy" not in told, row


def test_the_figures_of_the_other_files_are_right():
    events = json.loads((REFERENCE / "event_map.json").read_text(encoding="utf-8"))["events"]
    names = sum(len(entry) for entry in events.values())
    assert described("event_map.json")[0] == f"{names:,} names of {len(events)} sources"
    paths = yaml.safe_load((REFERENCE / "escalation_paths.yaml").read_text(encoding="utf-8"))["paths"]
    scenarios = yaml.safe_load((REFERENCE / "guardrail_scenarios.yaml").read_text(encoding="utf-8"))["scenarios"]
    assert described("escalation_paths.yaml")[0] == str(len(paths))
    assert described("guardrail_scenarios.yaml")[0] == str(len(scenarios))


def test_the_classes_of_visibility_are_counted_right():
    counts: dict[str, int] = {}
    for row in rows("action_visibility.csv"):
        counts[row["visibility"]] = counts.get(row["visibility"], 0) + 1
    for visibility, count in counts.items():
        assert described(visibility)[0] == f"{count:,}"
