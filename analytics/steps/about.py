"""Steps that say what the build is: health, problems, history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from analytics.sources.columns import literal
from analytics.steps.state import text_table
from analytics.store import FORMAT

if TYPE_CHECKING:
    from analytics.steps.state import Build

HISTORY_BUILDS = 50  # builds whose figures are carried along for "change since"
EARLIER = """
insert into history by name
select * from previous.main.history
where build_id in (
    select build_id from previous.main.history group by build_id order by max(created_at) desc limit $most
)"""


def describe(build: Build) -> None:
    """Can one trust this: the files, and the build itself."""
    build.run("health")
    organization = build.snapshot.organization if build.snapshot else None
    facts = pa.table(
        {
            "id": [build.build_id],
            "created_at": pa.array([build.now.replace(tzinfo=None)], pa.timestamp("us")),
            "catalogue": [build.catalogue.version],
            "weights": [build.weights.version],
            "snapshot_taken_at": pa.array(
                [build.snapshot.taken_at.replace(tzinfo=None) if build.snapshot and build.snapshot.taken_at else None],
                pa.timestamp("us"),
            ),
            "has_snapshot": [build.snapshot is not None],
            "has_organization": [organization is not None],
            "organization_id": pa.array([organization.id if organization else None], pa.string()),
            "format": pa.array([FORMAT], pa.int32()),
        }
    )
    build.run("build", build_rows=facts)


def keep_history(build: Build) -> None:
    """This build's figures beside those of earlier builds of the store."""
    build.run("history")
    if build.previous is None:
        return
    try:
        build.con.execute(f"attach {literal(str(build.previous))} as previous (read_only)")
        try:
            build.con.execute(EARLIER, {"most": HISTORY_BUILDS})
        finally:
            build.con.execute("detach previous")
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        build.notes.append(
            ("store", str(build.previous), f"the earlier build cannot be read ({reason}); the history starts anew")
        )


def list_problems(build: Build) -> None:
    """Everything that could not be used as it stands, of the snapshot and of the store."""
    found = [
        *(
            ("snapshot", problem.subject, problem.reason)
            for problem in (build.snapshot.problems if build.snapshot else ())
        ),
        *build.notes,
    ]
    build.run("problems", problem_rows=text_table(("source", "subject", "reason"), found))
