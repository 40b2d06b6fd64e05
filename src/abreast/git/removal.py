"""Worktrees taken away: renamed out of the way at once, deleted at leisure."""

import errno
import secrets
import shutil
from pathlib import Path

from abreast.errors import StateError
from abreast.git.guard import remove_guard
from abreast.git.metadata import forget
from abreast.git.repository import Repository
from abreast.git.worktree import Health, WorktreeSpec, worktree_health
from abreast.process.listing import entries


def remove_worktree(
    repo: Repository, spec: WorktreeSpec, *, trash: Path, lock: Path
) -> Path | None:
    """Take a worktree away at once: its folder is moved into `trash`, its metadata removed.

    The branch stays. Safe to repeat; returns where the folder went, or None when there was none.
    Asks nothing: whatever is not committed goes with it. Raises `StateError` when the path holds
    anything but a worktree of this repository.
    """
    moved = None
    if spec.path.exists():
        health, detail = worktree_health(repo, spec)
        if health is Health.FOREIGN:
            raise StateError(detail, hint="nothing was removed")
        moved = _move_to_trash(spec.path, trash)
    forget(repo, spec, lock)
    remove_guard(spec.path)
    spec.intent.unlink(missing_ok=True)
    return moved


def empty_trash(trash: Path) -> int:
    """Delete what has been moved to `trash`, and return how many folders went. Slow; no lock."""
    count = 0
    for folder in entries(trash):
        shutil.rmtree(folder, ignore_errors=True)
        count += not folder.exists()
    return count


def _move_to_trash(path: Path, trash: Path) -> Path:
    name = f"{path.name}.{secrets.token_hex(6)}"
    trash.mkdir(parents=True, exist_ok=True)
    try:
        return path.rename(trash / name)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # Another file system: delete it here. Slow, but it was to be deleted anyway.
        shutil.rmtree(path)
        return path
