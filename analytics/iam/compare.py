"""Comparing a value of a request with the values of a policy, kind by kind: text, number, date, address, ARN.

Each maker takes the filled policy values of one condition and gives a comparison of request values. Of several policy
values one that is equal decides; where none is, one that cannot be compared tells.
IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import base64
import binascii
import operator
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from analytics.iam.match import Template, any_text_test, arn_test, is_arn, plain


class Compared(Enum):
    """What a comparison found."""

    NO = "no"
    YES = "yes"
    ODD = "odd"  # one of the two is not of this kind: no number, no date, no ARN …
    UNKNOWN = "unknown"  # the policy value holds a variable that was not recorded


Comparison = Callable[[str], Compared]
Maker = Callable[[Sequence[Template]], Comparison]

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?\s*", re.ASCII)
_YEAR_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_BOOLEANS = frozenset({"true", "false"})
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def same_text(wanted: Sequence[Template]) -> Comparison:
    """Equal, case and all; `*` and `?` are ordinary letters."""
    texts = frozenset(map(plain, wanted))
    return lambda value: Compared.YES if value in texts else Compared.NO


def same_letters(wanted: Sequence[Template]) -> Comparison:
    """Equal but for case."""
    texts = frozenset(plain(parts).lower() for parts in wanted)
    return lambda value: Compared.YES if value.lower() in texts else Compared.NO


def like(wanted: Sequence[Template]) -> Comparison:
    """Equal with `*` and `?` as wildcards."""
    passes = any_text_test(wanted)
    return lambda value: Compared.YES if passes(value) else Compared.NO


def arn_like(wanted: Sequence[Template]) -> Comparison:
    """Equal part by part, with wildcards inside the parts."""
    made = [arn_test(parts) for parts in wanted]
    tests = [test for test in made if test is not None]
    otherwise = Compared.NO if len(tests) == len(made) else Compared.ODD

    def compare(value: str) -> Compared:
        if not is_arn(value):
            return Compared.ODD
        for test in tests:
            if test(value):
                return Compared.YES
        return otherwise

    return compare


def numeric(order: str) -> Maker:
    """Whether the request's number is `==`, `<`, `<=`, `>` or `>=` one of the policy's."""
    return _ordered(number, _ORDER[order])


def date(order: str) -> Maker:
    """Whether the request's point in time is `==`, `<`, `<=`, `>` or `>=` one of the policy's."""
    return _ordered(point_in_time, _ORDER[order])


def boolean(wanted: Sequence[Template]) -> Comparison:
    """Both `true` or both `false`, whatever the case; AWS takes all but `true` in a request for `false`."""
    texts = {plain(parts).lower() for parts in wanted}
    otherwise = Compared.NO if texts <= _BOOLEANS else Compared.ODD

    def compare(value: str) -> Compared:
        truth = "true" if value.lower() == "true" else "false"
        return Compared.YES if value and truth in texts else otherwise

    return compare


def binary(wanted: Sequence[Template]) -> Comparison:
    """The same bytes in base 64."""
    texts = frozenset(map(plain, wanted))
    contents = frozenset(map(_bytes, texts)) - {None}
    return lambda value: Compared.YES if value in texts or _bytes(value) in contents else Compared.NO


def in_network(wanted: Sequence[Template]) -> Comparison:
    """An address within a block; an address alone is a block of one. Versions 4 and 6 never match each other."""
    made = [_block(plain(parts)) for parts in wanted]
    blocks = [block for block in made if block is not None]
    otherwise = Compared.NO if len(blocks) == len(made) else Compared.ODD

    def compare(value: str) -> Compared:
        address = _address(value)
        if address is None:
            return Compared.ODD
        for first, last in blocks:
            if first <= address <= last:
                return Compared.YES
        return otherwise

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
def _address(text: str) -> tuple[int, int] | None:
    """IP version and number of an address."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return address.version, int(address)


def _block(text: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The first and the last address of a block."""
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    return (network.version, int(network.network_address)), (network.version, int(network.broadcast_address))


def _ordered(read: Callable[[str], Decimal | None], order: Callable[[Any, Any], bool]) -> Maker:
    def make(wanted: Sequence[Template]) -> Comparison:
        made = [read(plain(parts)) for parts in wanted]
        limits = [limit for limit in made if limit is not None]
        otherwise = Compared.NO if len(limits) == len(made) else Compared.ODD

        def compare(value: str) -> Compared:
            have = read(value)
            if have is None:
                return Compared.ODD
            return Compared.YES if any(order(have, limit) for limit in limits) else otherwise

        return compare

    return make


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
