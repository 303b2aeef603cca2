"""What the commands print: one document each, the fields of which scripts rely on.

Times are ISO 8601 UTC, ids are text, unknown is None and never 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.engine.reach import Reachable
from analytics.iam.catalogue import load_catalogue
from analytics.outputs.queries import build_info
from analytics.outputs.queries.build import records, utc_text
from analytics.outputs.queries.cell import cell_actions
from analytics.outputs.queries.risk import (
    identity_paths,
    identity_route,
    identity_trust,
    identity_would_lower,
    read_json,
)
from analytics.outputs.stacks import stack_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from duckdb import DuckDBPyConnection

    from analytics.engine.reach import StatementRef

TOTALS = """
select
    (select count(*) from health) as files,
    (select coalesce(sum(rows_read), 0)::bigint from health) as rows_read,
    (select coalesce(sum(rows_rejected), 0)::bigint from health) as rows_rejected,
    coalesce(sum(events) filter (outcome = 'resolved'), 0)::bigint as events_resolved,
    coalesce(sum(events) filter (outcome = 'possible'), 0)::bigint as events_possible,
    coalesce(sum(events) filter (outcome = 'unresolved'), 0)::bigint as events_unresolved,
    coalesce(sum(events) filter (outcome = 'not_iam'), 0)::bigint as events_not_iam,
    (select shared_copies from build) as shared_copies
from event_names"""
FILES = "select path, layout, rows_read, rows_rejected, first_event, last_event, problem from health order by path"
UNRESOLVED = """
select event_source, event_name, sum(events)::bigint as events from event_names where outcome = 'unresolved'
group by all order by events desc, event_source, event_name"""
ACCOUNTS = """
select account_id, collected as status, reason from accounts where collected <> 'outside' order by account_id"""
PROBLEMS = "select source, subject, reason from problems order by all"

IDENTITIES = """
select principals.principal_arn, kind, account_id, in_snapshot, rank, score, band, confidence, confidence_share,
    confidence_reasons, control_reach, data_reach, breadth, risk.unused as unused_factor, exposure, asset, floor,
    floor_points, administrator, steps_to_administrator, trust_class, gap_identity.granted, gap_identity.used,
    gap_identity.possible, gap_identity.unused, gap_identity.unobserved, principals.last_used,
    boundary_arn as boundary, owner, gap_identity.unused_weight
from principals
join gap_identity using (principal_arn)
left join risk using (principal_arn)
where window_days = (select window_days from build) and ($principal_arn is null or principal_arn = $principal_arn)
order by rank nulls last, unused_weight desc nulls last, unobserved_weight desc nulls last, principal_arn"""
SERVICES = """
select service, granted, used, possible, unused, unobserved from gap_service
where principal_arn = $principal_arn and window_days = (select window_days from build) order by service"""
# The factors of a score by their columns; `unused` is the number of actions, too.
FACTORS = {
    "control_reach": "control_reach", "data_reach": "data_reach", "breadth": "breadth", "unused": "unused_factor",
    "exposure": "exposure", "asset": "asset",
}  # fmt: skip
# What a person reads of an identity in a list.
LISTED = (
    *("rank", "score", "band", "confidence", "principal_arn", "administrator", "trust_class", "granted", "unused"),
    *("unobserved", "last_used", "owner"),
)
# What a person reads of one identity before its actions: the lists of `show` with their columns.
REASONS = {
    "would_lower": ("change", "score", "calls_broken"),
    "trust": ("party", "trust_class", "exposure", "conditions", "seen_calls", "seen_last"),
    "way_to_administrator": ("step", "from_arn", "path_id", "to_arn", "surely"),
    "escalation": ("path_id", "title", "category", "surely", "target", "strength"),
}


class UnknownIdentityError(ValueError):
    """An ARN that neither the snapshot nor the logs hold."""


def health(con: DuckDBPyConnection) -> dict[str, Any]:
    """Files, totals, unresolved events, and what the snapshot could not give."""
    build = build_info(con)
    return {
        "build": build.document(),
        "totals": records(con, TOTALS)[0],
        "files": [
            row | {"first_event": utc_text(row["first_event"]), "last_event": utc_text(row["last_event"])}
            for row in records(con, FILES)
        ],
        "unresolved": records(con, UNRESOLVED),
        "snapshot": {
            "taken_at": utc_text(build.snapshot_taken_at),
            "accounts": records(con, ACCOUNTS),
            "problems": records(con, PROBLEMS),
        },
    }


def identities(con: DuckDBPyConnection) -> dict[str, Any]:
    """Every identity in rank order."""
    return {"build": build_info(con).document(), "identities": [_identity(row) for row in _identity_rows(con, None)]}


def show(con: DuckDBPyConnection, arn: str) -> dict[str, Any]:
    """One identity to the action; UnknownIdentityError for an ARN of which nothing is known."""
    rows = _identity_rows(con, arn)
    if not rows:
        raise UnknownIdentityError(
            f"identity `{arn}` is neither in the snapshot nor in the logs of this build; "
            "`python -m analytics identities` lists what is"
        )
    return {
        "build": build_info(con).document(),
        "identity": _identity(rows[0]),
        "services": records(con, SERVICES, {"principal_arn": arn}),
        "actions": list(_actions(con, arn)),
        "trust": [row | {"seen_last": utc_text(row["seen_last"])} for row in identity_trust(con, principal_arn=arn)],
        "escalation": identity_paths(con, principal_arn=arn),
        "way_to_administrator": identity_route(con, principal_arn=arn),
        "would_lower": [
            {
                "change": row["title"],
                "score": row["score_after"],
                "calls_broken": row["calls_broken"],
                "kind": row["kind"],
                "detail": row["detail"],
            }
            for row in identity_would_lower(con, principal_arn=arn)
        ],
    }


def explain(con: DuckDBPyConnection, arn: str, action: str, resource: str | None) -> dict[str, Any]:
    """Why an identity may or may not; UnknownIdentityError where its policies are not in the snapshot."""
    from analytics.engine.explain import explain as explain_request

    stack = stack_of(con, arn)
    if stack is None:
        raise UnknownIdentityError(
            f"the policies of `{arn}` are not in the snapshot of this build; "
            "`python -m analytics identities` lists the identities whose policies are (in_snapshot)"
        )
    explained = explain_request(Reachable(load_catalogue()), stack, action, resource)
    return {
        "build": build_info(con).document(),
        "principal_arn": arn,
        "action": explained.action,
        "resource": explained.resource,
        "decision": str(explained.decision),
        "layers": [
            {
                "layer": answer.layer,
                "name": answer.name,
                "result": str(answer.result),
                "statements": [_reference(found) for found in answer.statements],
            }
            for answer in explained.layers
        ],
        "unknown_keys": list(explained.unknown_keys),
        "notes": list(explained.notes),
    }


def _identity_rows(con: DuckDBPyConnection, arn: str | None) -> list[dict[str, Any]]:
    return records(con, IDENTITIES, {"principal_arn": arn})


def _identity(row: dict[str, Any]) -> dict[str, Any]:
    known = row["in_snapshot"]
    return {
        "principal_arn": row["principal_arn"],
        "kind": row["kind"],
        "account_id": row["account_id"],
        "in_snapshot": known,
        "rank": row["rank"],
        "score": row["score"],
        "band": row["band"],
        "confidence": row["confidence"],
        "confidence_share": row["confidence_share"],
        "confidence_reasons": read_json(row["confidence_reasons"]),
        "factors": {name: row[column] for name, column in FACTORS.items()},
        "floor": row["floor"],
        "floor_points": row["floor_points"],
        "administrator": row["administrator"],
        "steps_to_administrator": row["steps_to_administrator"],
        "trust_class": row["trust_class"],
        "granted": row["granted"],
        "used": row["used"],
        "possible": row["possible"],
        "unused": row["unused"],
        "unobserved": row["unobserved"],
        "last_used": utc_text(row["last_used"]),
        "boundary": row["boundary"],
        "owner": row["owner"],
        "unused_weight": row["unused_weight"],
    }


def _actions(con: DuckDBPyConnection, arn: str) -> Iterable[dict[str, Any]]:
    stack = stack_of(con, arn)
    reachable = Reachable(load_catalogue())
    window_days = build_info(con).window_days
    for row in cell_actions(con, principal_arn=arn, window_days=window_days).to_dict("records"):
        granting = reachable.granted_by(stack, row["action"]) if stack else ()
        yield {
            "action": row["action"],
            "reach": row["reach"] if row["reach"] != "none" else None,
            "state": str(row["state"]),
            "calls": int(row["calls"]),
            "denied": int(row["denied"]),
            "last_used": utc_text(row["last_used"].to_pydatetime()) if row["last_used"] == row["last_used"] else None,
            "granted_by": [_reference(found) for found in granting if found.layer == "identity"],
        }


def _reference(found: StatementRef) -> dict[str, Any]:
    return {"policy": found.policy, "attached_to": found.attached_to, "sid": found.sid, "index": found.index}
