"""The policy simulator for scripts: decision cases as JSON lines in, decisions as JSON lines out, in the same order.

A line that is not a case answers with its error and the rest goes on. Equal documents are parsed and compiled once.
"""

from __future__ import annotations

import gc
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from analytics.engine.decide import Decider, Policies, Request
from analytics.engine.decide_policy import Compiler
from analytics.iam.policy import PolicyError, parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analytics.engine.decide import Decision
    from analytics.iam.policy import PolicyDocument


MOST_STACKS = 256  # kept at a time: cases that share a stack mostly stand together


class CaseError(ValueError):
    """A line that is not a decision case; the message names the field."""


class Answer(NamedTuple):
    """One line of output without its line break, and whether it tells of an error."""

    line: bytes
    failed: bool


def simulate(lines: Iterable[bytes]) -> Iterator[Answer]:
    """Decide every case; the caller prints the lines, and exits with 2 where one failed.

    Python's search for cycles rests meanwhile: it would read the many policies over and over, and they hold none.
    """
    simulator = Simulator()
    searches = gc.isenabled()
    gc.disable()
    try:
        for line in lines:
            yield simulator.answer(line)
    finally:
        if searches:
            gc.enable()


class Simulator:
    """Decides cases one by one, and keeps what their policies have in common."""

    def __init__(self) -> None:
        self._documents: dict[bytes, PolicyDocument] = {}
        self._deciders: dict[tuple[object, ...], Decider] = {}
        self._compiler = Compiler()

    def answer(self, line: bytes) -> Answer:
        """The decision on the case in a line, or the error that it has."""
        case_id = None
        try:
            case = _read(line)
            case_id = _id(case)
            decision = self.decide(case)
        except (CaseError, PolicyError) as error:
            return Answer(orjson.dumps({"id": case_id, "error": str(error)}), failed=True)
        return Answer(orjson.dumps({"id": case_id, **as_json(decision)}), failed=False)

    def decide(self, case: dict[str, Any]) -> Decision:
        """The decision on a case as `contracts/decision-cases.md` writes it. Raises CaseError and PolicyError."""
        request = _request(_field(case, "request", dict))
        return self._decider(case).decide(request)

    def _decider(self, case: dict[str, Any]) -> Decider:
        """The compiled policies of the case; cases with the same documents share them."""
        policies = Policies(
            identity=self._list(case, "identity_policies") or (),
            boundary=self._list(case, "permission_boundary"),
            scp_levels=self._levels(case, "scps"),
            rcp_levels=self._levels(case, "rcps"),
            resource=self._resource(case),
            session=self._list(case, "session_policies"),
            management_account=_field(case, "management_account", str, None),
        )
        key = _key(policies)
        decider = self._deciders.get(key)
        if decider is None:
            if len(self._deciders) == MOST_STACKS:
                self._deciders.clear()
            decider = self._deciders[key] = Decider(policies, self._compiler)
        return decider

    def _resource(self, case: dict[str, Any]) -> PolicyDocument | None:
        document = case.get("resource_policy")
        return None if document is None else self._document(document, "resource_policy")

    def _levels(self, case: dict[str, Any], name: str) -> tuple[tuple[PolicyDocument, ...], ...]:
        levels = _field(case, name, list, [])
        for position, level in enumerate(levels):
            if not isinstance(level, list):
                msg = f"`{name}[{position}]` must be a list of policies: one list for each level, root first"
                raise CaseError(msg)
        return tuple(
            tuple(self._document(document, f"{name}[{at}][{position}]") for position, document in enumerate(level))
            for at, level in enumerate(levels)
        )

    def _list(self, case: dict[str, Any], name: str) -> tuple[PolicyDocument, ...] | None:
        documents = _field(case, name, list, None)
        if documents is None:
            return None
        return tuple(self._document(document, f"{name}[{at}]") for at, document in enumerate(documents))

    def _document(self, document: object, name: str) -> PolicyDocument:
        text = _as_bytes(document, f"policy `{name}`")
        parsed = self._documents.get(text)
        if parsed is None:
            parsed = self._documents[text] = parse_policy(document, name=name)
        return parsed


def _key(policies: Policies) -> tuple[object, ...]:
    """What tells stacks apart: their documents, of which equal ones are one object here."""
    return (
        tuple(map(id, policies.identity)),
        policies.boundary and tuple(map(id, policies.boundary)),
        tuple(tuple(map(id, level)) for level in policies.scp_levels),
        tuple(tuple(map(id, level)) for level in policies.rcp_levels),
        id(policies.resource),
        policies.session and tuple(map(id, policies.session)),
        policies.management_account,
    )


def as_json(decision: Decision) -> dict[str, Any]:
    """The fields of a decision, in the order of the contract."""
    return {
        "decision": decision.result,
        "blocked_by": list(decision.blocked_by),
        "because": [at._asdict() for at in decision.because],
        "unknown_keys": list(decision.unknown_keys),
    }


def _read(line: bytes) -> dict[str, Any]:
    try:
        case = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        msg = f"the line is not JSON: {error}"
        raise CaseError(msg) from None
    if not isinstance(case, dict):
        msg = "the line is not a JSON object; a case has `request` and the policies that bear on it"
        raise CaseError(msg)
    return case


def _id(case: dict[str, Any]) -> object:
    """The id, to be given back whatever it is; but orjson reads deeper than it writes."""
    case_id = case.get("id")
    if isinstance(case_id, list | dict):
        _as_bytes(case_id, "`id`")
    return case_id


def _as_bytes(value: object, name: str) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        msg = f"{name}: is nested far too deep"
        raise CaseError(msg) from None


def _request(fields: dict[str, Any]) -> Request:
    action = _field(fields, "action", str)
    if ":" not in action:
        msg = f"`action` must be `service:Action`, not `{action}`"
        raise CaseError(msg)
    wildcard_only = _field(fields, "wildcard_only_action", bool, None)
    context = _field(fields, "context", dict, {})
    return Request(
        principal=_field(fields, "principal", str),
        action=action,
        resource=_field(fields, "resource", str),
        resource_account=_field(fields, "resource_account", str, None),
        context={key.lower(): _values(key, values) for key, values in context.items()},
        unknown_keys=frozenset(_unknown_key(key) for key in _field(fields, "unknown_keys", list, [])),
        wildcard_only=is_wildcard_only(action.lower()) if wildcard_only is None else wildcard_only,
    )


def _values(key: str, values: object) -> tuple[str, ...]:
    """The values of a context key, as text: numbers and booleans as JSON writes them."""
    listed = values if isinstance(values, list) else [values]
    return tuple(value if isinstance(value, str) else _scalar(key, value) for value in listed)


def _scalar(key: str, value: object) -> str:
    if not isinstance(value, bool | int | float):
        msg = f"`context`, key `{key}`: a value is text or a list of texts"
        raise CaseError(msg)
    return orjson.dumps(value).decode()


def _unknown_key(key: object) -> str:
    if not isinstance(key, str):
        msg = "`unknown_keys` must be a list of condition keys"
        raise CaseError(msg)
    return key.lower()


_REQUIRED: Any = object()
_KINDS = {str: "text", dict: "an object", list: "a list", bool: "true or false"}


def _field(holder: dict[str, Any], name: str, kind: type, default: Any = _REQUIRED) -> Any:
    """A field of the right kind; null and absence give the default, where there is one."""
    value = holder.get(name)
    if value is None and default is not _REQUIRED:
        return default
    if not isinstance(value, kind):
        msg = f"`{name}` must be {_KINDS[kind]}" if name in holder else f"`{name}` is missing"
        raise CaseError(msg)
    return value


@cache
def is_wildcard_only(action: str) -> bool:
    """Whether the catalogue knows the lower-case action and gives it no resource types."""
    from analytics.iam.catalogue import load_catalogue

    catalogue = load_catalogue()
    number = catalogue.number(action)
    return number is not None and bool(catalogue.wildcard_only >> number & 1)
