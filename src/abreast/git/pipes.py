"""Pipes in the place of files that git reads, which would block git for ever.

An agent, also one that a sandbox confines, can put one in the place of `.gitignore` in any folder,
into a submodule's repository, or among the objects that it writes. Git opens what it finds. So
while git is at work on such a tree and takes long, we look for pipes and open them for writing: git
then reads an empty file.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

from abreast.git.guarded import Guarded

_READ_BY_GIT = {".gitattributes", ".gitignore"}  # in each folder; submodules stay outside
_PATIENCE = 2.0  # seconds before we look: most calls take some milliseconds
_LONGEST = 60.0  # seconds between two looks, where there was no pipe
_AGAIN = 0.02  # seconds: there are as many waits as folders that git enters


@contextlib.contextmanager
def unblocked(tree: Guarded, *, patience: float = _PATIENCE) -> Iterator[None]:
    """Unblock git at pipes in a worktree, while the block runs."""
    done = Event()
    watch = Thread(target=_watch, args=(tree, done, patience), daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()
        watch.join()


def _watch(tree: Guarded, done: Event, patience: float) -> None:
    wait = patience
    while not done.wait(wait):
        pipes = [pipe for pipe in _pipes(tree) if not done.is_set()]
        wait = min(2 * wait, _LONGEST)
        while pipes and not done.wait(_AGAIN):
            for pipe in pipes:
                _open(pipe)


def _open(pipe: Path) -> None:
    with contextlib.suppress(OSError):  # nobody waits there
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC))


def _pipes(tree: Guarded) -> Iterator[Path]:
    for folder, _, names in os.walk(tree.path):
        yield from (Path(folder, name) for name in _READ_BY_GIT & set(names) if _is(folder, name))
    for top in (tree.admin, tree.apart / "objects"):
        for folder, _, names in os.walk(top):
            yield from (Path(folder, name) for name in names if _is(folder, name))


def _is(folder: str, name: str) -> bool:
    try:
        return stat.S_ISFIFO(Path(folder, name).lstat().st_mode)
    except OSError:
        return False
