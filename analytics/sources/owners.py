"""`owners.csv` in the store's folder: who answers for what no tag names. The first line that fits counts.

    pattern,owner
    arn:aws:iam::*:role/ci-*,platform
    /payments/*,payments
    111122223333,sandbox team

A pattern is an account id, an IAM path with the name, or an ARN; `*` is any run of characters, `?` any one. Lines that
are empty or begin with `#` say nothing. A tag of the identity itself goes before the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from analytics.iam.match import template, text_test
from analytics.iam.names import account_of, parse_arn

FILE_NAME = "owners.csv"
COLUMNS = ["pattern", "owner"]
MOST_CHARACTERS = 200  # of an owner's name
_ACCOUNT = re.compile(r"[0-9]{12}")


class OwnersError(ValueError):
    """An owners file that cannot be used; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class Owners:
    """The lines of the file, in its order. Account ids are looked up, the others are tried one by one."""

    accounts: dict[str, tuple[int, str]]
    patterns: tuple[tuple[int, str, Callable[[str], bool]], ...]  # line, owner, test of path or ARN

    def of(self, arn: str) -> str | None:
        """The owner of an identity; None where no line fits."""
        line, owner = self.accounts.get(account_of(arn) or "", (None, None))
        parsed = parse_arn(arn)
        path = "/" + parsed.resource.partition("/")[2] if parsed else ""
        for at, name, fits in self.patterns:
            if line is not None and at > line:
                break
            if fits(arn) or fits(path):
                return name
        return owner


def read_owners(folder: Path | None) -> Owners:
    """The owners of a store, none without the file. OwnersError for a file that is not what it should be."""
    path = folder / FILE_NAME if folder else None
    if path is None or not path.exists():
        return Owners({}, ())
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise OwnersError(f"`{path}` is not readable text in UTF-8 ({error}); correct it or remove it") from error
    accounts: dict[str, tuple[int, str]] = {}
    patterns: list[tuple[int, str, Callable[[str], bool]]] = []
    for line, pattern, owner in _lines(text.splitlines(), path):
        if _ACCOUNT.fullmatch(pattern):
            accounts.setdefault(pattern, (line, owner))
        else:
            patterns.append((line, owner, text_test(template(pattern, variables=False))))
    return Owners(accounts, tuple(patterns))


def _lines(lines: Iterable[str], path: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, pattern, owner of each line that says something; the heading is asked for."""
    heading = False
    for number, line in zip(count(1), lines, strict=False):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        where = f"`{path}`, line {number}"
        cells = [cell.strip() for cell in next(csv.reader([line]))]
        if not heading:
            if cells != COLUMNS:
                raise OwnersError(f"{where}: the heading must be `pattern,owner`, not `{line[:80]}`")
            heading = True
            continue
        yield number, *_checked(cells, where)


def _checked(cells: list[str], where: str) -> tuple[str, str]:
    if len(cells) != len(COLUMNS):
        raise OwnersError(f"{where}: a pattern and an owner are needed, and there are {len(cells)} values")
    pattern, owner = cells
    if not owner or len(owner) > MOST_CHARACTERS or not owner.isprintable():
        raise OwnersError(f"{where}: the owner must be printable text of 1 to {MOST_CHARACTERS} characters")
    if not (_ACCOUNT.fullmatch(pattern) or pattern.startswith(("/", "arn:")) or pattern == "*"):
        raise OwnersError(
            f"{where}: `{pattern[:80]}` is no pattern; give an account id of 12 digits, a path such as `/payments/*`, "
            "an ARN such as `arn:aws:iam::*:role/ci-*`, or `*`"
        )
    return pattern, owner
