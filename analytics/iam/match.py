"""Matching texts as IAM matches them: `*` is any run of characters, `?` is any one, no other character is special.

A text of a policy becomes a template once (literal text, wildcards, variables), and a test of other texts when the
variables have their values. A variable stands for its value letter by letter: a `*` inside it is a `*`.
IAM User Guide, "IAM JSON policy elements: Resource", "… Action" and "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Test = Callable[[str], bool]

ARN_PARTS = 6


class Wild(Enum):
    """The two wildcards."""

    RUN = "*"
    ONE = "?"


class Variable(NamedTuple):
    """`${aws:username}` or `${aws:PrincipalTag/team, 'none'}`; the key in lower case, as keys ignore case."""

    key: str
    default: str | None = None


Part = str | Wild | Variable
Template = tuple[Part, ...]

_WILD = re.compile(r"(?P<variable>(?!))|[*?]")
_WILD_OR_VARIABLE = re.compile(r"\$\{(?P<variable>[^{}]*)\}|[*?]")
_VARIABLE = re.compile(r"\s*([^,']*?)\s*(?:,\s*'(.*)'\s*)?", re.DOTALL)
_LITERALS = {"*", "?", "$"}  # ${*}, ${?} and ${$}


@lru_cache(maxsize=65_536)
def template(text: str, *, variables: bool) -> Template:
    """Split a policy's text; `variables` is false for Version 2008-10-17, which takes `${…}` as it stands."""
    parts: list[Part] = []
    end = 0
    for found in (_WILD_OR_VARIABLE if variables else _WILD).finditer(text):
        part = _special(found)
        if part is None:
            continue
        parts.append(text[end : found.start()])
        parts.append(part)
        end = found.end()
    parts.append(text[end:])
    return tuple(_joined(parts))


def completed(pattern: str) -> str:
    """A Resource text with the parts that an incomplete ARN lacks: `arn:aws:sqs` is `arn:aws:sqs:*:*:*`.

    IAM User Guide, "Identify AWS resources with ARNs". A variable can stand only in the sixth part.
    """
    missing = ARN_PARTS - 1 - pattern.count(":")
    if missing <= 0 or not pattern.startswith("arn:") or "${" in pattern:
        return pattern
    return pattern + ":*" * missing


def variable_keys(parts: Template) -> frozenset[str]:
    """The condition keys whose values the template needs, in lower case."""
    return frozenset([part.key for part in parts if isinstance(part, Variable)]) if has_variables(parts) else _NO_KEYS


def has_variables(parts: Template) -> bool:
    """Whether the template needs values before it can be compared."""
    return any(isinstance(part, Variable) for part in parts)


_NO_KEYS: frozenset[str] = frozenset()


def filled(parts: Template, value_of: Callable[[str], str | None]) -> Template | None:
    """Put values in place of variables; None when one has neither a value nor a default, so that nothing matches."""
    values: list[Part] = []
    for part in parts:
        if isinstance(part, Variable):
            value = value_of(part.key)
            if value is None:
                value = part.default
            if value is None:
                return None
            values.append(value)
        else:
            values.append(part)
    return tuple(_joined(values))


def plain(parts: Template) -> str:
    """The text of a filled template where `*` and `?` have no meaning (StringEquals)."""
    return "".join(part.value if isinstance(part, Wild) else str(part) for part in parts)


@lru_cache(maxsize=65_536)
def text_test(parts: Template) -> Test:
    """A test of whole texts against a filled template."""
    match parts:
        case ():
            return "".__eq__
        case (str(literal),):
            return literal.__eq__
        case (Wild.RUN,):
            return _always
        case (str(prefix), Wild.RUN):
            return lambda text: text.startswith(prefix)
    matches = re.compile(_pattern(parts, "."), re.DOTALL).match
    return lambda text: matches(text) is not None


@lru_cache(maxsize=65_536)
def arn_test(parts: Template) -> Test | None:
    """A test of ARNs part by part: a wildcard stays within its part. None when the template is no ARN."""
    segments = _segments(parts)
    if len(segments) < ARN_PARTS:
        return None
    *head, resource = segments
    pattern = "".join(f"{_pattern(segment, '[^:]', end=':')}" for segment in head) + _pattern(resource, ".")
    matches = re.compile(pattern, re.DOTALL).match
    return lambda text: matches(text) is not None


class SortedTests(NamedTuple):
    """Filled templates by what it takes to test a text: equality, a prefix (Python compares many at once), more."""

    literals: frozenset[str]
    prefixes: tuple[str, ...]
    tests: tuple[Test, ...]


def sorted_tests(templates: Iterable[Template]) -> SortedTests:
    """Sort templates by their form; a text matches one of them if it passes any of the three."""
    literals: set[str] = set()
    prefixes: list[str] = []
    tests: list[Test] = []
    for parts in templates:
        match parts:
            case (str(literal),):
                literals.add(literal)
            case (str(prefix), Wild.RUN):
                prefixes.append(prefix)
            case _:
                tests.append(text_test(parts))
    return SortedTests(frozenset(literals), tuple(prefixes), tuple(tests))


def any_text_test(templates: Iterable[Template]) -> Test:
    """A test of whole texts against several filled templates at once."""
    literals, prefixes, tests = sorted_tests(templates)
    if not tests and not prefixes:
        return literals.__contains__
    return lambda text: text in literals or text.startswith(prefixes) or any(test(text) for test in tests)


def is_arn(text: str) -> bool:
    """Whether a text has the six parts of an ARN."""
    return text.count(":") >= ARN_PARTS - 1


def text_matches(pattern: str, text: str) -> bool:
    """Whether a text matches a pattern without variables."""
    return text_test(template(pattern, variables=False))(text)


def arn_matches(pattern: str, arn: str) -> bool:
    """Whether an ARN matches a pattern without variables, part by part."""
    test = arn_test(template(pattern, variables=False))
    return test is not None and test(arn)


def action_matches(pattern: str, action: str) -> bool:
    """Whether `s3:GetObject` matches `s3:get*`, whatever the case."""
    return ActionSet((pattern,)).matches(action.lower())


class ActionSet:
    """The patterns of one Action or NotAction element, indexed by service: a look-up instead of a scan.

    A pattern that AWS would refuse matches nothing: one without a service, or with a wildcard in it (but `*:*`).
    """

    __slots__ = ("_all", "_index", "_literals", "_names")

    def __init__(self, patterns: Iterable[str]) -> None:
        self._all = False
        self._literals: set[str] = set()
        self._names: dict[str, list[str]] = {}  # service → name patterns with wildcards
        self._index: dict[str, SortedTests] = {}  # made when first asked
        for pattern in patterns:
            self._add(pattern.lower())

    def matches(self, action: str) -> bool:
        """Whether any pattern matches a lower-case `service:action`."""
        if self._all or action in self._literals:
            return True
        service, _, name = action.partition(":")
        if service not in self._names:
            return False
        index = self._index.get(service)
        if index is None:
            index = sorted_tests(template(pattern, variables=False) for pattern in self._names[service])
            self._index[service] = index
        _, prefixes, tests = index
        return name.startswith(prefixes) or any(test(name) for test in tests)

    def _add(self, pattern: str) -> None:
        if pattern in ("*", "*:*") or not pattern.strip("*"):
            self._all = self._all or pattern != ""
            return
        service, colon, name = pattern.partition(":")
        if not colon:
            return
        if _is_wild(name):
            self._names.setdefault(service, []).append(name)
        else:
            self._literals.add(pattern)


def _special(found: re.Match[str]) -> Part | None:
    """A wildcard, a variable, a literal for `${*}`; None for text that only looks like a variable."""
    inside = found["variable"]
    if inside is None:
        return Wild(found.group())
    if inside in _LITERALS:
        return inside
    named = _VARIABLE.fullmatch(inside)
    if named is None or not named.group(1):
        return None
    return Variable(named.group(1).lower(), named.group(2))


def _joined(parts: Iterable[Part]) -> Iterable[Part]:
    """Neighbouring literals as one, runs of `*` as one `*`, and no empty text."""
    kept: list[Part] = []
    for part in parts:
        last = kept[-1] if kept else None
        if part == "" or (part is Wild.RUN and last is Wild.RUN):
            continue
        if isinstance(part, str) and isinstance(last, str):
            kept[-1] = last + part
        else:
            kept.append(part)
    return kept


def _segments(parts: Template) -> list[list[Part]]:
    """The six parts of an ARN; further colons belong to the last one."""
    segments: list[list[Part]] = [[]]
    for part in parts:
        if not isinstance(part, str):
            segments[-1].append(part)
            continue
        first, *rest = part.split(":", ARN_PARTS - len(segments))
        segments[-1].append(first)
        segments.extend([text] for text in rest)
    return segments


def _pattern(parts: Sequence[Part], any_one: str, end: str = r"\Z") -> str:
    """A regular expression whose cost is linear in the text: what stands between two `*` is found once, atomically."""
    runs: list[str] = [""]
    for part in parts:
        if part is Wild.RUN:
            runs.append("")
        else:
            runs[-1] += any_one if part is Wild.ONE else re.escape(str(part))
    first, *rest = runs
    if not rest:
        return first + end
    *middle, last = rest
    return first + "".join(f"(?>{any_one}*?{run})" for run in middle) + f"{any_one}*{last}{end}"


def _is_wild(text: str) -> bool:
    return "*" in text or "?" in text


def _always(_text: str) -> bool:
    return True
