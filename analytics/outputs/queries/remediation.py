"""The whole remediation list, with evidence, commands and policies: what leaves the building.

The same rows in the same order as the page has them (`items`), with the columns that a page shows of one item only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from analytics.outputs.queries.items import items

if TYPE_CHECKING:
    from typing import Any

    import pandas as pd
    from duckdb import DuckDBPyConnection

    from analytics.outputs.queries.filters import Filters
    from analytics.outputs.queries.items import Proof

LONG = "select item_id, detail, evidence, commands, policy from remediation"


def remediation(
    con: DuckDBPyConnection,
    *,
    filters: Filters,
    kind: str | None = None,
    proof: Proof | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """One row per item in the order of the list; `evidence` is text, `commands` a script of one line each.

    `calls_broken` is null where nobody has proven it; `detail` and `policy` are JSON text.
    """
    rows = items(con, filters=filters, kind=kind, proof=proof, limit=limit)
    long = con.execute(LONG).df()
    joined = rows.merge(long, on="item_id", how="left", validate="one_to_one")
    joined["calls_broken"] = joined["calls_broken"].astype("Int64")
    joined["evidence"] = [_sentences(text) for text in joined["evidence"]]
    joined["commands"] = ["\n".join(json.loads(text)) if isinstance(text, str) else None for text in joined["commands"]]
    return joined


def _sentences(text: Any) -> str | None:
    """The sentences of an item's evidence; an item of another maker may have a list or another object."""
    found = json.loads(text) if isinstance(text, str) else None
    if isinstance(found, dict) and isinstance(found.get("sentences"), list):
        return " ".join(str(one) for one in found["sentences"])
    return None if found is None else json.dumps(found, ensure_ascii=False)
