"""What a run has used of its budget: its time at work, and from where its limits are counted."""

from dataclasses import replace
from pathlib import Path

from abreast.model.budget import Consumption
from abreast.places import Places
from abreast.process.files import load_as, private_folder, write_json
from abreast.store.reader import Reader
from abreast.store.spent import total

_MINUTES, _BEFORE = "minutes.json", "counted-anew.json"  # one of the worker, one of clients


def used_by_run(places: Places, reader: Reader, run: str) -> Consumption:
    """Return what a run has used since its limits were last counted anew, children included."""
    before = load_as(Consumption, places.runs / run / _BEFORE) or Consumption()
    return _in_all(places, reader, run).beyond(before)


def count_anew(places: Places, reader: Reader, run: str) -> None:
    """Allow a run as much again: what it has used so far counts no more."""
    write_json(_folder(places, run) / _BEFORE, _in_all(places, reader, run))


def minutes_of(places: Places, run: str) -> float:
    """Return for how long sessions of a run have been at work, in minutes."""
    return load_as(float, places.runs / run / _MINUTES) or 0.0


def save_minutes(places: Places, run: str, minutes: float) -> None:
    write_json(_folder(places, run) / _MINUTES, minutes, flush=False)


def _in_all(places: Places, reader: Reader, run: str) -> Consumption:
    return replace(total(reader.spent_by_run(run)), minutes=minutes_of(places, run))


def _folder(places: Places, run: str) -> Path:
    return private_folder(places.runs / run)
