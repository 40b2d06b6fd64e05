"""Worktrees as they are: what should exist, what git lists, whether it is whole.

Git's list of them is changed under one lock per repository, and only where it is ours.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from abreast.errors import StateError
from abreast.git.call import split
from abreast.git.guard import find_admin, guard_worktree
from abreast.git.repository import Repository, is_ancestor
from abreast.git.status import current_branch, find_commit, own_git_dir
from abreast.process.folders import entries
from abreast.process.patience import Awake

OURS = "abreast "  # how the reason of each lock of ours begins


@dataclass(frozen=True)
class WorktreeSpec:
    """The worktree that should exist: at `path` (absolute), on `branch`, begun at commit `base`.

    An empty `branch` means a detached HEAD. `reason` is what `git worktree list` shows for its
    lock; it must be unique to this worktree, as it tells our leavings from those of others.
    """

    path: Path
    branch: str
    base: str
    reason: str

    @property
    def intent(self) -> Path:
        """The file that exists while the worktree is half made; no task can be called like it."""
        earlier = self.path.with_name(f"{self.path.name}.intent")
        own = self.path.with_name(f".{self.path.name}.intent")
        return earlier if earlier.is_file() else own  # earlier versions took a task's name

    @property
    def real_path(self) -> Path:
        """The path as git records it, symbolic links resolved; the worktree need not exist."""
        return self.path.parent.resolve() / self.path.name

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.branch}"


@dataclass(frozen=True)
class Worktree:
    """A line of `git worktree list`. `locked` and `prunable` hold the reason; None: it is not.

    `branch` is None where HEAD is detached, `head` in a bare repository.
    """

    path: Path
    head: str | None
    branch: str | None
    bare: bool
    locked: str | None
    prunable: str | None


def list_worktrees(repo: Repository) -> tuple[Worktree, ...]:
    """Return all worktrees that git knows, the main one first, missing ones included."""
    text = repo.call("worktree", "list", "--porcelain", "-z", as_user=True).stdout
    return tuple(_parse_entry(entry) for entry in text.split("\0\0") if entry)


def _parse_entry(entry: str) -> Worktree:
    pairs = (field.partition(" ") for field in split(entry + "\0"))
    values = {key: value for key, _, value in pairs}
    branch = values.get("branch")
    return Worktree(
        Path(values["worktree"]),
        values.get("HEAD"),
        branch.removeprefix("refs/heads/") if branch else None,
        "bare" in values,
        values.get("locked"),
        values.get("prunable"),
    )


class Health(StrEnum):
    HEALTHY = "healthy"
    MISSING = "missing"
    HALF_MADE = "half made"
    FOREIGN = "foreign"  # not a worktree of this repository
    WRONG_BRANCH = "wrong branch"
    WRONG_BASE = "wrong base"  # HEAD does not descend from the base


def worktree_health(repo: Repository, spec: WorktreeSpec) -> tuple[Health, str]:
    """Return the health of what is at the worktree's path, and HEAD's id or what is wrong."""
    if spec.intent.exists():
        return Health.HALF_MADE, f"{spec.path} was not finished"
    if not spec.path.exists():
        return Health.MISSING, f"{spec.path} does not exist"
    admin = find_admin(repo, spec.path)
    if admin is None or own_git_dir(spec.path) != admin:
        return Health.FOREIGN, f"{spec.path} is not a worktree of {repo.common_dir}"
    tree = guard_worktree(repo, spec.path)
    branch = current_branch(tree)
    if (branch or "") != spec.branch:
        return Health.WRONG_BRANCH, f"{spec.path} is on {branch or 'no branch'}, not {spec.branch}"
    head = find_commit(tree, "HEAD")
    if head is None or not is_ancestor(repo, spec.base, head):
        return Health.WRONG_BASE, f"{spec.path} does not build on {spec.base[:12]}"
    return Health.HEALTHY, head


def require_healthy(repo: Repository, spec: WorktreeSpec) -> str:
    """Return the commit of a whole worktree. Raises `StateError` with what is wrong with it."""
    health, detail = worktree_health(repo, spec)
    if health is not Health.HEALTHY:
        raise StateError(
            detail, hint=f"nothing in {spec.path} was changed; inspect it, then move it away"
        )
    return detail


def drop_stale_locks(repo: Repository, path: Path, branch: str) -> list[Path]:
    """Remove the locks that a killed git left on a worktree and its branch; return their files.

    Only for a worktree in which no process is at work any more.
    """
    folder = find_admin(repo, path)
    locks = [folder / name for name in ("index.lock", "HEAD.lock") if folder]
    # With the reftable format there is no such file, and nothing of ours to remove.
    locks += [repo.common_dir / "refs/heads" / f"{branch}.lock"] if branch else []
    found = [lock for lock in locks if lock.exists()]
    for lock in found:
        lock.unlink(missing_ok=True)
    return found


_LOCK_TIMEOUT = 120.0  # seconds; it is held for milliseconds, so longer means a hung git
_LOCK_LOOK = 1.0  # seconds between looks at how long that has been


@contextlib.contextmanager
def metadata_lock(lock: Path) -> Iterator[None]:
    """Hold the lock that every abreast process takes to change the list of worktrees.

    Raises `StateError` after two minutes, of those in which this process could look.
    """
    # Imported here because it costs 100 ms, which `abreast status` should not pay.
    from filelock import FileLock, Timeout

    lock.parent.mkdir(parents=True, exist_ok=True)
    held, awake = FileLock(lock, mode=0o600, poll_interval=0.004), Awake()
    while True:
        try:
            held.acquire(timeout=_LOCK_LOOK)
            break
        except Timeout as late:
            if awake.look() > _LOCK_TIMEOUT:
                raise StateError(
                    f"{lock} has been held for {_LOCK_TIMEOUT:.0f} s",
                    hint="a git command of abreast is stuck; `abreast doctor` names it",
                ) from late
    try:
        yield
    finally:
        held.release()


def admin_dirs(repo: Repository, spec: WorktreeSpec) -> list[Path]:
    """Return git's own folders for this worktree, also one that git does not list because the
    process that made it was killed before it had written where the worktree is.
    """
    # Of a thousand, few are looked into: git calls such a folder like the worktree, with a number
    # where that is taken. It replaces what no ref may hold, so an odd name may become any other.
    name = spec.path.name
    called = re.compile(rf"{name}\d*" if _PLAIN.fullmatch(name) else ".*", re.DOTALL)
    folders = entries(repo.common_dir / "worktrees")
    return [one for one in folders if called.fullmatch(one.name) and _is_ours(one, spec)]


_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


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
