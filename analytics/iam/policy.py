"""Policy documents: parsed once at the door, frozen after that (IAM User Guide, "IAM JSON policy reference").

What AWS refuses as a whole raises `PolicyError`. What AWS stores and then never matches (an action name with a
blank, an empty list) is kept, and matches nothing here either. INVARIANT: `parse_policy(to_json(p)) == p`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn
from urllib.parse import unquote

VERSIONS = ("2012-10-17", "2008-10-17")
POLICY_ELEMENTS = frozenset({"Version", "Id", "Statement"})
STATEMENT_ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"},
)
QUALIFIERS = {"forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue"}
_TEXT_TESTS = ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")
_COMPARISONS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
OPERATORS = (
    *(f"String{test}" for test in _TEXT_TESTS),
    *(f"{family}{comparison}" for family in ("Numeric", "Date") for comparison in _COMPARISONS),
    *(f"Arn{test}" for test in ("Equals", "NotEquals", "Like", "NotLike")),
    *("Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"),
)
_OPERATOR_OF = {name.lower(): name for name in OPERATORS}


class PolicyError(ValueError):
    """A document that is not a policy; the message names the policy, the statement and the element."""


class Effect(StrEnum):
    """The two effects of a statement."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key: `ForAnyValue:StringLikeIfExists` is operator, qualifier and `if_exists`."""

    operator: str  # "StringLike", in AWS's spelling
    key: str  # as written; condition keys ignore case
    values: tuple[str, ...]
    qualifier: str | None = None  # "ForAllValues" or "ForAnyValue"
    if_exists: bool = False

    @property
    def operator_text(self) -> str:
        """The operator as a policy writes it, with qualifier and suffix."""
        prefix = f"{self.qualifier}:" if self.qualifier else ""
        return f"{prefix}{self.operator}{'IfExists' if self.if_exists else ''}"


@dataclass(frozen=True, slots=True)
class Principals:
    """The Principal or NotPrincipal element."""

    everyone: bool = False  # "*"
    aws: tuple[str, ...] = ()  # account ids, ARNs, unique ids, "*"
    service: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    canonical_user: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; of each pair (`action`, `not_action` …) at most one is not empty.

    Neither `resource` nor `not_resource`: the element is absent (a trust policy), so it speaks of its own resource.
    Neither `action` nor `not_action`: some element is an empty list, so the statement matches no request.
    """

    effect: Effect
    sid: str | None = None
    action: tuple[str, ...] = ()
    not_action: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    not_resource: tuple[str, ...] = ()
    condition: tuple[Condition, ...] = ()
    principal: Principals | None = None
    not_principal: Principals | None = None


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A whole policy."""

    statements: tuple[Statement, ...]
    version: str = "2008-10-17"
    id: str | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in which policy we are, for messages."""

    policy: str
    statement: int | None = None

    def refuse(self, element: str | None, reason: str) -> NoReturn:
        where = f"policy `{self.policy}`"
        if self.statement is not None:
            where += f", statement {self.statement}"
        if element is not None:
            where += f", `{element}`"
        raise PolicyError(f"{where}: {reason}")


def parse_policy(document: object, *, name: str) -> PolicyDocument:
    """Parse a dict, or JSON as text or bytes (also percent-encoded, as IAM's API returns it)."""
    place = _Place(name)
    if isinstance(document, bytes | bytearray | str):
        document = _read_json(document, place)
    if not isinstance(document, dict):
        place.refuse(None, f"a policy is a JSON object, this is {_kind(document)}")
    _refuse_unknown(document, POLICY_ELEMENTS, place)
    version = document.get("Version", "2008-10-17")
    if version not in VERSIONS:
        place.refuse("Version", f"{_shown(version)} is not a version of the policy language; use `2012-10-17`")
    if "Statement" not in document:
        place.refuse("Statement", "is missing; a policy has one statement or a list of them")
    statements = document["Statement"]
    if not isinstance(statements, list):
        statements = [statements]
    return PolicyDocument(
        tuple(_statement(statement, _Place(name, index)) for index, statement in enumerate(statements)),
        version,
        _optional_text(document, "Id", place),
    )


def to_json(document: PolicyDocument) -> dict[str, Any]:
    """Print the policy as a JSON object that parses to an equal one."""
    printed: dict[str, Any] = {"Version": document.version}
    if document.id is not None:
        printed["Id"] = document.id
    printed["Statement"] = [_statement_json(statement) for statement in document.statements]
    return printed


def _read_json(document: str | bytes | bytearray, place: _Place) -> object:
    try:
        text = document if isinstance(document, str) else document.decode("utf-8-sig")
        text = text.strip().removeprefix("\ufeff")
        if text.startswith("%"):
            text = unquote(text, errors="strict")
        return _in_whole_letters(
            json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant), text
        )
    except RecursionError:
        place.refuse(None, "is nested far deeper than any policy")
    except ValueError as error:  # not UTF-8, not JSON, a duplicate element, a number of thousands of digits
        place.refuse(None, f"is not a JSON document that AWS would accept: {error}")


def _in_whole_letters(read: object, text: str) -> object:
    """Refuse half a letter, a lone surrogate: JSON can spell it, and UTF-8 cannot hold it."""
    if "\\ud" in text.lower():
        json.dumps(read, ensure_ascii=False).encode()
    return read


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    elements = dict(pairs)
    if len(elements) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"the element `{twice}` stands twice in one object"
        raise ValueError(msg)
    return elements


def _no_constant(constant: str) -> NoReturn:
    msg = f"`{constant}` is not JSON"
    raise ValueError(msg)


def _statement(statement: object, place: _Place) -> Statement:
    if not isinstance(statement, dict):
        place.refuse(None, f"a statement is a JSON object, this is {_kind(statement)}")
    _refuse_unknown(statement, STATEMENT_ELEMENTS, place)
    for element in ("Action", "Resource", "Principal"):
        if element in statement and f"Not{element}" in statement:
            place.refuse(element, f"stands beside `Not{element}`; AWS accepts one of the two")
    if "Action" not in statement and "NotAction" not in statement:
        place.refuse("Action", "is missing; a statement has `Action` or `NotAction`")
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        place.refuse("Effect", f"is {_shown(effect)}; it must be `Allow` or `Deny`, in this spelling")
    lists = {name: _texts(statement[name], name, place) for name in _LISTS if name in statement}
    affects_nothing = not all(lists.values())
    return Statement(
        effect=Effect(effect),
        sid=_optional_text(statement, "Sid", place),
        action=() if affects_nothing else lists.get("Action", ()),
        not_action=() if affects_nothing else lists.get("NotAction", ()),
        resource=lists.get("Resource", ()),
        not_resource=lists.get("NotResource", ()),
        condition=_conditions(statement["Condition"], place) if "Condition" in statement else (),
        principal=_principals(statement, "Principal", place),
        not_principal=_principals(statement, "NotPrincipal", place),
    )


_LISTS = ("Action", "NotAction", "Resource", "NotResource")


def _principals(statement: dict[str, object], element: str, place: _Place) -> Principals | None:
    if element not in statement:
        return None
    value = statement[element]
    if isinstance(value, str):  # AWS documents "*" alone; its services also take the text of an ARN
        return Principals(everyone=True) if value == "*" else Principals(aws=(value,))
    if not isinstance(value, dict):
        place.refuse(element, f'must be "*" or an object such as {{"AWS": …}}, not {_shown(value)}')
    unknown = next((kind for kind in value if kind not in _PRINCIPAL_FIELDS), None)
    if unknown is not None:
        place.refuse(element, f"{_shown(unknown)} is not `AWS`, `Service`, `Federated` or `CanonicalUser`")
    lists = {kind: _texts(texts, element, place) for kind, texts in value.items()}
    return Principals(
        aws=lists.get("AWS", ()),
        service=lists.get("Service", ()),
        federated=lists.get("Federated", ()),
        canonical_user=lists.get("CanonicalUser", ()),
    )


_PRINCIPAL_FIELDS = {"AWS": "aws", "Service": "service", "Federated": "federated", "CanonicalUser": "canonical_user"}


def _conditions(block: object, place: _Place) -> tuple[Condition, ...]:
    if not isinstance(block, dict):
        place.refuse("Condition", f"must be an object of operators, this is {_kind(block)}")
    if len({str(written).lower() for written in block}) < len(block):
        place.refuse("Condition", "holds one operator twice, in different case; put its keys together")
    conditions = []
    for written, keys in block.items():
        qualifier, operator, if_exists = _operator(written, place)
        if not isinstance(keys, dict):
            place.refuse(f"Condition.{written}", f"must be an object of condition keys, this is {_kind(keys)}")
        for key, values in keys.items():
            texts = tuple(_value(value, f"Condition.{written}.{key}", place) for value in _listed(values))
            conditions.append(Condition(operator, key, texts, qualifier, if_exists))
    return tuple(conditions)


def _operator(written: str, place: _Place) -> tuple[str | None, str, bool]:
    """Qualifier, base operator in AWS's spelling, and whether `IfExists` follows; AWS ignores the case here."""
    prefix, colon, rest = written.lower().rpartition(":")
    base = rest.removesuffix("ifexists")
    if base not in _OPERATOR_OF or (colon and prefix not in QUALIFIERS):
        place.refuse("Condition", f"`{written}` is not a condition operator")
    if base == "null" and base != rest:
        place.refuse("Condition", f"`{written}`: `Null` takes no `IfExists`, it asks just that")
    return QUALIFIERS.get(prefix), _OPERATOR_OF[base], base != rest


def _value(value: object, element: str, place: _Place) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, int | float):
        place.refuse(element, f"a value is text, a number or a boolean, this is {_kind(value)}")
    return _digits(value, element, place)


def _digits(number: float, element: str, place: _Place) -> str:
    try:
        return str(number)
    except ValueError:  # Python refuses to print integers of thousands of digits
        place.refuse(element, "the number has more digits than any condition compares")


def _texts(value: object, element: str, place: _Place) -> tuple[str, ...]:
    texts = _listed(value)
    for text in texts:
        if not isinstance(text, str):
            place.refuse(element, f"must be text or a list of texts, not {_kind(text)}")
    return tuple(texts)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _optional_text(holder: dict[str, object], element: str, place: _Place) -> str | None:
    value = holder.get(element)
    if element in holder and not isinstance(value, str):
        place.refuse(element, f"must be text, this is {_kind(value)}")
    return value if isinstance(value, str) else None


def _refuse_unknown(holder: dict[Any, object], known: frozenset[str], place: _Place) -> None:
    for element in holder:
        if element not in known:
            place.refuse(None, f"{_shown(element)} is not an element of a policy")


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number" if isinstance(value, int | float) else f"a `{type(value).__name__}`")


def _shown(value: object) -> str:
    return f"`{value[:80]}`" if isinstance(value, str) else _kind(value)


def _statement_json(statement: Statement) -> dict[str, Any]:
    printed: dict[str, Any] = {}
    if statement.sid is not None:
        printed["Sid"] = statement.sid
    printed["Effect"] = statement.effect.value
    for element, principals in (("Principal", statement.principal), ("NotPrincipal", statement.not_principal)):
        if principals is not None:
            printed[element] = _principals_json(principals)
    if statement.not_action:
        printed["NotAction"] = list(statement.not_action)
    else:
        printed["Action"] = list(statement.action)
    if statement.resource:
        printed["Resource"] = list(statement.resource)
    if statement.not_resource:
        printed["NotResource"] = list(statement.not_resource)
    if statement.condition:
        printed["Condition"] = _conditions_json(statement.condition)
    return printed


def _principals_json(principals: Principals) -> str | dict[str, list[str]]:
    if principals.everyone:
        return "*"
    fields = ((kind, getattr(principals, field)) for kind, field in _PRINCIPAL_FIELDS.items())
    return {kind: list(values) for kind, values in fields if values}


def _conditions_json(conditions: tuple[Condition, ...]) -> dict[str, dict[str, list[str]]]:
    printed: dict[str, dict[str, list[str]]] = {}
    for condition in conditions:
        printed.setdefault(condition.operator_text, {})[condition.key] = list(condition.values)
    return printed
