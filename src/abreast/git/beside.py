"""The user's checkout, while sessions work beside it: what in it is not as committed, and where.

Looked at through the guard of the run, so that nothing runs which an agent has named meanwhile, and
without a lock. Files are known by size and times alone: nothing of them is read.
"""

import contextlib
import hashlib
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from abreast.errors import GitError
from abreast.git.branches import head_branch
from abreast.git.call import split
from abreast.git.guarded import read_plain
from abreast.git.reflog import read_file
from abreast.git.repository import Repository
from abreast.process import clock
from abreast.process.files import from_home

_MOST = 5000  # paths; whoever has more that are not committed is told nothing
_POINTER_BYTES = 8192
_PATIENCE, _LOOK = 10.0, 0.05  # seconds


@dataclass
class _Look:
    """The last look at a checkout; begun at `began` (monotonic, ns)."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    began: int = -1
    found: Mapping[str, str] = field(default_factory=dict)


_looks: defaultdict[Path, _Look] = defaultdict(_Look)


def uncommitted(repo: Repository) -> Mapping[str, str]:
    """Return a stamp of each file in the checkout that differs from the index, or is not in it.

    Folders of new files count as one. Empty without a checkout of the user's, where git refuses,
    and where they are thousands. Sessions that ask at the same moment share one look.
    """
    if repo.toplevel is None or repo.tree is not None or repo.guard is None:
        return {}
    look, asked = _looks[repo.toplevel], clock.awake_ns()
    with look.lock:
        if look.began < asked:
            began = clock.awake_ns()
            look.found = _look_at(repo, repo.toplevel)
            look.began = began
        return look.found


def _look_at(repo: Repository, top: Path) -> Mapping[str, str]:
    options = ("-z", "-m", "-o", "--exclude-standard", "--directory", "--no-empty-directory")
    try:
        index = {"GIT_INDEX_FILE": str(repo.git_dir / "index")}
        names = split(repo.call_inside("ls-files", *options, env=index).stdout)
    except GitError:
        return {}
    found = dict.fromkeys(names) if len(names) <= _MOST else {}
    return {name: stamp(top / name) for name in found}


def stamp(file: Path) -> str:
    """Return what tells that a file was written: its size and times; "" when it is not there."""
    try:
        found = file.lstat()
    except OSError:
        return ""
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def changed_since(repo: Repository, before: Mapping[str, str]) -> list[str]:
    """Return the files of the checkout that were written since, and are not as committed.

    Also those that were not as committed, and are now, unless as they were then.
    """
    now, top = uncommitted(repo), repo.toplevel
    if top is None:
        return []
    gone = {name: stamp(top / name) for name in before if name not in now}
    return sorted(name for name, at in {**gone, **now}.items() if before.get(name) != at)


def checkouts(common: Path) -> Iterator[Path]:
    """Yield the folders of a repository's checkouts: the main one first; no git is asked."""
    if common.name == ".git":
        yield common.parent
    with contextlib.suppress(OSError):
        for admin in (common / "worktrees").iterdir():
            named = os.fsdecode(read_plain(admin / "gitdir", _POINTER_BYTES)).removesuffix("\n")
            if named.endswith("/.git"):
                yield Path(os.path.normpath(admin / named)).parent


def hook_files(repo: Repository, folder: str) -> Iterator[Path]:
    """Yield the programs in a folder that `core.hooksPath` names, as the main checkout has it.

    Those that its commit has as they are there are none: they came by a commit.
    """
    top = repo.common_dir.parent if repo.common_dir.name == ".git" else repo.common_dir
    place = top / from_home(folder)
    with contextlib.suppress(OSError):
        files = [entry for entry in sorted(place.iterdir()) if entry.is_file()]
        there = _committed(repo, top, files)
        yield from (file for file in files if os.access(file, os.X_OK) and file not in there)


def _committed(repo: Repository, top: Path, files: list[Path]) -> set[Path]:
    """Return those of the files that are as the commit of the checkout has them."""
    named = {os.path.normpath(file): file for file in files}
    inside = {os.path.relpath(path, top): file for path, file in named.items()}
    inside = {name: file for name, file in inside.items() if not name.startswith("../")}
    late = clock.awake() + _PATIENCE
    while True:
        found = _as_committed(repo, inside)
        busy = len(found) < len(inside) and (repo.common_dir / "index.lock").exists()
        if not busy or clock.awake() > late:
            return found
        time.sleep(_LOOK)  # git, or a landing of ours, is just bringing files and branch together


def _as_committed(repo: Repository, files: Mapping[str, Path]) -> set[Path]:
    branch = head_branch(repo.common_dir)
    head = f"refs/heads/{branch}" if branch else os.fsdecode(read_file(repo.common_dir / "HEAD"))
    if not files or head.startswith("ref:"):
        return set()
    asked = "".join(f"{head.strip()}:{name}\n" for name in files)
    try:
        told = repo.call("cat-file", "--batch-check=%(objectname)", stdin=asked).stdout
    except GitError:
        return set()
    pairs = zip(files.values(), told.splitlines(), strict=False)
    return {file for file, line in pairs if line == _id(file)}


def _id(file: Path) -> str:
    """Return the id that git gives to a file's content, in a repository of SHA-1."""
    content = read_file(file)
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
