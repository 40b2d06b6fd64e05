"""Work of sessions without a run in the database, which was lost, emptied or damaged.

The work is not in it: it lies in worktrees, in the folders of sessions, and in the repositories.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from abreast.places import Places
from abreast.store.reader import Reader


@dataclass(frozen=True)
class Unrecorded:
    """A session `run/task` without a record. A folder is "" where there is none."""

    id: str
    worktree: str = ""
    directory: str = ""


def unrecorded(places: Places, *, damaged: bool = False) -> list[Unrecorded]:
    """Return the sessions that are on disk and in no record, by their names. Cheap.

    A `damaged` database is not asked: no session has a record. Raises StoreError when it does not
    answer.
    """
    found = {one.id: one for one in _on_disk(places)}  # first: a new one is recorded before
    known = frozenset() if damaged or not found else Reader(places.database).run_ids()
    return [found[name] for name in sorted(found) if name.partition("/")[0] not in known]


def _on_disk(places: Places) -> Iterator[Unrecorded]:
    worktrees = {
        f"{run.name}/{task.name}": str(task)
        for repository in _folders(places.worktrees)
        for run in _folders(repository)
        for task in _folders(run)
        if not task.name.endswith("+git")  # which is a worktree's guard: no task is called so
    }
    for run in _folders(places.sessions):
        for task in _folders(run):
            name = f"{run.name}/{task.name}"
            yield Unrecorded(name, worktrees.pop(name, ""), str(task))
    for name, worktree in worktrees.items():
        yield Unrecorded(name, worktree)


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, but for hidden ones, which are not of sessions."""
    try:
        with os.scandir(folder) as entries:
            return [Path(one.path) for one in entries if one.is_dir() and one.name[0] != "."]
    except OSError:  # it may be gone since it was listed
        return []
