"""Recorded homes to look at."""

from tests.support.sick_homes import diagnose, home, places  # noqa: F401  (fixtures)
