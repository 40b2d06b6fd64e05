"""Look at what is kept of sessions, and bring it back."""

from pathlib import Path

from abreast.engine.client import rescuing
from abreast.engine.reading import rescue as reading
from abreast.model.rescue import KeptList, KeptPage, Restored
from abreast.places import Places, find_places


def kept_works(
    name: str = "", *, repo: Path | None = None, places: Places | None = None
) -> KeptList:
    """Return all that is kept of sessions, newest first; of a run or a session, what is its own.

    It is looked for in the repositories of all runs and in the one around `repo` (the current
    folder). Raises NotFoundError when nothing is kept under `name`.
    """
    return reading.kept_works(places or find_places(), name, repo or Path.cwd())


def kept_page(name: str, *, repo: Path | None = None, places: Places | None = None) -> KeptPage:
    """Return what is in something kept: its commits and files; raises NotFoundError."""
    return reading.kept_page(reading.find_kept(places or find_places(), name, repo or Path.cwd()))


def restore_kept(
    name: str,
    *,
    branch: str = "",
    folder: Path | None = None,
    repo: Path | None = None,
    places: Places | None = None,
) -> Restored:
    """Put something kept on a new branch (`rescued/RUN/TASK`), or into a new or empty `folder`.

    What is kept stays. Raises NotFoundError for an unknown name, StateError when the branch or the
    folder holds something else.
    """
    return rescuing.restore(
        places or find_places(), name, branch=branch, folder=folder, here=repo or Path.cwd()
    )
