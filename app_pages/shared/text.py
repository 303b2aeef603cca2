"""Text for people: untrusted names, numbers with their unit, times in UTC.

Names, tags and policy texts come from AWS accounts and may hold anything. Streamlit reads labels as Markdown, so
every such text passes through `span` (a code span, in which Markdown means nothing) or goes to an element that
reads no Markdown: `st.text`, `st.code`, `st.dataframe`, the canvas grid.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime


# Characters that show nothing, or turn the direction of what follows: a name must not pass for another one.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def one_line(untrusted: object) -> str:
    """The text in one line, with a mark where a character would not show."""
    return _UNSEEN.sub("\ufffd", " ".join(str(untrusted).split()))


def span(untrusted: object) -> str:
    """Markdown that shows the text as it is: a code span longer than any run of backticks inside."""
    text = one_line(untrusted) or " "
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}"


def plain(untrusted: object, length: int = 80) -> str:
    """One line of at most so many characters, for places without Markdown."""
    text = one_line(untrusted)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def quoted(sentence: object, length: int = 300) -> str:
    """A sentence of ours with its names in quotation marks instead of backticks, for places without Markdown."""
    return plain(re.sub("`([^`]*)`", "“\\1”", one_line(sentence)), length)


def short_name(name: str) -> str:
    """`SSO AdministratorAccess` for `AWSReservedSSO_AdministratorAccess_0123456789abcdef`; other names as they are."""
    found = re.fullmatch(r"AWSReservedSSO_(.+)_[0-9a-f]{16}", name)
    return f"SSO {found[1]}" if found else name


def plotly(untrusted: object, length: int = 40) -> str:
    """Text for a Plotly label, which would read `<b>` and `<a>` as markup."""
    return plain(untrusted, length).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def number(value: float | None, *, unit: str = "", digits: int | None = None) -> str:
    """`12,345 calls`; a dash for a value that is not known. With `digits` decimals, else one where it matters."""
    if value is None or math.isnan(value):
        return "–"
    if digits is None:
        digits = 0 if float(value).is_integer() or abs(value) >= 100 else 1
    return f"{value:,.{digits}f}{' ' if unit else ''}{unit}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 file`, `2 files`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percent(share: float | None) -> str:
    """`81.9 %`; a dash for a share of nothing."""
    return "–" if share is None or math.isnan(share) else f"{100 * share:.1f} %"


def day(moment: date | datetime | None) -> str:
    """`22 Nov 2026`, UTC."""
    return "–" if moment is None else f"{moment.day} {moment:%b %Y}"


def age(then: datetime | None, now: datetime) -> str:
    """`3 d old`, `5 h old`: whole days from two days on, rounded down."""
    if then is None:
        return "age not known"
    hours = max(0, int((now - then).total_seconds() // 3600))
    if hours < 1:
        return "less than 1 h old"
    return f"{hours} h old" if hours < 48 else f"{hours // 24} d old"
