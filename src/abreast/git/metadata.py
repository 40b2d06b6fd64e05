"""Git's list of worktrees: changed under one lock per repository, and only where it is ours."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from abreast.errors import StateError
from abreast.git.repository import Repository
from abreast.git.worktree import WorktreeSpec
from abreast.process.listing import entries

_LOCK_TIMEOUT = 120.0  # seconds; it is held for milliseconds, so longer means a hung git


@contextlib.contextmanager
def metadata_lock(lock: Path) -> Iterator[None]:
    """Hold the lock that all of us take round changes to the list of worktrees.

    Raises `StateError` after two minutes.
    """
    # Imported here because it costs 100 ms, which `abreast status` should not pay.
    from filelock import FileLock, Timeout

    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=_LOCK_TIMEOUT, poll_interval=0.004):
            yield
    except Timeout as late:
        raise StateError(
            f"{lock} has been held for {_LOCK_TIMEOUT:.0f} s",
            hint="a git command of abreast is stuck; `abreast doctor` names it",
        ) from late


def admin_dirs(repo: Repository, spec: WorktreeSpec) -> list[Path]:
    """Return git's own folders for this worktree, also one that git does not list because the
    process that made it was killed before it had written where the worktree is.
    """
    folder = repo.common_dir / "worktrees"
    return [entry for entry in entries(folder) if _is_ours(entry, spec)]


def _is_ours(entry: Path, spec: WorktreeSpec) -> bool:
    gitdir = _content(entry / "gitdir")
    if gitdir:
        return Path(os.path.normpath(entry / gitdir)) == spec.real_path / ".git"
    locked = _content(entry / "locked")
    if locked is None and re.fullmatch(re.escape(spec.path.name) + r"\d*", entry.name):
        # Git writes `locked` first. Without it, somebody was killed right after `mkdir`, or a
        # child of a killed `worktree add` wrote HEAD and made the folder for it once more.
        return entry.is_dir() and {file.name for file in entries(entry)} <= _STRAY
    return locked == spec.reason


_STRAY = {"HEAD", "HEAD.lock", "logs"}


def _content(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").removesuffix("\n")
    except (FileNotFoundError, NotADirectoryError):
        return None


def forget(repo: Repository, spec: WorktreeSpec, lock: Path) -> None:
    """Remove git's metadata of this worktree, and nothing of any other."""
    with metadata_lock(lock):
        for entry in admin_dirs(repo, spec):
            # Not `worktree remove` or `prune`: the first refuses what is half made, the second
            # also takes what is not ours. Git documents these folders as removable.
            shutil.rmtree(entry)
