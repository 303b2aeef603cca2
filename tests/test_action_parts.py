"""Sets of actions service by service: what is read in one go and what is asked for one by one is the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analytics.findings.action_parts import action_parts
from analytics.iam.catalogue import load_catalogue

CATALOGUE = load_catalogue()
PARTS = action_parts(CATALOGUE)
services = st.sets(st.sampled_from(list(CATALOGUE.services)), max_size=6)
numbers = st.sets(st.integers(0, len(CATALOGUE.actions) - 1), max_size=30)


@given(services, numbers, st.booleans())
def test_a_set_is_the_parts_of_its_services(whole, some, inverted) -> None:
    mask = sum(1 << number for number in some)
    for service in whole:
        mask |= PARTS.whole(service)
    mask = CATALOGUE.full & ~mask if inverted else mask
    by_hand = {service: PARTS.part(service, mask) for service in CATALOGUE.services}
    assert PARTS.split(mask) == {service: part for service, part in by_hand.items() if part}
    assert list(PARTS.split(mask)) == [service for service, part in by_hand.items() if part]
    read = PARTS.reader(mask)
    assert {service: read(service) for service in CATALOGUE.services} == by_hand
