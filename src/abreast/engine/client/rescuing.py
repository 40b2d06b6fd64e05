"""Bring back what was kept of a session: on a branch of its own, or into an empty folder."""

import shutil
from pathlib import Path

from abreast.engine.reading.rescue import find_kept
from abreast.errors import NotFoundError, StateError
from abreast.git.guard import guard_repository
from abreast.git.repository import Repository, branch_name_ok, read_ref, swap_ref
from abreast.git.writing import write_files
from abreast.model.rescue import KeptKind, KeptWork, Restored
from abreast.places import Places


def restore(
    places: Places, name: str, *, branch: str = "", folder: Path | None = None, here: Path
) -> Restored:
    """Put what is kept under `name` on a new `branch`, or into the new or empty `folder`.

    Without either, the branch is `rescued/RUN/TASK`, with the kind behind it unless it is all of a
    worktree. What is kept stays where it is, so this can be repeated. Raises NotFoundError for an
    unknown name, StateError when branch or folder hold something else.
    """
    work = find_kept(places, name, here)
    if folder is not None:
        return _into(places, work, folder.resolve())
    if work.folder is not None:
        raise StateError(
            f"{work.name} are files that no commit can hold: no branch can, either",
            hint=f"abreast rescue restore {work.name} --to FOLDER",
        )
    return _onto(places, work, branch or _branch_of(work))


def _branch_of(work: KeptWork) -> str:
    whole = f"rescued/{work.session}"
    return whole if work.kind is KeptKind.WORKTREE else f"{whole}-{work.kind}"


def _onto(places: Places, work: KeptWork, branch: str) -> Restored:
    if not branch_name_ok(branch):
        raise StateError(f"{branch!r} is no name for a branch", hint="--branch names another")
    repository = _repository(places, work)
    ref = f"refs/heads/{branch}"
    made = swap_ref(repository, ref, work.commit, None, reason=f"abreast: rescue {work.name}")
    if not made and read_ref(repository, ref) != work.commit:
        raise StateError(
            f"branch {branch} exists in {work.repository} and holds something else",
            hint=f"abreast rescue restore {work.name} --branch NAME",
        )
    return Restored(work, branch=branch)


def _into(places: Places, work: KeptWork, folder: Path) -> Restored:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = any(folder.iterdir())
    except OSError as failure:
        raise StateError(
            f"{folder} cannot be written: {failure.strerror}", hint="--to names another folder"
        ) from failure
    if taken:
        raise StateError(f"{folder} is not empty", hint="--to names a new or empty folder")
    if work.folder is None:
        write_files(_repository(places, work), work.commit, folder)
        return Restored(work, folder=folder)
    try:
        shutil.copytree(work.folder, folder, symlinks=True, dirs_exist_ok=True)
    except (OSError, shutil.Error) as failure:
        raise StateError(
            f"not all of {work.folder} could be copied to {folder}: {failure}",
            hint="the files lie there unchanged; copy them by hand",
        ) from failure
    return Restored(work, folder=folder)


def _repository(places: Places, work: KeptWork) -> Repository:
    """Return the repository, called with the configuration from when the run began, if it is known.

    No hook of it runs, and no filter that an agent may have set there.
    """
    if not work.repository.is_dir():
        raise NotFoundError(f"{work.repository} is gone", hint="bring the repository back")
    found = Repository(work.repository, work.repository, None)
    run = work.session.partition("/")[0]
    name = "git-rescue" if work.submodule else "git"
    return guard_repository(found, places.runs / run / name)
