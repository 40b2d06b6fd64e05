"""The steps of a fast-forward of a checkout: written down first, then taken, or undone.

A fast-forward is a list of steps. Each can be undone by looking at what is there: a file that we
took away lies in the scratch folder, one that we put is still the inode that we put. So whoever
finds the intent of a killed process can go on or go back, also more than once.
"""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from abreast.process.files import load_as, write_json

Signature = tuple[int, int, int, int]  # mode, size, time of change in ns, inode


def signature(path: Path) -> Signature | None:
    """Return what tells whether a file is still the same and as it was; None: there is none."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_mode, found.st_size, found.st_mtime_ns, found.st_ino


class Do(StrEnum):
    TAKE = "take"  # move a file, or a folder that holds none, to the scratch folder
    MAKE = "make"  # make a folder
    PUT = "put"  # put a new file where nothing is
    DROP = "drop"  # remove a folder if it is empty, once the branch has moved


@dataclass(frozen=True)
class Step:
    """One step on `path` (in the checkout). `was` is the file that it takes or puts."""

    do: Do
    path: str
    was: Signature | None = None


@dataclass(frozen=True)
class Lock:
    """A lock file that our git made."""

    path: str
    was: Signature


@dataclass(frozen=True)
class Intent:
    """A fast-forward of the branch `target` in `checkout`, whose own git directory is `git_dir`.

    `marker` is in the environment of each process that works for it, and in its `index.lock`.
    `scratch` holds the new files, and the old ones by the number of their step; it is on the
    checkout's disk. What takes the place of a file of git's lies beside that.
    """

    marker: str
    common_dir: str
    git_dir: str
    checkout: str
    target: str
    old: str
    new: str
    scratch: str
    index_was: Signature | None = None
    steps: tuple[Step, ...] = ()
    locks: tuple[Lock, ...] = ()

    @property
    def top(self) -> Path:
        return Path(self.checkout)

    @property
    def tree(self) -> Path:
        """The folder of the new files."""
        return Path(self.scratch) / "new"

    def beside(self, name: str) -> Path:
        """A file in git's folder that is of this fast-forward alone."""
        return Path(self.git_dir) / f"{Path(self.scratch).name}.{name}"

    @property
    def index(self) -> Path:
        return Path(self.git_dir) / "index"

    @property
    def new_index(self) -> Path:
        return self.beside("index")

    @property
    def index_lock(self) -> Path:
        return Path(self.git_dir) / "index.lock"

    @property
    def ref_locks(self) -> tuple[Path, Path]:
        """The locks that git takes to move the branch: the branch's, and HEAD's."""
        branch = Path(self.common_dir) / "refs/heads" / f"{self.target}.lock"
        return branch, Path(self.git_dir) / "HEAD.lock"

    def taken(self, number: int) -> Path:
        return Path(self.scratch) / "old" / str(number)


def save_intent(file: Path, intent: Intent) -> None:
    """Write the intent, whole or not at all. Raises OSError."""
    write_json(file, intent)


def load_intent(file: Path) -> Intent | None:
    """Return the intent that an ended process left, or None."""
    return load_as(Intent, file)


class ChangedError(Exception):
    """Somebody else has changed a file meanwhile; the text says which."""


def carry_out(intent: Intent) -> None:
    """Take the steps. Raises `ChangedError` or OSError; then go back by `undo`."""
    for number, step in enumerate(intent.steps):
        path = intent.top / step.path
        if step.do is Do.MAKE:
            path.mkdir()
        elif step.do is Do.PUT:
            put(intent.tree / step.path, path)
        elif step.do is Do.TAKE:
            # Moved first and looked at then: nobody can change it between the two.
            path.rename(intent.taken(number))
            if step.was and signature(intent.taken(number)) != step.was:
                raise ChangedError(f"{step.path} has changed in the meantime")
    for number, step in enumerate(intent.steps):  # through a descriptor that was open before
        if step.do is Do.TAKE and step.was and signature(intent.taken(number)) != step.was:
            raise ChangedError(f"{step.path} has changed in the meantime")


def undo(intent: Intent) -> list[str]:
    """Take back the steps that were taken, the last one first, and return what is left, in words.

    A file that is not exactly what we put there is somebody's: it stays.
    """
    left = []
    for number, step in reversed(list(enumerate(intent.steps))):
        try:
            words = _undo(intent, number, step)
        except OSError as failure:
            words = f"{step.path} ({failure.strerror})"
        if words:
            left.append(words)
    return left


def _undo(intent: Intent, number: int, step: Step) -> str:
    path = intent.top / step.path
    here = signature(path)
    if step.do is Do.TAKE:
        return _give_back(intent.taken(number), path, step)
    if step.do is Do.MAKE:
        with contextlib.suppress(OSError):  # not made yet, or somebody has put something into it
            path.rmdir()
    if step.do is Do.PUT and here and step.was and here[3] == step.was[3]:
        if here != step.was:
            return f"{step.path} (edited)"
        path.unlink()
    return ""


def _give_back(taken: Path, path: Path, step: Step) -> str:
    was, here = signature(taken), signature(path)
    if was is None:
        return ""
    if here and here[3] != was[3]:
        return f"{step.path} (something else is there; it was moved to {taken})"
    path.parent.mkdir(parents=True, exist_ok=True)
    if step.was is None:  # a folder
        taken.rename(path)
    else:
        if not here:
            put(taken, path)
        taken.unlink(missing_ok=True)
    return ""


_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}


def put(source: Path, path: Path) -> None:
    """Put the file `source` at `path`. Raises FileExistsError when something is there."""
    try:
        os.link(source, path, follow_symlinks=False)
    except OSError as failure:
        if failure.errno not in _NO_LINKS:
            raise
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from failure
        source.rename(path)


def drop_empty(intent: Intent) -> None:
    """Remove the folders that our steps have emptied, as git does."""
    for step in intent.steps:
        parents = list(Path(step.path).parents)[:-1] if step.do is Do.TAKE else []
        for folder in [Path(step.path)] if step.do is Do.DROP else parents:
            with contextlib.suppress(OSError):  # it holds something, or is gone
                (intent.top / folder).rmdir()


def drop_scratch(intent: Intent, *, keep: bool) -> None:
    """Remove what the fast-forward needed; with `keep`, not the old files."""
    shutil.rmtree(intent.tree if keep else intent.scratch, ignore_errors=True)
    for file in Path(intent.git_dir).glob(f"{Path(intent.scratch).name}.*"):
        file.unlink(missing_ok=True)


def drop_locks(intent: Intent, locks: Iterable[Lock]) -> None:
    """Remove the locks that our git made and, being dead, cannot remove.

    One that was killed before it had told us is known by what it has written: the new commit's id,
    and then HEAD's lock, which stays empty.
    """
    for lock in locks:
        if signature(Path(lock.path)) == lock.was:
            Path(lock.path).unlink(missing_ok=True)
    ref, head = intent.ref_locks
    written, empty = signature(ref), signature(head)
    if written is None or ref.read_bytes() != intent.new.encode() + b"\n":
        return
    if empty and not empty[1] and 0 <= empty[2] - written[2] < _SAME_MOMENT:
        head.unlink(missing_ok=True)
    ref.unlink(missing_ok=True)


_SAME_MOMENT = 10**9  # ns between the two locks of one transaction; it takes microseconds
