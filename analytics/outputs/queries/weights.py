"""How firm the order of risk is: every identity under the weights of this version, and under moved ones.

Both ranks come from the facts that the build kept, by the function that made the build's own scores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analytics.findings.risk.kept import read_facts
from analytics.findings.risk.score import rescore, stay_on_top
from analytics.findings.risk.weights import risk_weights

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from analytics.findings.risk.score import Ranked

TOP = 20
FACTS = "select principal_arn, facts::varchar from risk_facts"
NAMES = "select principal_arn, name, coalesce(account_name, account_id) as account from principals"


class Moved(NamedTuple):
    """What other weights do to the order."""

    stay: int  # of the first `top`
    top: int  # TOP, or all identities where there are fewer
    identities: int
    other_band: int
    rows: pd.DataFrame  # the first `top` before or after, by rank after


def moved_ranks(con: DuckDBPyConnection, *, changes: tuple[tuple[str, float], ...]) -> Moved:
    """The order under weights with `changes` (dotted keys of risk.toml); WeightsError for impossible ones."""
    before, after = _orders(con, changes)
    was = {one.principal_arn: one for one in before}
    rows = [
        (one.principal_arn, one.rank, was[one.principal_arn].rank, one.risk.score, was[one.principal_arn].risk.score)
        for one in after
        if min(one.rank, was[one.principal_arn].rank) <= TOP
    ]
    frame = pd.DataFrame(rows, columns=["principal_arn", "rank", "rank_before", "score", "score_before"])
    return Moved(
        stay=stay_on_top(before, after, TOP),
        top=min(TOP, len(after)),
        identities=len(after),
        other_band=sum(one.risk.band != was[one.principal_arn].risk.band for one in after),
        rows=frame.merge(con.execute(NAMES).df(), on="principal_arn", how="left"),
    )


def moved_ranking(con: DuckDBPyConnection, *, changes: tuple[tuple[str, float], ...]) -> pd.DataFrame:
    """Every identity by its rank under weights with `changes`, with the points of each factor, and as it was before."""
    before, after = _orders(con, changes)
    was = {one.principal_arn: one for one in before}
    rows = [
        {
            "rank": one.rank,
            "rank_before": was[one.principal_arn].rank,
            "principal_arn": one.principal_arn,
            "score": one.risk.score,
            "score_before": was[one.principal_arn].risk.score,
            "band": one.risk.band,
            "band_before": was[one.principal_arn].risk.band,
            **one.risk.factors._asdict(),
            "floor_points": one.risk.floor_points,
        }
        for one in after
    ]
    return pd.DataFrame(rows).merge(con.execute(NAMES).df(), on="principal_arn", how="left")


def _orders(
    con: DuckDBPyConnection, changes: tuple[tuple[str, float], ...]
) -> tuple[tuple[Ranked, ...], tuple[Ranked, ...]]:
    """Everybody under the weights of this version, and under moved ones."""
    weights = risk_weights()
    moved = weights.with_changes(dict(changes))
    facts = {arn: read_facts(text) for arn, text in con.execute(FACTS).fetchall()}
    return rescore(facts, weights), rescore(facts, moved)
