"""The guardrail matrix as a picture for slides: one SVG, no script, no font or image from elsewhere.

Names are untrusted: every text is escaped, and what cannot stand in XML is replaced. INVARIANT: one rectangle per cell,
with the state as its title, so that the picture can be read back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from analytics.outputs.coverage_files import column_names
from analytics.outputs.coverage_look import LOOKS, STATES, category_name, look_of
from analytics.outputs.queries.guardrail_values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.outputs.export_values import Provenance
    from analytics.outputs.queries.guardrail_values import Matrix

CELL, ROW, HEAD, NAMES, MARGIN, GROUP = 20, 18, 132, 420, 16, 22  # pixels
LONGEST, TITLE = 24, 56  # characters of a column's name, and of a scenario
INK, QUIET, LINE, PAPER = "#1b2433", "#5b6675", "#dde3ea", "#ffffff"
XMLNS = "http://www.w3.org/2000/svg"
LOOK = f"""font-family="Inter, 'Segoe UI', Arial, sans-serif" font-size="12" fill="{INK}" role="img\""""
# Characters that XML 1.0 does not hold, and those that show nothing or turn the direction of what follows.
_UNFIT = re.compile(
    "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def matrix_svg(matrix: Matrix, title: str, origin: Provenance) -> str:
    """The picture, on white, at its natural size."""
    columns = column_names(matrix)
    groups = list(dict.fromkeys(one.category for one in matrix.scenarios))
    cell = 96 if len(set(matrix.layers)) > 1 else CELL
    width = max(2 * MARGIN + NAMES + cell * len(columns) + 90, 900)
    top = MARGIN + 66 + HEAD
    height = top + ROW * len(matrix.scenarios) + GROUP * len(groups) + MARGIN + 18
    said = [
        f'<svg xmlns="{XMLNS}" width="{width}" height="{height}" viewBox="0 0 {width} {height}" {LOOK}>',
        f"<title>{_text(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        _words(MARGIN, MARGIN + 16, title, size=18, weight=650),
        *_legend(MARGIN + 30),
        *_heads(columns, top, cell),
        *_rows(matrix, top, cell, width),
        _words(MARGIN, height - MARGIN, _source(origin), size=10, fill=QUIET),
        "</svg>",
    ]
    return "\n".join(said) + "\n"


def _legend(y: int) -> Iterator[str]:
    x = MARGIN
    for look in LOOKS:
        yield _cell(x, y, 18, 14, look.state)
        yield _words(x + 24, y + 11, look.word, size=11)
        x += 36 + 7 * len(look.word)


def _heads(columns: list[str], top: int, cell: int) -> Iterator[str]:
    for column, name in enumerate(columns):
        x = MARGIN + NAMES + column * cell
        shown = _cut(name, LONGEST)
        turn = "" if cell > CELL else f' transform="rotate(-60 {x + cell / 2} {top - 6})"'
        left = x + (4 if cell > CELL else cell / 2)
        yield f'<text x="{left}" y="{top - 6}" font-size="11"{turn}>{_text(shown)}</text>'


def _rows(matrix: Matrix, top: int, cell: int, width: int) -> Iterator[str]:
    y, category = top, None
    for row, one in enumerate(matrix.scenarios):
        if one.category != category:
            category = one.category
            yield f'<path d="M{MARGIN} {y + 2}H{width - MARGIN}" stroke="{LINE}"/>'
            yield _words(MARGIN, y + 16, category_name(category), weight=650)
            y += GROUP
        yield _words(MARGIN, y + 13, _cut(f"{one.id}  {one.title}", TITLE))
        yield _words(MARGIN + NAMES - 66, y + 13, one.severity, fill=QUIET)
        for column, state in enumerate(matrix.states[row]):
            if state != ABSENT:
                yield _cell(MARGIN + NAMES + column * cell, y, cell - 1, ROW - 1, STATES[state], wide=cell > CELL)
        y += ROW


def _cell(x: int, y: int, width: int, height: int, state: str, *, wide: bool = False) -> str:
    look = look_of(state)
    words = f"{look.mark} {look.word}" if wide else look.mark
    return (
        f'<g><title>{look.word}</title><rect x="{x}" y="{y}" width="{width}" height="{height}" rx="2" '
        f'fill="{look.fill[0]}"/><text x="{x + width / 2}" y="{y + height / 2 + 4}" font-size="11" '
        f'text-anchor="middle" fill="{look.ink[0]}">{words}</text></g>'
    )


def _words(x: int, y: int, text: str, *, size: int = 12, weight: int = 400, fill: str = INK) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{fill}">{_text(text)}</text>'


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _source(origin: Provenance) -> str:
    return f"Headroom, build {origin.build_id}, {origin.filters}; action catalogue {origin.catalogue}"


def _text(untrusted: str) -> str:
    return escape(_UNFIT.sub("\ufffd", untrusted))
