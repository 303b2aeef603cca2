"""Permissions boundaries for common kinds of work: documents with parameters, each with the requests that prove it.

`data/reference/boundary_templates.yaml` holds them. INVARIANT: a template that is rendered is a policy that AWS accepts
as a boundary: it parses, every parameter is filled in, and it is not longer than a managed policy may be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

import yaml

from analytics.engine.decide import Decider, Decision, Policies, Request, Result
from analytics.findings.organization.quota import characters
from analytics.findings.organization.view import EVERYTHING
from analytics.iam.policy import Effect, PolicyDocument, Principals, Statement, parse_policy
from analytics.settings import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    Value = str | tuple[str, ...]
    Values = Mapping[str, Value]

TEMPLATES_FILE = REFERENCE / "boundary_templates.yaml"
MOST_CHARACTERS = 6_144  # IAM User Guide, "IAM and AWS STS quotas": a managed policy, white space not counted
_PLACEHOLDER = re.compile(r"<([a-z_]+)>")
_NEEDED = ("id", "title", "about", "audience", "statements", "requests")
_DEPTH = 5  # of parameters whose defaults name parameters


class TemplateError(ValueError):
    """A template or its parameters cannot be used; the message names the template, the parameter and what is wrong."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a team fills in."""

    name: str
    about: str
    is_list: bool
    default: Value | None  # None: must be given


@dataclass(frozen=True, slots=True)
class Probe:
    """One request that a template must let through or stop."""

    action: str
    resource: str
    allowed: bool
    context: tuple[tuple[str, str], ...] = ()  # condition keys as AWS writes them


@dataclass(frozen=True, slots=True)
class Template:
    """One boundary with its parameters and its proof."""

    id: str
    title: str
    about: str
    audience: str  # people, automation, emergency
    parameters: tuple[Parameter, ...]  # those that its statements name
    statements: tuple[Mapping[str, Any], ...] = field(hash=False)
    example: Mapping[str, Value] = field(hash=False)
    probes: tuple[Probe, ...] = ()
    only_in: tuple[str, ...] = ()  # environments where it is suggested; empty: all but `never_in`
    never_in: tuple[str, ...] = ()

    def belongs_in(self, environment: str | None) -> bool:
        """Whether to suggest it in an account of this environment; one that is not known counts as production."""
        word = (environment or "production").lower()
        return word not in self.never_in and (not self.only_in or word in self.only_in)


@dataclass(frozen=True, slots=True)
class Proof:
    """A probe with the decision on it."""

    probe: Probe
    decision: Decision

    @property
    def holds(self) -> bool:
        """Whether the boundary does with the request what the template promises."""
        wanted = (Result.ALLOWED,) if self.probe.allowed else (Result.IMPLICITLY_DENIED, Result.EXPLICITLY_DENIED)
        return self.decision.result in wanted


@lru_cache(maxsize=8)
def read_templates(path: Path = TEMPLATES_FILE) -> tuple[Template, ...]:
    """The templates of a file, in its order. TemplateError names what is missing."""
    raw = yaml.safe_load(path.read_text("utf-8"))
    known = {name: _parameter(name, entry) for name, entry in raw["parameters"].items()}
    return tuple(_template(entry, raw["shared"], known, path) for entry in raw["templates"])


def template(template_id: str) -> Template:
    """The template of this id; TemplateError for one that there is not."""
    found = {one.id: one for one in read_templates()}
    if template_id not in found:
        raise TemplateError(f"there is no boundary template `{template_id}`; choose one of {', '.join(found)}")
    return found[template_id]


def render(one: Template, parameters: Values) -> PolicyDocument:
    """The template as a policy. TemplateError for a parameter that is missing, unknown or of the wrong kind."""
    values = _filled_in(one, parameters)
    statements = [
        {key: _put_in(value, values, one) for key, value in statement.items() if key != "needs"}
        for statement in one.statements
        if "needs" not in statement or values[statement["needs"]]
    ]
    document = parse_policy({"Version": "2012-10-17", "Statement": statements}, name=f"boundary {one.id}")
    size = characters(document)
    if size > MOST_CHARACTERS:
        raise TemplateError(
            f"template `{one.id}` with these parameters has {size} characters, and a managed policy may have "
            f"{MOST_CHARACTERS}; shorten its lists"
        )
    return document


def prove(one: Template, parameters: Values | None = None, document: PolicyDocument | None = None) -> tuple[Proof, ...]:
    """Put every probe to the boundary. Without parameters: those of its example.

    The caller has every permission, and the resources' own policies admit its account: only the boundary can stop it.
    """
    values = _filled_in(one, one.example if parameters is None else parameters)
    account_id = str(values["account_id"])
    admits = Statement(Effect.ALLOW, action=("*",), resource=("*",), principal=Principals(aws=(account_id,)))
    policies = Policies(
        identity=(EVERYTHING.document,),
        boundary=(document or render(one, values),),
        resource=PolicyDocument((admits,), "2012-10-17"),
    )
    decider = Decider(policies)
    caller = f"arn:{values['partition']}:iam::{account_id}:role/app/someone"
    return tuple(Proof(probe, decider.decide(_request(caller, probe))) for probe in one.probes)


def _request(caller: str, probe: Probe) -> Request:
    context = {key.lower(): (value,) for key, value in probe.context}
    return Request(caller, probe.action, probe.resource, context=context)


def _filled_in(one: Template, given: Values) -> dict[str, Value]:
    """Every parameter with its value; a default may name other parameters."""
    known = {parameter.name: parameter for parameter in one.parameters}
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise TemplateError(
            f"template `{one.id}` has no parameter `{unknown}`; its parameters are {', '.join(sorted(known))}"
        )
    values: dict[str, Value] = {}
    for parameter in one.parameters:
        value = given.get(parameter.name, parameter.default)
        if value is None or (not parameter.is_list and not value and parameter.default is None):
            raise TemplateError(f"template `{one.id}`: parameter `{parameter.name}` is missing ({parameter.about})")
        if isinstance(value, str) is parameter.is_list:
            kind = "a list of texts" if parameter.is_list else "one text"
            raise TemplateError(f"template `{one.id}`: parameter `{parameter.name}` must be {kind}")
        values[parameter.name] = value
    for _ in range(_DEPTH):
        values = {name: _put_in_value(value, values, one) for name, value in values.items()}
    return values


def _put_in_value(value: Value, values: Values, one: Template) -> Value:
    if isinstance(value, str):
        return next(iter(_expanded(value, values, one)), "")
    return tuple(text for entry in value for text in _expanded(entry, values, one))


def _put_in(value: Any, values: Values, one: Template) -> Any:
    """Fill the placeholders in; a text with a list becomes a list."""
    if isinstance(value, dict):
        return {key: _put_in(inner, values, one) for key, inner in value.items()}
    if isinstance(value, list):
        return [text for inner in value for text in _expanded(inner, values, one)]
    texts = _expanded(value, values, one)
    return texts[0] if len(texts) == 1 else texts


def _expanded(text: str, values: Values, one: Template) -> list[str]:
    """The text once for every combination of the values of its placeholders."""
    names = list(dict.fromkeys(_PLACEHOLDER.findall(text)))
    missing = next((name for name in names if name not in values), None)
    if missing is not None:
        raise TemplateError(f"template `{one.id}` names `<{missing}>`, which is not one of its parameters")
    choices = [(value,) if isinstance(value := values[name], str) else value for name in names]
    found = []
    for chosen in product(*choices):
        by_name = dict(zip(names, chosen, strict=True))
        parts = _PLACEHOLDER.split(text)  # text, name, text, name … text
        found.append("".join(by_name[part] if at % 2 else part for at, part in enumerate(parts)))
    return found


def _template(
    entry: Mapping[str, Any], shared: Mapping[str, Any], known: Mapping[str, Parameter], path: Path
) -> Template:
    missing = next(
        (key for key in ("id", "title", "about", "audience", "statements", "requests") if key not in entry), ""
    )
    if missing:
        raise TemplateError(f"`{path}`, template `{entry.get('id', '?')}`: `{missing}` is missing")
    statements = tuple(_statements(entry, shared, path))
    names = _names(statements, known, {"account_id", "partition", "boundary_path", "boundary_name"})
    parameters = tuple(
        Parameter("boundary_name", known[name].about, is_list=False, default=entry["id"])
        if name == "boundary_name"
        else known[name]
        for name in known
        if name in names
    )
    example = {name: _value(value) for name, value in entry.get("example", {}).items()}
    probes = tuple(
        _probe(request, allowed=kind == "allowed", account_id=str(example.get("account_id", "")))
        for kind in ("allowed", "stopped")
        for request in entry["requests"][kind]
    )
    return Template(
        entry["id"],
        entry["title"],
        entry["about"],
        entry["audience"],
        parameters,
        statements,
        example,
        probes,
        only_in=tuple(entry.get("only_in", ())),
        never_in=tuple(entry.get("never_in", ())),
    )


def _statements(entry: Mapping[str, Any], shared: Mapping[str, Any], path: Path) -> Iterator[Mapping[str, Any]]:
    for statement in entry["statements"]:
        if "use" not in statement:
            yield statement
        elif statement["use"] in shared:
            yield from shared[statement["use"]]
        else:
            raise TemplateError(f"`{path}`, template `{entry['id']}`: nothing is shared as `{statement['use']}`")


def _names(statements: Sequence[object], known: Mapping[str, Parameter], always: set[str]) -> set[str]:
    """The parameters that the statements name, and those that their defaults name."""
    names = always | {name for text in _texts(statements) for name in _PLACEHOLDER.findall(text)}
    for _ in range(_DEPTH):
        defaults = [known[name].default for name in names if name in known]
        names |= {name for text in _texts(defaults) for name in _PLACEHOLDER.findall(text)}
    return names


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _parameter(name: str, entry: Mapping[str, Any]) -> Parameter:
    default = entry.get("default")
    return Parameter(name, entry["about"], entry["kind"] == "list", None if default is None else _value(default))


def _value(value: str | Iterable[str]) -> Value:
    return value if isinstance(value, str) else tuple(value)


def _probe(request: Mapping[str, Any], *, allowed: bool, account_id: str) -> Probe:
    """A request of the file; `region` and `boundary` are short for their condition keys."""
    context = dict(request.get("context", {}))
    if "region" in request:
        context["aws:RequestedRegion"] = request["region"]
    if "boundary" in request:
        policy = request["boundary"]
        context["iam:PermissionsBoundary"] = (
            policy if policy.startswith("arn:") else f"arn:aws:iam::{account_id}:policy/{policy}"
        )
    return Probe(request["action"], request["resource"], allowed, tuple(context.items()))
