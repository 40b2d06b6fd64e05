"""Whether a face is open that tells a person what needs them: then a worker does not."""

from pathlib import Path

from abreast.places import Places
from abreast.process import clock

BEAT = 5.0
"""Seconds between two notes of a face that is open."""

_SILENT = 3 * BEAT  # a face that has not noted itself for so long has been killed


def note_open(places: Places) -> None:
    """Note that a face is open now; does nothing where there is no state folder yet."""
    if places.state.is_dir():
        _file(places).touch(mode=0o600)


def note_closed(places: Places) -> None:
    """Note that it has closed. Another one that is open notes itself again soon."""
    _file(places).unlink(missing_ok=True)


def is_open(places: Places) -> bool:
    """Return whether a face is open."""
    try:
        at = _file(places).stat().st_mtime
    except OSError:
        return False
    return abs(clock.wall() - at) < _SILENT


def _file(places: Places) -> Path:
    return places.state / "face-open"
