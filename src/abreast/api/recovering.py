"""Rebuild the records of runs when the database was lost or damaged."""

from pathlib import Path

from abreast.engine.client import recovering
from abreast.model.recovery import Recovery
from abreast.places import Places, find_places


def recover(*, repo: Path | None = None, places: Places | None = None) -> Recovery:
    """Rebuild the records of runs from what files and git's refs know, and say what is not known.

    A damaged database file is put aside, whole, and a new one made; what is on record stays. Refs
    are looked for in the repositories of all runs that are found, and in the one around `repo`
    (the current folder). Work that had not ended goes on with the next worker. Raises StoreError
    when the database does not answer, WorkerError when the worker of a damaged one does not end.
    """
    return recovering.recover(places or find_places(), repo or Path.cwd())
