"""The steps of a build, in the order of `analytics/build.py`."""
