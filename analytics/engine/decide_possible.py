"""The values that an unknown key could have had, as far as the statements at hand can tell them apart.

Every key may have been absent. Beyond that a list holds one value for each way in which a value can meet some of the
conditions on its key and not the others; several values at once only where a condition asks about sets of values.
A key that is only ever compared as a number, date, address, boolean or ARN is taken to have been one.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import combinations, pairwise, product
from typing import TYPE_CHECKING

from analytics.engine.decide_principal import IDENTITY_KEYS
from analytics.iam.compare import number, point_in_time
from analytics.iam.condition import Context, Presence, Requirement
from analytics.iam.match import Variable, Wild, filled, plain, variable_keys
from analytics.iam.witness import ANY_ARN, Pattern, TooManyStatesError, examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from analytics.engine.decide_plan import Plan
    from analytics.engine.decide_weigh import Asked
    from analytics.iam.match import Template

    Values = tuple[str, ...]

ABSENT: Values = ()
ANY_TEXT = "~"  # no policy compares with it
MOST_TOGETHER = 3  # values of one key at once
MOST_TEXTS = 64  # of one key
ROUNDS = 2  # of handing texts from key to key
MOST_RUNS = 4  # `*` beside an unknown variable: more could be fitted in too many ways


def unknown_keys(plan: Plan, context: Context) -> tuple[str, ...]:
    """The keys that the statements look at and the request leaves unknown."""
    looked_at = frozenset[str]().union(*(statement.keys for statement in plan.statements()))
    if any(_principal_texts(plan)):
        looked_at |= IDENTITY_KEYS
    return tuple(sorted(key for key in looked_at if context.is_unknown(key)))


class Possible:
    """The statements of one plan as questions about the keys that a request leaves unknown."""

    def __init__(self, plan: Plan, asked: Asked, context: Context) -> None:
        self._asked = asked
        self._context = context
        self._statements = tuple(plan.statements())
        self._requirements = [need for statement in self._statements for need in statement.requirements]
        self._principal_texts = tuple(_principal_texts(plan))
        self.keys = unknown_keys(plan, context)
        self._texts = {key: self._texts_compared(key) for key in self.keys}
        entangled = [key for key in self.keys if self._is_entangled(key)]
        unlike = [f"{ANY_TEXT}{number}" for number in range(len(entangled) + 1)]  # enough for all keys to differ
        for key in entangled:
            self._note(key, [*unlike, *self._texts_in_scopes(key)])
        for _ in range(ROUNDS):
            self._trade_texts()

    def values(self) -> dict[str, list[Values]]:
        """For each unknown key the values to try, absence first."""
        return {key: [ABSENT, *self._present(key)] for key in self.keys}

    def _present(self, key: str) -> list[Values]:
        texts = self._texts[key] or [ANY_TEXT]
        on_key = [need for need in self._requirements if need.key == key]
        sets = sum(need.condition.qualifier is not None for need in on_key)
        together = range(2, min(sets, MOST_TOGETHER) + 2) if sets else ()
        choices = [(text,) for text in texts] + [some for size in together for some in combinations(texts, size)]
        return choices if self._is_entangled(key) else self._distinct(key, choices, on_key)

    def _distinct(self, key: str, choices: list[Values], on_key: list[Requirement | Presence]) -> list[Values]:
        """One choice for each row of answers that the conditions on the key can give."""
        kept: dict[tuple[bool | None, ...], Values] = {}
        for choice in choices:
            context = Context({**self._context.values, key: choice}, self._context.unknown)
            kept.setdefault(tuple(need.truth(context) for need in on_key), choice)
        return list(kept.values())

    def _is_entangled(self, key: str) -> bool:
        """Whether the key's value itself goes elsewhere, or is compared with another unknown."""
        if key in IDENTITY_KEYS and self._principal_texts:
            return True
        substituted = any(key in statement.scope.keys for statement in self._statements)
        compared = any(key in need.keys and len(need.keys) > 1 for need in self._requirements)
        return substituted or compared

    def _texts_compared(self, key: str) -> list[str]:
        """Values that tell apart the conditions on the key."""
        needs = [need for need in self._requirements if isinstance(need, Requirement) and need.key == key]
        texts = list(self._principal_texts) if key in IDENTITY_KEYS else []
        for kind, make in _TYPED.items():
            wanted = [plain(want) for need in needs if kind in need.condition.operator for want in need.wanted]
            texts += make(wanted) if wanted else []
        textual = [need for need in needs if need.condition.operator.startswith(("String", "Arn", "Binary"))]
        matched = _examples(
            tuple((want, need.condition.operator) for need in textual for want in self._literal(need)),
        )
        is_asked_for = any(isinstance(need, Presence) and need.key == key for need in self._requirements)
        is_text = any(need.condition.operator.startswith("String") for need in needs)
        null = [""] if is_text and is_asked_for else []  # present as a text, and yet null
        return [*texts, *matched, *null]

    def _literal(self, need: Requirement) -> Iterator[Template]:
        """The policy values whose variables are known; without wildcards where the operator gives them no meaning."""
        for want in need.wanted:
            if any(self._context.is_unknown(key) for key in variable_keys(want)):
                continue
            pattern = filled(want, self._context.single)
            if pattern is not None:
                has_wildcards = "Like" in need.condition.operator or "Arn" in need.condition.operator
                yield pattern if has_wildcards else (plain(pattern),)

    def _texts_in_scopes(self, key: str) -> Iterator[str]:
        """Values that make a resource pattern fit the resource when they stand in it."""
        for statement in self._statements:
            for pattern in statement.scope.templates:
                if key in variable_keys(pattern):
                    yield from self._fitting(key, pattern, self._asked.resource)

    def _trade_texts(self) -> None:
        """Conditions that compare a key with a variable hand on what the one must be to equal the other."""
        for need in self._requirements:
            for want in need.wanted if isinstance(need, Requirement) else ():
                for key in variable_keys(want) & self._texts.keys():
                    for target in tuple(self._context.values.get(need.key, self._texts.get(need.key, ()))):
                        self._note(key, self._fitting(key, want, target))
                if need.key in self._texts:
                    self._note(need.key, self._counterparts(want))

    def _note(self, key: str, texts: Iterable[str]) -> None:
        self._texts[key] = list(dict.fromkeys([*self._texts[key], *texts]))
        if len(self._texts[key]) > MOST_TEXTS:
            raise TooManyStatesError

    def _fitting(self, key: str, pattern: Template, target: str) -> Iterator[str]:
        """The shortest and the longest text for the variable with which the pattern fits the target."""
        if pattern.count(Wild.RUN) > MOST_RUNS:
            raise TooManyStatesError
        for some in (".*?", ".*"):
            found = re.fullmatch(self._with_hole(key, pattern, some), target, re.DOTALL)
            if found is not None:
                yield found["hole"]

    def _with_hole(self, key: str, pattern: Template, some: str) -> str:
        regex = ""
        for part in pattern:
            if isinstance(part, Variable):
                if part.key == key:
                    regex += "(?P=hole)" if "(?P<hole>" in regex else f"(?P<hole>{some})"
                elif self._context.is_unknown(part.key):
                    regex += ".*"
                else:
                    regex += re.escape(self._context.single(part.key) or part.default or "")
            elif isinstance(part, Wild):
                regex += ".*" if part is Wild.RUN else "."
            else:
                regex += re.escape(part)
        return regex

    def _counterparts(self, want: Template) -> Iterator[str]:
        """What a key must be to equal a policy value, for all values of the unknown keys inside it."""
        inside = sorted(variable_keys(want) & self._texts.keys())
        for texts in product(*(self._texts[key] for key in inside)) if inside else ():
            yield plain(filled(want, self._with(dict(zip(inside, texts, strict=True)))) or ())

    def _with(self, values: Mapping[str, str]) -> Callable[[str], str | None]:
        """The values of variables, where these stand for the unknown ones."""
        return lambda key: values.get(key) or self._context.single(key)


@lru_cache(maxsize=4096)
def _examples(wanted: tuple[tuple[Template, str], ...]) -> tuple[str, ...]:
    """A text for every way to match some of the filled policy values and not the others, each with its operator."""
    if not wanted:
        return ()
    patterns = [
        Pattern.of(template, ignore_case="IgnoreCase" in operator, as_arn="Arn" in operator)
        for template, operator in wanted
    ]
    only_arns = all("Arn" in operator for _, operator in wanted)
    found = examples([ANY_ARN, *patterns])
    return tuple(text for answers, text in found.items() if answers[0] or not only_arns)


def _principal_texts(plan: Plan) -> Iterator[str]:
    """The names in the resource policy that a caller's unrecorded identity keys could fit."""
    group = plan.resource
    for statement, _ in () if group is None else group.denies + group.allows:
        for principals in (statement.statement.principal, statement.statement.not_principal):
            if principals is not None:
                yield from (text for text in principals.aws + principals.federated if text != "*")


def _around(read: Callable[[str], Decimal | None]) -> Callable[[list[str]], list[str]]:
    """Every limit, and a number on each side of it."""

    def make(wanted: list[str]) -> list[str]:
        limits = sorted({limit for text in wanted if (limit := read(text)) is not None})
        between = [(low + high) / 2 for low, high in pairwise(limits)]
        ends = [limits[0] - 1, limits[-1] + 1] if limits else [Decimal(0)]
        return [f"{value:f}" for value in (*limits, *between, *ends)]

    return make


def _addresses(wanted: list[str]) -> list[str]:
    """The first address of every block, the one after it, and one of the other version."""
    found: list[IPv4Address | IPv6Address] = []
    for text in wanted:
        try:
            block = ip_network(text.strip(), strict=False)
        except ValueError:
            continue
        first, last = block.network_address, block.broadcast_address
        found.append(first)
        beside = (int(first) - 1, int(last) + 1)
        found += [type(first)(number) for number in beside if 0 <= number < 1 << block.max_prefixlen]
    found += [ip_address("192.0.2.1"), ip_address("2001:db8::1")]  # documentation addresses, RFC 5737 and 3849
    return list(dict.fromkeys(map(str, found)))


def _booleans(_wanted: Iterable[str]) -> list[str]:
    return ["true", "false"]


_TYPED: dict[str, Callable[[list[str]], list[str]]] = {
    "Numeric": _around(number),
    "Date": _around(point_in_time),
    "IpAddress": _addresses,
    "Bool": _booleans,
}
