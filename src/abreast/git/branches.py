"""Branches: where they are, and which of them were moved from within a worktree.

Tips are read from files, without a process or any configuration. What was moved is told from
reflogs: a branch was moved in a worktree when that worktree's HEAD was on it and went elsewhere, or
when it went to a commit that was made there and no other checkout's HEAD went there in the same
step. What the user commits, merges, fetches or lands meanwhile is the user's.
"""

import contextlib
import os
import re
import stat
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from abreast.git.reflog import Entry, is_reftable, read_file, read_log
from abreast.git.repository import Repository
from abreast.process import clock
from abreast.process.folders import entries

_MOST = 256_000_000  # bytes of `packed-refs`: some four million refs
_PACKED = re.compile(rb"([0-9a-f]{40,64}) refs/heads/(.+)")
_LOOSE = re.compile(rb"([0-9a-f]{40,64})\n?")
_HEAD = re.compile(rb"ref: refs/heads/(.+)\n?")


def branch_tips(repo: Repository) -> dict[str, str]:
    """Return the commit of every branch, by its short name; not of one that names another ref.

    Where refs are kept in tables, git is asked. Raises `GitError`.
    """
    if is_reftable(repo):
        listed = repo.call(
            "for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads"
        )
        return {
            name: tip
            for tip, _, name in (line.partition(" ") for line in listed.stdout.splitlines())
        }
    loose = _loose(repo.common_dir / "refs/heads")
    return {**_packed(repo.common_dir / "packed-refs"), **loose}


def head_branch(admin: Path) -> str | None:
    """Return the branch that HEAD of a worktree's own folder `admin` is on; None: on none.

    None also where refs are kept in tables.
    """
    found = _HEAD.fullmatch(read_file(admin / "HEAD"))
    name = os.fsdecode(found[1]) if found else None
    return None if name == ".invalid" else name  # what it says where HEAD is in a table


@dataclass
class _Scan:
    """The last look at the loose branches of a repository; begun at `began` (monotonic, ns)."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    began: int = -1
    files: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    tips: Mapping[str, str] = field(default_factory=dict)


_scans: defaultdict[Path, _Scan] = defaultdict(_Scan)
"""The loose branches of each repository, with the time and inode of their files: git replaces these
files whole, so one that has neither changed is not read again. With 1,000, that is 4 ms for 20."""


def _loose(folder: Path) -> Mapping[str, str]:
    """Return the loose branches as they are after this call began.

    Sessions look at the same moment, such as when a run starts: those that wait for one scan share
    the next.
    """
    scan, asked = _scans[folder], clock.awake_ns()
    with scan.lock:
        if scan.began < asked:
            began = clock.awake_ns()
            scan.files = _scanned(folder, scan.files)
            scan.tips = {name: tip for name, (_, _, tip) in scan.files.items() if tip}
            scan.began = began
        return scan.tips


def _scanned(
    folder: Path, before: Mapping[str, tuple[int, int, str]]
) -> dict[str, tuple[int, int, str]]:
    now = dict[str, tuple[int, int, str]]()
    for entry, name in _entries(str(folder), ""):
        try:
            found = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        known = before.get(name)
        if known is None or known[:2] != (found.st_mtime_ns, found.st_ino):
            tip = _LOOSE.fullmatch(_start(entry.path) if stat.S_ISREG(found.st_mode) else b"")
            known = (found.st_mtime_ns, found.st_ino, tip[1].decode() if tip else "")
        now[name] = known
    return now


_LINE = 128  # bytes; an id and a line break have at most 65


def _start(file: str) -> bytes:
    """Return what a short file holds; of a longer one, a part that is no id."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _LINE)
    except OSError:  # a pipe has just taken its place
        return b""
    finally:
        os.close(descriptor)


def _entries(folder: str, prefix: str) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield every file below `folder`, and its name from there; one that vanishes is left out."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(entry.path, f"{name}/")
            elif not name.endswith(".lock"):
                yield entry, name


def _packed(file: Path) -> dict[str, str]:
    try:
        found = file.stat()
    except OSError:
        return {}
    return _packed_as(file, found.st_mtime_ns, found.st_size, found.st_ino)


@lru_cache(maxsize=16)
def _packed_as(file: Path, *_: int) -> dict[str, str]:
    """Return the branches of `packed-refs`, which git never writes in place."""
    lines = (_PACKED.fullmatch(line) for line in read_file(file, _MOST).split(b"\n"))
    return {os.fsdecode(line[2]): line[1].decode() for line in lines if line}


_RENAMED, _HEADS = "Branch: renamed ", "refs/heads/"
# These bring HEAD to a commit that is there already.
_MOVES = re.compile(
    r"(checkout|reset|Branch): |[^:]*\((start|finish|abort)\)|(?!commit)[^:]+: [Ff]ast-forward$"
)


@dataclass(frozen=True)
class Moved:
    """A branch that was at commit `old` and is now at `new`; None: it is gone."""

    branch: str
    old: str
    new: str | None


def moved_branches(
    repo: Repository, admin: Path, heads: Mapping[str, str], *, branch: str, since: int = 0
) -> tuple[list[Moved], list[Moved]]:
    """Return the branches of others that were moved in a worktree, and those gone by whoever.

    `heads` is where all branches were when the HEAD reflog of the worktree, whose own folder is
    `admin`, was `since` bytes long and its HEAD on `branch`. Branches made since are nobody's.
    """
    now = branch_tips(repo)
    changed = [
        Moved(name, old, now.get(name))
        for name, old in heads.items()
        if now.get(name) != old and name != branch
    ]
    if not changed:
        return [], []
    log = read_log(admin / "logs/HEAD", since)
    made = {entry.new for entry in log if _makes(entry)} - set(heads.values())
    been = _moved_on(log, branch)
    if not log and (here := head_branch(admin)):  # no reflogs are kept
        been.add(here)
    elsewhere = _Others(repo.common_dir, admin)
    ours = [one for one in changed if one.branch in been or _went_to(repo, one, made, elsewhere)]
    gone = [one for one in changed if one.new is None and one not in ours]
    return ours, gone


def _makes(entry: Entry) -> bool:
    """Return whether an entry of HEAD made the commit that it went to."""
    return entry.old != entry.new and not _MOVES.match(entry.message)


def _moved_on(log: Sequence[Entry], branch: str) -> set[str]:
    """Return the names that HEAD was on while it went elsewhere."""
    names: set[str] = set()
    here, went = branch, False  # whether anything has moved since HEAD came here
    for entry in log:
        action, _, rest = entry.message.partition(": ")
        before, after = here, here
        if entry.checkout:
            before, after = entry.checkout  # HEAD may have come there by `symbolic-ref`
        elif entry.message.startswith(_RENAMED):
            before, _, after = (
                entry.message.removeprefix(_RENAMED).replace(_HEADS, "").partition(" to ")
            )
            went = True
        elif "(start)" in action:
            after = ""
        elif action.endswith(("(finish)", "(abort)")) and "returning to " in rest:
            before = after = rest.rpartition("returning to ")[2].removeprefix(_HEADS)
            went = action.endswith("(finish)")
        else:
            went = went or entry.old != entry.new
        if went:
            names.add(before)
        if after != here or entry.checkout:
            here, went = after, False
    return names - {"", branch}


class _Others:
    """What the HEADs of the other checkouts have done; read when it is first asked for."""

    def __init__(self, common: Path, admin: Path) -> None:
        self._common, self._admin = common, admin
        self._steps: set[tuple[str, str]] | None = None

    def did(self, entry: Entry) -> bool:
        if self._steps is None:
            folders = [self._common, *entries(self._common / "worktrees")]
            logs = [read_log(f / "logs/HEAD") for f in folders if f != self._admin]
            self._steps = {(step.old, step.new) for log in logs for step in log}
        return (entry.old, entry.new) in self._steps


def _went_to(repo: Repository, one: Moved, made: Collection[str], others: _Others) -> bool:
    """Return whether a branch went to a commit that was `made` in the worktree, by its doing."""
    if not made:
        return False
    log: Iterable[Entry] = read_log(repo.common_dir / "logs" / _HEADS / one.branch)
    steps = [entry for entry in log if entry.new in made]
    if not steps and one.new is not None and one.new in made:  # the branch has no reflog
        steps = [Entry(one.old, one.new, 0, "")]
    return any(not others.did(step) for step in steps)
