"""Whether a condition of a statement is met: yes, no, or unknown when the request's record lacks the key.

One table of small entries says what each operator compares; qualifiers, `IfExists` and missing keys are written once
around it. IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued
context keys". INVARIANT: an unknown answer is given only where the missing key could change it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.iam import compare
from analytics.iam.compare import Compared
from analytics.iam.match import filled, has_variables, template, variable_keys

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from analytics.iam.compare import Maker
    from analytics.iam.match import Template
    from analytics.iam.policy import Condition

VARIABLES_SINCE = "2012-10-17"

Truth = bool | None  # None: hangs on a key that was not recorded

_NULL = ((), ("",))  # what the manual calls a null data set


class Context(NamedTuple):
    """The condition keys of a request, in lower case, and those that were not recorded.

    A key in neither is known to be absent.
    """

    values: Mapping[str, tuple[str, ...]]
    unknown: Container[str] = frozenset()

    def is_unknown(self, key: str) -> bool:
        """Whether the key may or may not have been present, with any value."""
        return key not in self.values and key in self.unknown

    def single(self, key: str) -> str | None:
        """The value of a key with exactly one, not empty: only such a key can stand in a policy variable."""
        values = self.values.get(key, ())
        return values[0] or None if len(values) == 1 else None


class Operator(NamedTuple):
    """How one value of the request is compared with one value of the policy."""

    comparison: Maker  # of filled policy values
    negated: bool = False
    variables: bool = False  # policy variables are replaced


OPERATORS: Mapping[str, Operator] = {
    "StringEquals": Operator(compare.same_text, variables=True),
    "StringNotEquals": Operator(compare.same_text, negated=True, variables=True),
    "StringEqualsIgnoreCase": Operator(compare.same_letters, variables=True),
    "StringNotEqualsIgnoreCase": Operator(compare.same_letters, negated=True, variables=True),
    "StringLike": Operator(compare.like, variables=True),
    "StringNotLike": Operator(compare.like, negated=True, variables=True),
    "NumericEquals": Operator(compare.numeric("==")),
    "NumericNotEquals": Operator(compare.numeric("=="), negated=True),
    "NumericLessThan": Operator(compare.numeric("<")),
    "NumericLessThanEquals": Operator(compare.numeric("<=")),
    "NumericGreaterThan": Operator(compare.numeric(">")),
    "NumericGreaterThanEquals": Operator(compare.numeric(">=")),
    "DateEquals": Operator(compare.date("==")),
    "DateNotEquals": Operator(compare.date("=="), negated=True),
    "DateLessThan": Operator(compare.date("<")),
    "DateLessThanEquals": Operator(compare.date("<=")),
    "DateGreaterThan": Operator(compare.date(">")),
    "DateGreaterThanEquals": Operator(compare.date(">=")),
    "Bool": Operator(compare.boolean, variables=True),
    "BinaryEquals": Operator(compare.binary),
    "IpAddress": Operator(compare.in_network),
    "NotIpAddress": Operator(compare.in_network, negated=True),
    "ArnEquals": Operator(compare.arn_like, variables=True),  # AWS gives both the same meaning
    "ArnLike": Operator(compare.arn_like, variables=True),
    "ArnNotEquals": Operator(compare.arn_like, negated=True, variables=True),
    "ArnNotLike": Operator(compare.arn_like, negated=True, variables=True),
}


class Requirement:
    """One compiled condition: one operator on one key."""

    __slots__ = ("_open", "_ready", "absent", "condition", "key", "keys", "operator", "wanted")

    def __init__(self, condition: Condition, operator: Operator, version: str) -> None:
        with_variables = operator.variables and version == VARIABLES_SINCE
        wanted = [template(value, variables=with_variables) for value in condition.values]
        self.condition = condition
        self.wanted = wanted
        self.operator = operator
        self.key = condition.key.lower()
        self.keys = frozenset({self.key}).union(*map(variable_keys, wanted))
        self.absent = _when_absent(condition, negated=operator.negated)
        self._open = [parts for parts in wanted if has_variables(parts)]
        self._ready = operator.comparison([parts for parts in wanted if not has_variables(parts)])

    def truth(self, context: Context) -> Truth:
        """Met, not met, or unknown (None)."""
        values = context.values.get(self.key, ())
        if not values:
            return None if context.is_unknown(self.key) else self.absent
        qualifier = self.condition.qualifier
        if qualifier is None:
            return self._met(values[0], context) if len(values) == 1 else False
        if values in _NULL:
            return qualifier == "ForAllValues"
        met = [self._met(value, context) for value in values]
        return all_true(met) if qualifier == "ForAllValues" else any_true(met)

    def _met(self, value: str, context: Context) -> Truth:
        """Compare one value; a value that is not of the operator's kind meets no condition, not even a negated one."""
        compared = self._ready(value)
        if not self._open:
            return compared is (Compared.NO if self.operator.negated else Compared.YES)
        filled_in = self._filled_in(context)
        with_values = self.operator.comparison([parts for parts in filled_in if parts is not None])(value)
        both = (compared, with_values)
        if Compared.YES in both:
            return not self.operator.negated
        if Compared.ODD in both:
            return False
        if len(filled_in) < len(self._open):
            return None
        return self.operator.negated

    def _filled_in(self, context: Context) -> list[Template | None]:
        """The policy values with variables, where these are known; one without a value (None) is equal to nothing."""
        known = (parts for parts in self._open if not any(map(context.is_unknown, variable_keys(parts))))
        return [filled(parts, context.single) for parts in known]


class Presence:
    """A compiled `Null` condition: "true" wants the key absent, "false" wants it present."""

    __slots__ = ("_wants_absent", "_wants_present", "condition", "key", "keys")

    def __init__(self, condition: Condition) -> None:
        wanted = {value.lower() for value in condition.values}
        self.condition = condition
        self.key = condition.key.lower()
        self.keys = frozenset({self.key})
        self._wants_absent = "true" in wanted
        self._wants_present = "false" in wanted

    def truth(self, context: Context) -> Truth:
        """Met, not met, or unknown (None)."""
        if context.is_unknown(self.key):
            return self._wants_absent if self._wants_absent == self._wants_present else None
        is_absent = context.values.get(self.key, ()) in _NULL
        return self._wants_absent if is_absent else self._wants_present


def compile_condition(condition: Condition, version: str) -> Requirement | Presence:
    """Prepare a condition of a policy of this Version."""
    if condition.operator == "Null":
        return Presence(condition)
    return Requirement(condition, OPERATORS[condition.operator], version)


def condition_truth(condition: Condition, context: Context, *, version: str = VARIABLES_SINCE) -> Truth:
    """Whether one condition is met: True, False, or None when that hangs on a key that was not recorded."""
    return compile_condition(condition, version).truth(context)


def all_true(truths: Sequence[Truth]) -> Truth:
    """Kleene's and: one False decides, otherwise one unknown spoils."""
    if False in truths:
        return False
    return None if None in truths else True


def any_true(truths: Sequence[Truth]) -> Truth:
    """Kleene's or: one True decides, otherwise one unknown spoils."""
    if True in truths:
        return True
    return None if None in truths else False


def _when_absent(condition: Condition, *, negated: bool) -> bool:
    """What a condition on an absent key is worth; `IfExists` looks at single values, so it cannot make any of none."""
    if condition.qualifier is not None:
        return condition.qualifier == "ForAllValues"
    return condition.if_exists or negated
