"""Recorded homes for the doctor to look at."""

from tests.support.sick_homes import home  # noqa: F401  (a fixture)
