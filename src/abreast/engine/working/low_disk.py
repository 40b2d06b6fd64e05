"""A disk that runs low stops new sessions; those at work need what is left to end well."""

import os
from functools import lru_cache
from pathlib import Path

from abreast.engine.common.settings_files import user_file, user_min_free
from abreast.engine.working.session.context import Engine, plan_of
from abreast.errors import PlanError
from abreast.model.hold import Hold, HoldKind
from abreast.plan.settings import MIN_FREE_MB
from abreast.process.folders import written

MB = 1_000_000


def hold_of(engine: Engine, run: str) -> Hold | None:
    """Return why a run's disks let no session start now; None: they have room enough.

    They are those of the state folder, where worktrees are, and of the repository.
    """
    least = _least(user_file(os.environ), written(user_file(os.environ)))
    for folder in (engine.places.state, Path(plan_of(engine, run).repo)):
        free = free_mb(folder)
        if free is not None and free < least:
            return Hold(
                HoldKind.DISK,
                f"the disk of {folder} has {free:,.0f} MB free, less than {least:,.0f} MB",
                hint="`abreast clean` lists what can go; `disk.min_free_mb` in your settings says "
                "how much is to stay free",
            )
    return None


def free_mb(folder: Path) -> float | None:
    """Return the megabytes that its owner may still write on the disk of a folder, if known."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize / MB


@lru_cache(maxsize=1)
def _least(_file: Path, _written: float) -> float:
    """Read the user's setting once for each change of their file; a broken one sets nothing."""
    try:
        return user_min_free(os.environ)
    except PlanError:
        return MIN_FREE_MB
