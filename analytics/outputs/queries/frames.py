"""Findings as data frames: the columns are there also where no row is, and identities and accounts are named alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from analytics.findings.estate import Estate

ACCOUNT = ("account_id", "account_name", "ou_path", "environment")
IDENTITY = ("principal_arn", "name", "kind", *ACCOUNT, "owner")


def frame(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *more: str) -> pd.DataFrame:
    """The rows with these columns in this order."""
    return pd.DataFrame(list(rows), columns=[*columns, *more])


def account_columns(estate: Estate, account_id: str) -> dict[str, Any]:
    """ACCOUNT of one account."""
    account = estate.accounts.get(account_id)
    return {
        "account_id": account_id,
        "account_name": account.name if account else None,
        "ou_path": account.ou_path if account else None,
        "environment": account.environment if account else None,
    }


def identity_columns(estate: Estate, arn: str) -> dict[str, Any]:
    """IDENTITY of one identity of the snapshot."""
    subject = estate.subjects[arn]
    return {
        "principal_arn": arn,
        "name": subject.name,
        "kind": str(subject.kind),
        **account_columns(estate, subject.account_id),
        "owner": subject.owner,
    }
