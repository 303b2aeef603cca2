"""The filter bar as a value: window, OU, account, kind, search; and what each may hold.

The texts come from URLs: they are only ever bound, and compared literally (`%` and `[` mean nothing).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.outputs.queries.build import build_windows

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SEARCH_LENGTH = 80

# Common table expression: the principals that a filter lets through. An OU holds the OUs below it.
SCOPE = """scope as (
    select * from principals
    where ($ou_path is null or coalesce(ou_path, 'no OU known') = $ou_path
           or (not $ou_alone and starts_with(ou_path, $ou_path || '/')))
      and ($account_id is null or coalesce(account_id, 'no account') = $account_id)
      and ($kind is null or kind = $kind)
      and ($search = '' or contains(lower(principal_arn), $search) or contains(lower(coalesce(owner, '')), $search)
           or contains(lower(coalesce(account_name, '')), $search))
)"""

OU_PATHS = (
    "select distinct path from nodes where kind <> 'account' union select distinct ou_path from accounts order by 1"
)
ACCOUNTS = "select account_id, name from accounts order by name nulls last, account_id"
KINDS = "select kind, count(*) from principals group by kind order by 2 desc, 1"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a page shows; None or an empty text lets everything through."""

    window_days: int
    ou_path: str | None = None
    account_id: str | None = None
    kind: str | None = None
    search: str = ""
    ou_alone: bool = False  # without the OUs below it

    @property
    def params(self) -> dict[str, str | bool | None]:
        """The parameters of SCOPE."""
        search = self.search.strip().lower()[:SEARCH_LENGTH]
        return {
            "ou_path": self.ou_path,
            "ou_alone": self.ou_alone,
            "account_id": self.account_id,
            "kind": self.kind,
            "search": search,
        }

    @property
    def narrows(self) -> bool:
        """Whether anything but the window is chosen."""
        return any((self.ou_path, self.account_id, self.kind, self.search.strip()))

    @property
    def sentence(self) -> str:
        """The choices in words, for the provenance of an export."""
        named = {"OU": self.ou_path, "account": self.account_id, "kind": self.kind, "search": self.search.strip()}
        chosen = [f"{name} = {value}" for name, value in named.items() if value]
        return "; ".join(chosen) or "none"


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """Everything that a filter may be set to."""

    windows: tuple[int, ...]
    ou_paths: tuple[str, ...]
    accounts: tuple[tuple[str, str | None], ...]  # id, name
    kinds: tuple[str, ...]


def filter_options(con: DuckDBPyConnection) -> FilterOptions:
    """The choices that the build offers."""
    return FilterOptions(
        windows=build_windows(con),
        ou_paths=tuple(path for (path,) in con.execute(OU_PATHS).fetchall() if path),
        accounts=tuple((account, name) for account, name in con.execute(ACCOUNTS).fetchall()),
        kinds=tuple(kind for kind, _count in con.execute(KINDS).fetchall()),
    )
