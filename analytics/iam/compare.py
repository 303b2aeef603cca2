"""Comparing one value of a request with one value of a policy, kind by kind: text, number, date, address, ARN.

Each maker takes a filled policy value and gives a comparison of request values.
IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import base64
import binascii
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from analytics.iam.match import arn_test, is_arn, plain, text_test

if TYPE_CHECKING:
    from analytics.iam.match import Template


class Compared(Enum):
    """What a comparison found."""

    NO = "no"
    YES = "yes"
    ODD = "odd"  # one of the two is not of this kind: no number, no date, no ARN …
    UNKNOWN = "unknown"  # the policy value holds a variable that was not recorded


Comparison = Callable[[str], Compared]

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?\s*", re.ASCII)
_YEAR_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def same_text(wanted: Template) -> Comparison:
    """Equal, case and all; `*` and `?` are ordinary letters."""
    text = plain(wanted)
    return lambda value: _answer(value == text)


def same_letters(wanted: Template) -> Comparison:
    """Equal but for case."""
    text = plain(wanted).lower()
    return lambda value: _answer(value.lower() == text)


def like(wanted: Template) -> Comparison:
    """Equal with `*` and `?` as wildcards."""
    test = text_test(wanted)
    return lambda value: _answer(test(value))


def arn_like(wanted: Template) -> Comparison:
    """Equal part by part, with wildcards inside the parts."""
    test = arn_test(wanted)
    if test is None:
        return _odd
    return lambda value: _answer(test(value)) if is_arn(value) else Compared.ODD


def numeric(order: str) -> Callable[[Template], Comparison]:
    """Whether the request's number is `==`, `<`, `<=`, `>` or `>=` the policy's."""
    return _ordered(number, _ORDER[order])


def date(order: str) -> Callable[[Template], Comparison]:
    """Whether the request's point in time is `==`, `<`, `<=`, `>` or `>=` the policy's."""
    return _ordered(point_in_time, _ORDER[order])


def boolean(wanted: Template) -> Comparison:
    """Both `true` or both `false`, whatever the case."""
    truth = _BOOLEANS.get(plain(wanted).lower())
    if truth is None:
        return _odd
    return lambda value: _answer(_BOOLEANS.get(value.lower()) is truth)


def binary(wanted: Template) -> Comparison:
    """The same bytes in base 64."""
    text = plain(wanted)
    content = _bytes(text)
    return lambda value: _answer(value == text or (content is not None and _bytes(value) == content))


def in_network(wanted: Template) -> Comparison:
    """An address within a block; an address alone is a block of one. Versions 4 and 6 never match each other."""
    try:
        network = ip_network(plain(wanted).strip(), strict=False)
    except ValueError:
        return _odd

    def compare(value: str) -> Compared:
        address = _address(value)
        return Compared.ODD if address is None else _answer(address in network)

    return compare


@lru_cache(maxsize=4096)
def number(text: str) -> Decimal | None:
    """The integer or decimal in a text, exactly."""
    return Decimal(text.strip()) if _NUMBER.fullmatch(text) else None


@lru_cache(maxsize=4096)
def point_in_time(text: str) -> Decimal | None:
    """Seconds since 1970 of an ISO 8601 date (W3C's forms; UTC where no zone is named) or of epoch seconds."""
    seconds = number(text)
    if seconds is not None:
        return seconds
    text = text.strip()
    try:
        moment = datetime.fromisoformat(f"{text}-01" if _YEAR_MONTH.fullmatch(text) else text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Decimal(since.days * 86_400 + since.seconds) + Decimal(since.microseconds) / 1_000_000


@lru_cache(maxsize=4096)
def _address(text: str) -> Any:
    try:
        return ip_address(text.strip())
    except ValueError:
        return None


def _ordered(
    read: Callable[[str], Decimal | None], order: Callable[[Any, Any], bool]
) -> Callable[[Template], Comparison]:
    def make(wanted: Template) -> Comparison:
        limit = read(plain(wanted))
        if limit is None:
            return _odd

        def compare(value: str) -> Compared:
            have = read(value)
            return Compared.ODD if have is None else _answer(order(have, limit))

        return compare

    return make


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _answer(truth: bool) -> Compared:  # noqa: FBT001  a truth is what it is about
    return Compared.YES if truth else Compared.NO


def _odd(_value: str) -> Compared:
    return Compared.ODD
