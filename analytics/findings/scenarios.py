"""Risk scenarios, the rows of the guardrail matrix: `data/reference/guardrail_scenarios.yaml`, and a team's own file.

A scenario is a question: if a principal in an account tried these actions, which layer would stop it? What the fields
and states mean stands in the head of that file. INVARIANT: a scenario that was read names known actions only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from analytics.iam.catalogue import load_catalogue
from analytics.settings import REFERENCE

if TYPE_CHECKING:
    from pathlib import Path

    from analytics.iam.catalogue import Catalogue

SCENARIOS_FILE = REFERENCE / "guardrail_scenarios.yaml"
OWN_FILE = "guardrails.yaml"  # in the store's folder: a team's own scenarios
CHOICES: Mapping[str, tuple[str, ...]] = {
    "set": ("core", "extended"),
    "severity": ("critical", "high", "medium"),
    "principal": ("any", "root_user"),
    "guardrail_shape": ("deny_always", "deny_except_named_principals", "deny_when_condition"),
    "best_layer": ("scp", "boundary", "rcp", "declarative"),
}
_REQUIRED = ("id", "title", "severity", "actions")
_LISTS = ("actions", "other_layers", "mitre", "sources", "usual_exemptions")
_MAPPINGS = ("probe_context", "pinned_by", "narrowed_by")
_WORDS = frozenset({"absent", "outside", "inside"})


class ScenarioError(ValueError):
    """A file of scenarios that cannot be used; the message names the file, the scenario and the field."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario, fields as in the file."""

    id: str
    title: str
    severity: str
    actions: tuple[str, ...]
    category: str = "own"
    set: str = "core"
    principal: str = "any"
    resource: str = "any"
    guardrail_shape: str = "deny_except_named_principals"
    probe_context: Mapping[str, Any] | None = field(default=None, hash=False)
    pinned_by: Mapping[str, str] = field(default_factory=dict, hash=False)  # action -> key that a deny may pin
    narrowed_by: Mapping[str, str] = field(default_factory=dict, hash=False)  # action -> free key that counts in part
    best_layer: str = "scp"
    other_layers: tuple[str, ...] = ()
    mitre: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    why: str = ""
    usual_exemptions: tuple[str, ...] = ()
    note: str | None = None


def load_scenarios(folder: Path | None = None) -> tuple[Scenario, ...]:
    """Ours, and those of the folder's `guardrails.yaml` when there is one; an own scenario replaces ours of its id."""
    scenarios = {scenario.id: scenario for scenario in _ours()}
    own = folder / OWN_FILE if folder is not None else None
    if own is not None and own.exists():
        scenarios |= {scenario.id: scenario for scenario in read_scenarios(own)}
    return tuple(scenarios.values())


def chosen(scenarios: Sequence[Scenario], *, extended: bool) -> tuple[Scenario, ...]:
    """The core scenarios, or all."""
    return tuple(scenario for scenario in scenarios if extended or scenario.set == "core")


def read_scenarios(path: Path, catalogue: Catalogue | None = None) -> tuple[Scenario, ...]:
    """The scenarios of a file; ScenarioError says what does not fit."""
    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ScenarioError(f"`{path}` is not readable YAML ({reason}); correct it or remove it") from error
    entries = raw.get("scenarios") if isinstance(raw, dict) else None
    if not isinstance(entries, list):
        raise ScenarioError(f"`{path}` needs a list `scenarios`, as `data/reference/guardrail_scenarios.yaml` has one")
    known = catalogue or load_catalogue()
    found = tuple(
        _scenario(entry, f"`{path}`, scenario {number}", known) for number, entry in enumerate(entries, start=1)
    )
    ids = [scenario.id for scenario in found]
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice is not None:
        raise ScenarioError(f"`{path}`: the id `{twice}` stands twice; every scenario has its own")
    return found


@cache
def _ours() -> tuple[Scenario, ...]:
    return read_scenarios(SCENARIOS_FILE)


def _scenario(entry: Any, where: str, catalogue: Catalogue) -> Scenario:
    if not isinstance(entry, dict):
        raise ScenarioError(f"{where}: a scenario is a mapping of fields")
    if isinstance(entry.get("id"), str):
        where = f"{where} (`{entry['id']}`)"
    known = Scenario.__dataclass_fields__
    for name, value in entry.items():
        if name not in known:
            raise ScenarioError(f"{where}: unknown field `{name}`; the fields are {', '.join(known)}")
        _check(name, value, where)
    for name in _REQUIRED:
        if not entry.get(name):
            raise ScenarioError(f"{where}: the field `{name}` is missing or empty")
    _check_actions(entry["actions"], where, catalogue)
    _check_probe(entry.get("probe_context") or {}, where, frozenset(map(str.lower, entry["actions"])))
    if bool(entry.get("probe_context")) != (entry.get("guardrail_shape") == "deny_when_condition"):
        raise ScenarioError(
            f"{where}: `probe_context` goes with the `guardrail_shape` deny_when_condition, and only so"
        )
    fields: dict[str, Any] = {name: tuple(value) if name in _LISTS else value for name, value in entry.items()}
    return Scenario(**fields)


def _check(name: str, value: Any, where: str) -> None:
    if name in _LISTS:
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise ScenarioError(f"{where}: `{name}` is a list of texts")
    elif name in _MAPPINGS:
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value):
            raise ScenarioError(f"{where}: `{name}` is a mapping with texts as keys")
    elif not isinstance(value, str):
        raise ScenarioError(f"{where}: `{name}` is a text")
    elif name in CHOICES and value not in CHOICES[name]:
        raise ScenarioError(f"{where}: `{name}` is `{value}`; it can be {', '.join(CHOICES[name])}")


def _check_actions(actions: Sequence[str], where: str, catalogue: Catalogue) -> None:
    for action in actions:
        if catalogue.number(action) is None:
            raise ScenarioError(
                f"{where}: `{action}` is no action of the catalogue; name actions in full, as `s3:PutBucketPolicy`"
            )


def _check_probe(probe: Mapping[str, Any], where: str, actions: frozenset[str]) -> None:
    """Condition key, or action and its keys, to what the request holds."""
    for key, wanted in probe.items():
        if key.lower() in actions and is_of_action(wanted):
            _check_probe(wanted, f"{where}, `probe_context` of `{key}`", frozenset())
            continue
        for one in wanted if isinstance(wanted, list) else [wanted]:
            is_named = isinstance(one, dict) and len(one) == 1 and set(one) <= _WORDS
            if not is_named and not isinstance(one, str):
                raise ScenarioError(
                    f"{where}: `probe_context`, `{key}` holds `{one}`; a value is a text, `{{absent: true}}`, "
                    "`{outside: LIST}`, `{inside: LIST}`, or a list of these"
                )


def is_of_action(wanted: Any) -> bool:
    """Whether an entry of a probe is an action with keys of its own."""
    return isinstance(wanted, Mapping) and not set(wanted) <= _WORDS
