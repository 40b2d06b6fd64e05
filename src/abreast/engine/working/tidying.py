"""Drop what a killed worker has left half made, before the next one begins."""

from collections.abc import Iterable
from pathlib import Path

from abreast.engine.common.layout import SessionLayout, repository_folder
from abreast.git.guarded import guard_folder, known_guard
from abreast.model.session import Run
from abreast.places import Places
from abreast.process.folders import entries
from abreast.process.scratch import drop_scratches


def drop_half_made(places: Places, active: Iterable[Run]) -> None:
    """Remove scratch files of processes that are gone, where the `active` runs have any.

    What is looked into is bounded by these runs: not the folders of all that ever ran.
    """
    drop_scratches(places.forwards)
    seen = set[Path]()
    for run in active:
        common = Path(run.common_dir)
        if run.common_dir and common not in seen:
            seen.add(common)
            _of_repository(places, common)
        begun = [session for session in run.sessions if session.directory]
        if not begun:
            continue
        drop_scratches(places.runs / run.id)
        drop_scratches(repository_folder(places, common) / run.id)
        for session in begun:
            drop_scratches(Path(session.directory).parent)  # its record
            drop_scratches(Path(session.directory), below=True)
            layout = SessionLayout(places, common, run.id, session.task, session.attempt)
            drop_scratches(layout.cli_directory)
            if session.worktree:  # a child that only reads has none
                _of_worktree(Path(session.worktree))


def _of_repository(places: Places, common_dir: Path) -> None:
    folder = repository_folder(places, common_dir)
    drop_scratches(folder)
    for one in entries(folder):
        if one.name.startswith(".landing-"):
            _of_worktree(one)


def _of_worktree(worktree: Path) -> None:
    """Look into a worktree's guard and its folder in the repository; not into itself."""
    drop_scratches(guard_folder(worktree))
    if guard := known_guard(worktree):
        drop_scratches(guard.admin)
