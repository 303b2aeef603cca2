"""Steps on who became whom, and who changed which policy: the few events whose parameters matter."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from analytics.sources.usage import POLICY_EVENTS_FILE
from analytics.steps.events import name_references
from analytics.steps.state import text_table

if TYPE_CHECKING:
    from analytics.steps.state import Build

CALLERS = "select distinct caller_ref, caller_account_id from role_session"
ACTORS = "select distinct actor_ref, actor_account_id from policy_change"


def find_assumed(build: Build) -> None:
    """Who became which role, and who signed in as which user, in the widest window."""
    name_references(build, "session_caller", CALLERS)
    build.run("assumed")


def find_changes(build: Build) -> None:
    """Who changed which policy, trust, boundary, key or account, as far back as the logs go."""
    name_references(build, "actor", ACTORS)
    with POLICY_EVENTS_FILE.open(encoding="utf-8", newline="") as file:
        rows = [tuple(value or None for value in row.values()) for row in csv.DictReader(file)]
        columns = (
            "event_source",
            "event_name",
            "changes",
            "subject_kind",
            "subject_key",
            "policy_key",
            "summary",
            "basis",
        )
    build.run("changes", policy_event=text_table(columns, rows))
