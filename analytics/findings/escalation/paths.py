"""The ways to more permissions, as facts: which actions each takes, and what kind of identity it leads to.

`data/reference/escalation_paths.yaml` holds them; its head says how to read it. INVARIANT: every path has exactly one
kind of target.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from analytics.settings import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PATHS_FILE = REFERENCE / "escalation_paths.yaml"
ASSUME = "sts:AssumeRole"
PASS_ROLE = "iam:PassRole"  # noqa: S105  the name of an action

SELF_ESCALATION = "self-escalation"
PRINCIPAL_ACCESS = "principal-access"
CATEGORIES = (SELF_ESCALATION, PRINCIPAL_ACCESS, "new-passrole", "existing-passrole", "credential-access")
_TARGETS = ("services", "takes_over", "creates", "lifts")


class PathError(ValueError):
    """A path that cannot be used; the message names the file, the path and the field."""


class TakesOver(StrEnum):
    """Which identity the actions of a path are about, its own or another."""

    USER = "user"
    ROLE = "role"
    POLICY_HOLDER = "policy holder"  # to whom a customer managed policy is attached
    GROUP_MEMBER = "group member"
    ASSUMABLE_ROLE = "assumable role"
    FEDERATED_ROLE = "federated role"  # that trusts a SAML provider
    PERMISSION_SET = "permission set"
    MEMBER_ROOT = "member root"


class Lifts(StrEnum):
    """What limits an identity and may be removed by itself."""

    BOUNDARY = "boundary"
    DENIAL = "denial"


@dataclass(frozen=True, slots=True)
class EscalationPath:
    """One way. Exactly one of `services`, `takes_over`, `creates` and `lifts` says what it leads to."""

    id: str
    title: str
    category: str
    required_actions: tuple[str, ...]
    services: tuple[str, ...] = ()  # that the role behind the resource must trust
    takes_over: TakesOver | None = None
    creates: str | None = None  # user, role
    lifts: Lifts | None = None
    self_for: frozenset[str] = frozenset()  # kinds of identity that it raises themselves: user, role
    strengthens: bool = False  # the other identity is given more on the way
    not_known: str | None = None  # a need of which a snapshot tells nothing
    helpful_actions: tuple[str, ...] = ()
    parent: str | None = None
    source: str | None = None  # of a path of Headroom's own


@cache
def read_paths(file: Path = PATHS_FILE) -> tuple[EscalationPath, ...]:
    """The paths in the order of the file; PathError where one cannot be used."""
    try:
        found = yaml.safe_load(file.read_text("utf-8"))
    except yaml.YAMLError as error:
        msg = f"`{file.name}` is not YAML: {error}"
        raise PathError(msg) from error
    entries = found.get("paths") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        msg = f"`{file.name}` has no list `paths`"
        raise PathError(msg)
    paths = tuple(_path(entry, file.name) for entry in entries)
    twice = next((path.id for at, path in enumerate(paths) if path.id in {one.id for one in paths[:at]}), None)
    if twice is not None:
        msg = f"`{file.name}`: the id `{twice}` stands twice; give each path its own"
        raise PathError(msg)
    return paths


def _path(entry: Mapping[str, Any], file: str) -> EscalationPath:
    where = f"`{file}`, path `{entry.get('id', '?') if isinstance(entry, dict) else entry}`"
    try:
        path = EscalationPath(
            id=entry["id"],
            title=entry["title"],
            category=entry["category"],
            required_actions=tuple(entry["required_actions"]),
            services=tuple(entry.get("services", ())),
            takes_over=TakesOver(entry["takes_over"]) if "takes_over" in entry else None,
            creates=entry.get("creates"),
            lifts=Lifts(entry["lifts"]) if "lifts" in entry else None,
            self_for=frozenset(entry.get("self_for", ())),
            strengthens=entry.get("strengthens", False),
            not_known=entry.get("not_known"),
            helpful_actions=tuple(entry.get("helpful_actions", ())),
            parent=entry.get("parent"),
            source=entry.get("source"),
        )
    except KeyError as error:
        msg = f"{where}: the field {error} is missing"
        raise PathError(msg.replace("'", "`")) from error
    except (TypeError, ValueError, AttributeError) as error:
        msg = f"{where}: {error}"
        raise PathError(msg) from error
    if path.category not in CATEGORIES:
        msg = f"{where}: `{path.category}` is not a category; use one of {', '.join(CATEGORIES)}"
        raise PathError(msg)
    if sum(name in entry for name in _TARGETS) != 1:
        msg = f"{where}: name exactly one of {', '.join(_TARGETS)}"
        raise PathError(msg)
    if not path.required_actions:
        msg = f"{where}: `required_actions` is empty"
        raise PathError(msg)
    return path
