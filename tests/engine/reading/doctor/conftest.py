"""Recorded homes to look at."""

from tests.support.sick_homes import (  # noqa: F401  (fixtures)
    diagnose,
    home,
    places,
    transcripts,
)
