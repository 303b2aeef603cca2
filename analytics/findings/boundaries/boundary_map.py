"""Which boundary an identity should have: `boundary_map.csv` in the store's folder, the first line that fits decides.

    path,tag,ou,group,job_family,kind,boundary,note
    /ci/*,,,,,role,boundary/ci-deployer,
    ,,Root/Sandbox*,,,,boundary/developer-sandbox,
    ,,,analysts,,,boundary/data-analyst,Identity Center group
    ,,,,,,none,

An empty cell fits everything; `*` and `?` are wildcards, and case does not matter. `boundary` is the path and name of a
managed policy of the identity's own account, the ARN of a policy of AWS, or `none`. INVARIANT: a map with a line that
cannot be read is refused as a whole, for a line that falls out would hand its identities to a later one.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE_NAME = "boundary_map.csv"
NONE = "none"
_KINDS = ("role", "user", "sso role")
_POLICY_NAME = re.compile(r"(?:[!-~]+/)?[\w+=,.@-]{1,128}", re.ASCII)
_AWS_POLICY = re.compile(r"arn:aws[a-z-]*:iam::aws:policy/\S+")


class BoundaryMapError(ValueError):
    """A map that cannot be used; the message names every line and column that is wrong."""


@dataclass(frozen=True, slots=True)
class Described:
    """What the map can look at of an identity."""

    path: str
    tags: tuple[tuple[str, str], ...]
    ou: str  # path of names, "Root/Prod/Payments"; empty: not in the organisation
    account: str
    environment: str
    groups: tuple[str, ...]
    job_family: str
    kind: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the map; an empty pattern fits everything."""

    line: int
    boundary: str
    path: str = ""
    tag: str = ""  # key=value
    ou: str = ""
    account: str = ""
    environment: str = ""
    group: str = ""
    job_family: str = ""
    kind: str = ""
    note: str = ""

    def fits(self, one: Described) -> bool:
        """Whether every pattern of the line fits the identity."""
        return (
            _fits(self.path, one.path)
            and _fits(self.ou, one.ou)
            and _fits(self.account, one.account)
            and _fits(self.environment, one.environment)
            and _fits(self.job_family, one.job_family)
            and _fits(self.kind, one.kind)
            and (not self.group or any(_fits(self.group, group) for group in one.groups))
            and (not self.tag or any(_fits(self.tag, f"{key}={value}") for key, value in one.tags))
        )

    def arn(self, account_id: str, partition: str) -> str | None:
        """The boundary as the ARN that it has in an account; None: there must be none."""
        if self.boundary == NONE:
            return None
        if self.boundary.startswith("arn:"):
            return self.boundary
        return f"arn:{partition}:iam::{account_id}:policy/{self.boundary}"


COLUMNS = tuple(field.name for field in fields(Rule) if field.name != "line")


def read_boundary_map(folder: Path) -> tuple[Rule, ...] | None:
    """The map in a store's folder; None where there is none. BoundaryMapError names what is wrong."""
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BoundaryMapError(f"`{path}` cannot be read as UTF-8 text ({error}); save it again as CSV") from error
    return parse_boundary_map(text, name=str(path))


def parse_boundary_map(text: str, *, name: str = FILE_NAME) -> tuple[Rule, ...]:
    """The lines of a map in their order; blank lines and lines that begin with `#` say nothing."""
    reader = csv.reader(io.StringIO(text), strict=True)
    rules: list[Rule] = []
    wrong: list[str] = []
    header: list[str] | None = None
    try:
        for cells in reader:
            line, stripped = reader.line_num, [cell.strip() for cell in cells]
            if not any(stripped) or stripped[0].startswith("#"):
                continue
            if header is None:
                header = [cell.lower() for cell in stripped]
                wrong += _wrong_header(header, name, line)
                continue
            problems = _wrong_row(header, stripped, name, line)
            wrong += problems
            if not problems and not wrong:
                rules.append(Rule(line, **{key: value for key, value in zip(header, stripped, strict=False) if value}))
    except csv.Error as error:
        wrong.append(f"`{name}`, line {reader.line_num}: {error}; quote a cell that holds a comma or a quotation mark")
    if header is None and not wrong:
        wrong.append(f"`{name}` is empty; its first line names the columns, of {', '.join(COLUMNS)}")
    if wrong:
        raise BoundaryMapError("; ".join(wrong))
    return tuple(rules)


def first_fit(rules: tuple[Rule, ...], one: Described) -> Rule | None:
    """The first line that fits the identity; None where no line does."""
    return next((rule for rule in rules if rule.fits(one)), None)


def _wrong_header(header: list[str], name: str, line: int) -> list[str]:
    where = f"`{name}`, line {line}"
    wrong = [
        f"{where}: there is no column `{column}`; the columns are {', '.join(COLUMNS)}"
        for column in header
        if column not in COLUMNS
    ]
    wrong += [f"{where}: the column `{column}` stands twice" for column in COLUMNS if header.count(column) > 1]
    return wrong if "boundary" in header else [*wrong, f"{where}: the column `boundary` is missing"]


def _wrong_row(header: list[str], cells: list[str], name: str, line: int) -> list[str]:
    """What is wrong with a line, each with its column."""
    if len(cells) > len(header):
        return [f"`{name}`, line {line}: has {len(cells)} cells and there are {len(header)} columns"]
    row = dict(zip(header, cells, strict=False))
    checks: Mapping[str, str | None] = {
        "boundary": _wrong_boundary(row.get("boundary", "")),
        "tag": "has no `=`; write it as `key=value`" if "=" not in row.get("tag", "=") else None,
        "kind": f"is none of {', '.join(f'`{kind}`' for kind in _KINDS)}"
        if row.get("kind") and not any(_fits(row["kind"], kind) for kind in _KINDS)
        else None,
        "path": "does not begin with `/` or `*`" if row.get("path") and row["path"][0] not in "/*" else None,
    }
    if not row.get("tag"):
        checks = {**checks, "tag": None}
    return [
        f"`{name}`, line {line}, column `{column}`: `{row.get(column, '')}` {reason}"
        for column, reason in checks.items()
        if reason is not None
    ]


def _wrong_boundary(text: str) -> str | None:
    if not text:
        return "is empty; write a policy as `path/name`, the ARN of a policy of AWS, or `none`"
    if text.startswith("arn:"):
        if _AWS_POLICY.fullmatch(text):
            return None
        return "is not the ARN of a policy of AWS; a policy of one's own is written as `path/name`, for any account"
    if _POLICY_NAME.fullmatch(text):
        return None
    return "is not the path and name of a managed policy; write it as `boundary/developer`"


def _fits(pattern: str, text: str) -> bool:
    return not pattern or _test(pattern.lower()).fullmatch(text.lower()) is not None


@lru_cache(maxsize=4096)
def _test(pattern: str) -> re.Pattern[str]:
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.compile("".join(parts), re.DOTALL)
