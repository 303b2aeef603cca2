"""The small parts of the pages: untrusted text, numbers, the grid's cells, what a browser may send back."""

import base64
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from analytics.outputs.queries import Filters, Measure
from app_pages.shared import palette, text, tiles
from app_pages.shared.matrix import EMPTY, Picked, _numbers, _picked
from app_pages.shared.privilege_grid import STYLES, Cell, amount_text, cell_levels, cell_states
from tests.store_builder import HOSTILE

NOW = datetime(2026, 11, 24, 12)  # noqa: DTZ001  UTC without a zone
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def facts(**counts):
    names = ("granted", "used", "possible", "unused", "unobserved", "used_not_granted", "calls", "unused_weight")
    return {name: np.array([[float(counts.get(name, 0))]]) for name in names}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_a_span_is_one_piece_of_code_and_nothing_else(untrusted):
    (_open, inline, _close) = MARKDOWN.parse(f"name {text.span(untrusted)} end")
    kinds = [token.type for token in inline.children]
    assert kinds == ["text", "code_inline", "text"]
    assert inline.children[1].content.strip() == text.one_line(untrusted)


def test_a_character_that_does_not_show_leaves_a_mark():
    assert text.one_line("pay\u202e\u200bments\n\x00prod") == "pay\ufffd\ufffdments \ufffdprod"


def test_the_hostile_name_is_code():
    inline = MARKDOWN.parse(text.span(HOSTILE))[1]
    assert [token.type for token in inline.children] == ["code_inline"]
    assert inline.children[0].content == HOSTILE


@given(st.text(max_size=200), st.integers(1, 60))
def test_plain_is_one_line_of_bounded_length(untrusted, length):
    shown = text.plain(untrusted, length)
    assert len(shown) <= length
    assert "\n" not in shown


@given(st.text(max_size=50))
def test_plotly_labels_hold_no_markup(untrusted):
    assert "<" not in text.plotly(untrusted)
    assert ">" not in text.plotly(untrusted)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (float("nan"), "–"), (0, "0"), (1234, "1,234"), (0.5, "0.5"), (99.44, "99.4"), (123.4, "123")],
)
def test_numbers_are_short_and_unknown_is_a_dash(value, shown):
    assert text.number(value) == shown


def test_units_and_shares():
    assert text.number(2, unit="calls") == "2 calls"
    assert text.counted(1, "file") == "1 file"
    assert text.counted(1200, "identity", "identities") == "1,200 identities"
    assert text.percent(0.457) == "45.7 %"
    assert text.percent(None) == "–"


@pytest.mark.parametrize(
    ("hours", "shown"),
    [
        (0, "less than 1 h old"), (5, "5 h old"), (47, "47 h old"), (48, "2 d old"), (960, "40 d old"),
        (-3, "less than 1 h old"),
    ],
)  # fmt: skip
def test_ages(hours, shown):
    assert text.age(NOW - timedelta(hours=hours), NOW) == shown


def test_only_identity_center_roles_have_a_short_name():
    assert text.short_name("AWSReservedSSO_AdministratorAccess_0123456789abcdef") == "SSO AdministratorAccess"
    assert text.short_name("AWSReservedSSO_x") == "AWSReservedSSO_x"


@pytest.mark.parametrize(
    ("counts", "state"),
    [
        ({"granted": 5, "unused": 5}, Cell.UNUSED),
        ({"granted": 5, "used": 1, "unused": 4}, Cell.USED),
        ({"granted": 5, "possible": 1, "unused": 4}, Cell.POSSIBLE),
        ({"granted": 5, "unobserved": 5}, Cell.UNJUDGED),
        ({"granted": 5, "used": 1, "unobserved": 3, "unused": 1}, Cell.USED_UNJUDGED),
        ({"granted": 5, "possible": 1, "unobserved": 4}, Cell.POSSIBLE_UNJUDGED),
        ({"granted": 0, "used": 1, "calls": 3}, Cell.OUTSIDE),
    ],
)
def test_a_cell_is_marked_by_what_was_seen(counts, state):
    assert cell_states(facts(**counts))[0, 0] == state


def test_without_a_snapshot_a_cell_is_used_or_perhaps_used():
    assert cell_states(facts(used=1, calls=3), usage_only=True)[0, 0] == Cell.USED
    assert cell_states(facts(possible=1, calls=3), usage_only=True)[0, 0] == Cell.POSSIBLE


def test_every_state_differs_by_more_than_its_colour():
    looks = {(style.mark, style.hatch, style.fill) for style in STYLES.values()}
    assert len(looks) == len(STYLES)
    assert len({state.mark for state in palette.STATES}) == len(palette.STATES)


def test_levels_grow_with_the_measure_and_nothing_granted_is_empty():
    assert cell_levels(facts(), Measure.WEIGHT, 10.0)[0, 0] == EMPTY
    assert cell_levels(facts(granted=4, unused=1), Measure.SHARE, 1.0)[0, 0] == 25
    assert cell_levels(facts(granted=4, unused_weight=10), Measure.WEIGHT, 10.0)[0, 0] == 100
    weights = [cell_levels(facts(granted=4, unused_weight=w), Measure.WEIGHT, 100.0)[0, 0] for w in (0, 1, 50, 100)]
    assert weights == sorted(weights)
    assert cell_levels(facts(calls=7), Measure.CALLS, 7.0)[0, 0] == 100
    assert cell_levels(facts(granted=1), Measure.CALLS, 0.0)[0, 0] == 0


def test_amounts_of_rows():
    assert amount_text(12345.6, Measure.WEIGHT) == "12,346"
    assert amount_text(0.5, Measure.SHARE) == "50.0 %"
    assert amount_text(float("nan"), Measure.WEIGHT) == "–"


@pytest.mark.parametrize(
    ("event", "picked"),
    [
        ({"row": 1, "column": 2}, Picked(1, 2)),
        ({"row": -1, "column": 2, "sort": True}, Picked(None, 2, sort=True)),
        ({"row": 1, "column": -1}, Picked(1, None)),
        ({"row": -1, "column": -1}, None),
        ({"row": 3, "column": 0}, None),
        ({"row": 0, "column": 4}, None),
        ({"row": -2, "column": 0}, None),
        ({"row": True, "column": 0}, None),
        ({"row": 1.0, "column": 0}, None),
        ({"row": "1", "column": 0}, None),
        ({}, None), ([1, 2], None), ("x", None), (None, None),
    ],
)  # fmt: skip
def test_only_positions_of_the_grid_are_taken_from_a_browser(event, picked):
    assert _picked(event, (3, 4)) == picked


def test_change_is_told_in_the_unit_of_the_tile():
    share, count = (one for one in tiles.TILES if one.label in ("Unused high-risk", "Dormant identities"))
    no_judgement = replace(count, worse_up=None)
    before, now = (
        {"unused_weight": 50.0, "granted_weight": 100.0, "dormant": 4.0},
        {"unused_weight": 45.0, "granted_weight": 100.0, "dormant": 1_004.0},
    )
    assert tiles._change(share, [before, now]) == "-5.0 points"
    assert tiles._change(count, [before, now]) == "+1,000"
    assert tiles._change(count, [now]) == "first build"
    assert tiles._change(count, [now, now]) == "no change"
    assert tiles._change(share, [{}, now]) == "no earlier figure"
    assert tiles._colour(count, "+1,000") == "inverse"
    assert tiles._colour(count, "no change") == "off"
    assert tiles._colour(no_judgement, "+3") == "off"


def test_a_change_names_the_last_day_that_it_is_since_and_the_hour_where_that_day_is_the_same():
    first, later = pd.Timestamp("2026-11-10"), pd.Timestamp("2026-11-17")
    morning, noon = pd.Timestamp("2026-11-17 08:00"), pd.Timestamp("2026-11-17 12:00")
    assert tiles._since([(first, morning), (later, noon)]) == "since 10 Nov"
    assert tiles._since([(later, morning), (later, noon)]) == "since 08:00 UTC"
    assert tiles._since([(first - timedelta(days=365), morning), (later, noon)]) == "since 10 Nov 2025"
    assert tiles._since([(later, noon)]) is None


def test_a_filter_longer_than_a_name_can_be_is_cut():
    assert len(str(Filters(90, search="x" * 500).params["search"])) == 80


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ([0, 255], "u1"),
        ([0, 256], "<u2"),
        ([65536], "<f4"),
        ([1.5], "<f4"),
        ([-1], "<f4"),
        ([float("nan")], "<f4"),
        ([], "u1"),
    ],
)
def test_numbers_reach_the_grid_as_they_are_in_the_least_type(numbers, kind):
    sent = _numbers(np.array(numbers, dtype=float))
    assert sent["kind"] == kind
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(sent["values"]), dtype=kind), numbers)
