"""What a team may decide: where the store is, the window, who owns what, which accounts are production.

Read from `headroom.toml` in the store's folder when there is one; every key has a default.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
REFERENCE = PROJECT / "data" / "reference"
FILE_NAME = "headroom.toml"
MOST_DAYS = 3660  # of a window: ten years
QUOTAS = ("scp_characters", "scp_attached", "rcp_characters", "rcp_attached", "managed_policy_characters")
_MEMORY = re.compile(r"[0-9]+(\.[0-9]+)? ?[KMGT]i?B")


class SettingsError(ValueError):
    """A settings file that cannot be used; the message names the file and the key."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of a team."""

    window_days: int = 90  # the build's window, ending at the last event's UTC day
    windows: tuple[int, ...] = (30, 90)  # windows that the filter bar offers; the build's own is always among them
    owner_tags: tuple[str, ...] = ("owner", "Owner", "team", "Team")  # first one present names the owner
    environment_tags: tuple[str, ...] = ("environment", "Environment", "env")  # of the account
    job_family_tags: tuple[str, ...] = ("job-family", "JobFamily", "job_family")  # of the identity
    # Environment by a word of the OU path when no tag says it: first line that fits.
    environment_words: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "sandbox": ("sandbox", "sandboxes", "playground", "experiment"),
            "non-production": (
                *("nonprod", "non-prod", "nonproduction", "non-production", "preprod", "pre-prod"),
                *("dev", "development", "test", "testing", "staging", "stage", "uat", "qa"),
            ),
            "security": ("security", "audit", "log"),
            "production": ("prod", "production", "live"),
        }
    )
    # Account id (or "*") -> CloudTrail resource types whose data events are logged for every resource of the account.
    data_events_logged: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    batch_rows: int = 1_500_000  # events of one ingest transaction (docs/PERFORMANCE.md)
    memory_limit: str = "2GB"  # of DuckDB while it builds
    keep_builds: int = 5  # published builds kept in the store; older ones are removed
    # Quotas of Organizations and IAM: characters of a document, and policies attached directly to one node.
    scp_characters: int = 10_240
    scp_attached: int = 10
    rcp_characters: int = 5_120
    rcp_attached: int = 5
    managed_policy_characters: int = 6_144  # a permissions boundary is one managed policy
    # Parameters of the boundary templates (data/reference/boundary_templates.yaml); a text is a list of one.
    boundary_parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Lists that scenarios speak of (`approved_regions` …) and patterns of their classes of resources, by scenario id.
    guardrail_lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    guardrail_resources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Usual exemption of a scenario ("break-glass role") -> ARNs that drafts leave out, `*` for any account.
    guardrail_exemptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Rule of `check` ("KEY-OLD", or "*" for all) -> ARNs with `*`, or account ids, that it leaves out.
    check_exemptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def default_store() -> Path:
    """`HEADROOM_STORE`, else data/local of the project."""
    return Path(os.environ.get("HEADROOM_STORE") or PROJECT / "data" / "local")


def read_settings(store: Path) -> Settings:
    """The settings of a store; SettingsError when its file is not what it should be."""
    path = store / FILE_NAME
    return read_settings_file(path) if path.exists() else Settings()


def read_settings_file(path: Path) -> Settings:
    """The settings of a file; SettingsError when it cannot be read, or is not what it should be."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"`{path}` is not readable TOML ({error}); correct it or remove it") from error
    return _checked(raw, path)


def _checked(raw: Mapping[str, Any], path: Path) -> Settings:
    known = {f.name: getattr(Settings(), f.name) for f in fields(Settings)}
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in known:
            raise SettingsError(f"`{path}`: unknown key `{key}`; the keys are {', '.join(sorted(known))}")
        values[key] = _as_default(value, known[key], f"`{path}`, key `{key}`")
    settings = replace(Settings(), **values)
    for key in ("window_days", "windows"):
        days = getattr(settings, key)
        if not all(1 <= count <= MOST_DAYS for count in (days if isinstance(days, tuple) else (days,))):
            raise SettingsError(f"`{path}`: `{key}` must be between 1 and {MOST_DAYS} days")
    for key in ("batch_rows", "keep_builds", *QUOTAS):
        if getattr(settings, key) < 1:
            raise SettingsError(f"`{path}`: `{key}` must be 1 or more")
    if not _MEMORY.fullmatch(settings.memory_limit):
        raise SettingsError(f"`{path}`: `memory_limit` is `{settings.memory_limit}`; write it as `2GB` or `512MB`")
    return settings


def _as_default(value: Any, default: Any, where: str) -> Any:
    """The value in the shape of the default: lists become tuples."""
    if isinstance(default, tuple):
        kind = type(default[0])
        if isinstance(value, list) and all(type(item) is kind for item in value):
            return tuple(value)
        raise SettingsError(f"{where}: a list of {kind.__name__} is needed")
    if isinstance(default, Mapping):
        if isinstance(value, dict) and all(
            isinstance(items, list) and all(isinstance(item, str) for item in items) for items in value.values()
        ):
            return {str(name): tuple(items) for name, items in value.items()}
        raise SettingsError(f"{where}: a table of lists of text is needed")
    if type(value) is not type(default):
        raise SettingsError(f"{where}: {type(default).__name__} is needed, not {type(value).__name__}")
    return value
