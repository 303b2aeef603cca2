"""One profile for every property: examples are counted, never timed (the machine may have other work).

And what many tests of the sample organisation ask of: a connection to its build, and its estate.
"""

import pytest
from hypothesis import settings

from analytics.outputs.estate import read_estate
from tests.demo_sample import built

settings.register_profile("headroom", deadline=None)
settings.load_profile("headroom")


@pytest.fixture(scope="module")
def con():
    """The build of the sample organisation."""
    with built().connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def company(con):
    """The sample organisation as findings look at it."""
    return read_estate(con)
