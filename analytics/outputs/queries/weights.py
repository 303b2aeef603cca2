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
    weights = risk_weights()
    facts = {arn: read_facts(text) for arn, text in con.execute(FACTS).fetchall()}
    before, after = rescore(facts, weights), rescore(facts, weights.with_changes(dict(changes)))
    was = {one.principal_arn: one for one in before}
    rows = [
        (one.principal_arn, one.rank, was[one.principal_arn].rank, one.risk.score, was[one.principal_arn].risk.score)
        for one in after
        if min(one.rank, was[one.principal_arn].rank) <= TOP
    ]
    frame = pd.DataFrame(rows, columns=["principal_arn", "rank", "rank_before", "score", "score_before"])
    return Moved(
        stay=stay_on_top(before, after, TOP),
        top=min(TOP, len(facts)),
        identities=len(facts),
        other_band=sum(one.risk.band != was[one.principal_arn].risk.band for one in after),
        rows=frame.merge(con.execute(NAMES).df(), on="principal_arn", how="left"),
    )
