"""One profile for every property: examples are counted, never timed (the machine may have other work)."""

from hypothesis import settings

settings.register_profile("headroom", deadline=None)
settings.load_profile("headroom")
