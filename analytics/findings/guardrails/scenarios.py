"""Risk scenarios, the rows of the guardrail matrix: `data/reference/guardrail_scenarios.yaml`, and a team's own file.

A scenario is a question: if a principal in an account tried these actions, which layer would stop it? What the fields
and states mean stands in the head of that file. INVARIANTS: a scenario that was read names known actions only; one
that does not fit is named, and the others of its file stand.
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
_LAYERS = (*CHOICES["best_layer"], "identity")
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
    """Ours, and those of the folder's `guardrails.yaml` that fit; an own scenario replaces ours of its id."""
    own = own_scenarios(folder)[0] if folder is not None else ()
    return tuple(
        ({scenario.id: scenario for scenario in _ours()} | {scenario.id: scenario for scenario in own}).values()
    )


def own_scenarios(folder: Path) -> tuple[tuple[Scenario, ...], tuple[str, ...]]:
    """A team's own scenarios that fit, and a sentence on each that does not; none where there is no file."""
    path = folder / OWN_FILE
    if not path.exists():
        return (), ()
    try:
        return read_scenarios(path)
    except ScenarioError as error:
        return (), (str(error),)


def chosen(scenarios: Sequence[Scenario], *, extended: bool) -> tuple[Scenario, ...]:
    """The core scenarios, or all."""
    return tuple(scenario for scenario in scenarios if extended or scenario.set == "core")


def read_scenarios(path: Path, catalogue: Catalogue | None = None) -> tuple[tuple[Scenario, ...], tuple[str, ...]]:
    """The scenarios of a file that fit, and a sentence on each that does not; ScenarioError where it holds no list."""
    try:
        raw = yaml.load(path.read_text("utf-8"), Loader=_Reader)  # noqa: S506 a SafeLoader
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ScenarioError(f"`{path}` is not readable YAML ({reason}); correct it or remove it") from error
    entries = raw.get("scenarios") if isinstance(raw, dict) else None
    if not isinstance(entries, list):
        raise ScenarioError(f"`{path}` needs a list `scenarios`, as `data/reference/guardrail_scenarios.yaml` has one")
    known = catalogue or load_catalogue()
    found: dict[str, Scenario] = {}
    problems = []
    for number, entry in enumerate(entries, start=1):
        where = f"`{path}`, scenario {number}"
        try:
            one = _scenario(entry, where, known)
        except ScenarioError as error:
            problems.append(" ".join(str(error).split()))
            continue
        if one.id in found:
            problems.append(f"{where}: the `id` `{one.id}` stands twice; the first counts")
        else:
            found[one.id] = one
    return tuple(found.values()), tuple(problems)


class _Reader(yaml.SafeLoader):
    """YAML lets the last of two equal keys win in silence; here that is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """As SafeLoader, where every key stands once."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key `{twice}` stands twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


@cache
def _ours() -> tuple[Scenario, ...]:
    found, problems = read_scenarios(SCENARIOS_FILE)
    if problems:
        raise ScenarioError(problems[0])
    return found


def lists_named(context: object) -> list[str]:
    """The lists of the settings that a probe speaks of."""
    if isinstance(context, Mapping):
        own = [value for key, value in context.items() if key in ("outside", "inside")]
        return [*own, *(name for key, value in context.items() if key not in own for name in lists_named(value))]
    return [name for value in context for name in lists_named(value)] if isinstance(context, list | tuple) else []


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
    actions = frozenset(map(str.lower, entry["actions"]))
    _check_probe(entry.get("probe_context") or {}, where, actions)
    for name in ("pinned_by", "narrowed_by"):
        _check_keys(name, entry.get(name) or {}, where, actions)
    if bool(entry.get("probe_context")) != (entry.get("guardrail_shape") == "deny_when_condition"):
        raise ScenarioError(
            f"{where}: `probe_context` goes with the `guardrail_shape` deny_when_condition, and only so"
        )
    fields: dict[str, Any] = {name: tuple(value) if name in _LISTS else value for name, value in entry.items()}
    return Scenario(**fields)


def _check(name: str, value: Any, where: str) -> None:
    if name in _LISTS:
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            raise ScenarioError(f"{where}: `{name}` is a list of texts")
        other = next((one for one in value if one not in _LAYERS), None) if name == "other_layers" else None
        if other is not None:
            raise ScenarioError(f"{where}: `other_layers` names `{other}`; it can hold {', '.join(_LAYERS)}")
    elif name in _MAPPINGS:
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value):
            raise ScenarioError(f"{where}: `{name}` is a mapping with texts as keys")
    elif not isinstance(value, str) or not value.strip():
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
        if not isinstance(key, str) or ":" not in key:
            raise ScenarioError(f"{where}: `probe_context` names `{key}`, which is no condition key and no action")
        if key.lower() in actions and is_of_action(wanted):
            _check_probe(wanted, f"{where}, `probe_context` of `{key}`", frozenset())
            continue
        if wanted == []:
            raise ScenarioError(f"{where}: `probe_context`, `{key}` holds no value")
        for one in wanted if isinstance(wanted, list) else [wanted]:
            if not _is_value(one):
                raise ScenarioError(
                    f"{where}: `probe_context`, `{key}` holds `{one}`; a value is a text, `{{absent: true}}`, "
                    "`{outside: LIST}`, `{inside: LIST}`, or a list of these"
                )


def _is_value(one: Any) -> bool:
    """Whether it is a text, or one of the words with what belongs to it."""
    if not isinstance(one, dict):
        return isinstance(one, str)
    ((word, value),) = one.items() if len(one) == 1 else ((None, None),)
    return value is True if word == "absent" else word in _WORDS and isinstance(value, str) and bool(value)


def _check_keys(name: str, held: Mapping[str, Any], where: str, actions: frozenset[str]) -> None:
    for action, key in held.items():
        if action.lower() not in actions:
            raise ScenarioError(f"{where}: `{name}` names `{action}`, which is none of its `actions`")
        if not isinstance(key, str) or ":" not in key:
            raise ScenarioError(f"{where}: `{name}` of `{action}` is a condition key, as `iam:PermissionsBoundary`")


def is_of_action(wanted: Any) -> bool:
    """Whether an entry of a probe is an action with keys of its own."""
    return isinstance(wanted, Mapping) and not set(wanted) <= _WORDS
