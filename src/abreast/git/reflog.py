"""Commits that only the reflogs and pseudo refs of a worktree hold: amended, reset, dropped ones.

They lie in the worktree's own folder below `.git/worktrees` and go with it. That folder belongs to
whoever works in the worktree, so its files are read as they are, and no git runs there. A commit
that no file names any more (a dropped stash, an expired reflog) is not found.
"""

import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from abreast.git.repository import Repository

_MOST = 16_000_000  # bytes read of a file, the last ones: about 100,000 entries of a reflog
_MOST_FILES = 2_000  # a stopped rebase has about 20; an agent may write any number
_ID = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])")
_ENTRY = re.compile(rb"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) .*?> (\d{1,12}) [+-]\d{4}(?:\t(.*))?")
# What a fetch has brought is not the agent's; the index names files, not commits.
_NO_REFS = frozenset({"FETCH_HEAD", "index", "commondir", "gitdir", "modules", "objects"})
_STASHED_ON = re.compile(r"(?:WIP on|On) ([^:]+): ")
_CHECKOUT = re.compile(r"checkout: moving from (\S+) to (\S+)")


@dataclass(frozen=True)
class Entry:
    """One line of a reflog: the ref went from `old` to `new` at `time` (Unix seconds)."""

    old: str
    new: str
    time: int
    message: str

    @property
    def checkout(self) -> tuple[str, str] | None:
        """The two names that a checkout went from and to; None for an entry that is no checkout."""
        found = _CHECKOUT.match(self.message)
        return (found[1], found[2]) if found else None


def read_log(file: Path, since: int = 0) -> list[Entry]:
    """Return the entries of a reflog file that begin `since` bytes into it, oldest first.

    What is no entry is passed over; a file that has become shorter is read from its start.
    """
    content, size = _read(file)
    skipped = max(0, size - len(content))
    start = max(0, since - skipped) if since <= size else 0
    found = (_ENTRY.fullmatch(line) for line in content[start:].split(b"\n"))
    return [
        Entry(old.decode(), new.decode(), int(when), (message or b"").decode("utf-8", "replace"))
        for old, new, when, message in (match.groups() for match in found if match)
    ]


def ids_in(admin: Path) -> set[str]:
    """Return every object id in the refs, pseudo refs, reflogs and stopped operations of `admin`.

    That is a worktree's own folder, such as `.git/worktrees/one`.
    """
    files = (file for file, _ in zip(_files(admin), range(_MOST_FILES), strict=False))
    return {found.decode() for file in files for found in _ID.findall(_read(file)[0])}


def commits_left(
    repo: Repository,
    admin: Path,
    base: str,
    *,
    branch: str = "",
    known: Collection[str] = (),
    seen: Collection[str] = (),
) -> tuple[str, ...]:
    """Return the commits that only the reflogs and pseudo refs of a worktree hold.

    Of these only the ones that no other of them contains. `admin` is the worktree's own folder,
    `branch` the session's. Left out is what `base`, the commits `known`, a tag or a remote branch
    contains, and what the files had named before (`seen`, from `ids_in`). Stashes made in the
    worktree count, although all worktrees share them.

    One git process where the files name something new, else none. What is no commit, or is not
    there any more, is passed over.
    """
    named = ids_in(admin) | _stashed(repo.common_dir, admin, branch) | _of_branch(repo, branch)
    if is_reftable(repo):
        named |= _ask_logs(repo, admin, branch)
    wanted = {name for name in named - {base, *known, *seen} if name.strip("0")}
    if not wanted:
        return ()
    without = [one for one in (base, *known) if one]
    parents = _walk(repo, sorted(wanted), without)
    if parents is None:  # something is missing below one of them: ask for each alone
        each = (_walk(repo, [name], without) or {} for name in sorted(wanted))
        parents = {commit: above for found in each for commit, above in found.items()}
    contained = {parent for above in parents.values() for parent in above}
    return tuple(name for name in parents if name in wanted and name not in contained)


def is_reftable(repo: Repository) -> bool:
    """Return whether refs and reflogs are kept in tables, which only git can read."""
    return (repo.common_dir / "reftable").is_dir()


def _walk(
    repo: Repository, wanted: Iterable[str], without: Iterable[str]
) -> dict[str, list[str]] | None:
    """Return the commits that `wanted` reach and `without` do not, with their parents."""
    asked = "".join([*(f"{name}\n" for name in wanted), *(f"^{name}\n" for name in without)])
    held = ("--not", "--remotes", "--tags", "--not")
    query = ("rev-list", "--parents", "--ignore-missing", *held, "--stdin")
    done = repo.call(*query, stdin=asked, codes=(0, 128))
    if done.code:
        return None
    lines = (line.split() for line in done.stdout.splitlines())
    return {line[0]: line[1:] for line in lines if line}


def _files(admin: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(admin):
        if Path(folder) == admin:
            folders[:] = sorted(name for name in folders if name not in _NO_REFS)
        yield from (
            Path(folder, name)
            for name in sorted(files)
            if name not in _NO_REFS and not name.startswith("index")
        )


def read_file(file: Path, most: int = _MOST) -> bytes:
    """Return the last `most` bytes of a file; nothing of what is no ordinary file."""
    return _read(file, most)[0]


def _read(file: Path, most: int = _MOST) -> tuple[bytes, int]:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b"", 0
    with os.fdopen(descriptor, "rb") as opened:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return b"", 0
        opened.seek(max(0, found.st_size - most))
        return opened.read(most), found.st_size


def _stashed(common: Path, admin: Path, branch: str) -> set[str]:
    """Return the stashes that were made in the worktree, as far as their entries tell."""
    stashes = read_log(common / "logs/refs/stash")
    own = read_log(admin / "logs/HEAD") if stashes else []
    began = own[0].time if own else 0
    visited = {branch} | {name for entry in own for name in entry.checkout or ()}
    unnamed = {""} if own else set[str]()  # else it may be anybody's
    return {
        entry.new
        for entry in stashes
        if entry.time >= began and _made_on(entry.message) in unnamed | visited
    }


def _made_on(message: str) -> str:
    """Return the branch that a stash was made on; "" where it is not told."""
    found = _STASHED_ON.match(message)
    return found[1] if found and found[1] != "(no branch)" else ""


def _of_branch(repo: Repository, branch: str) -> set[str]:
    if not branch:
        return set()
    entries = read_log(repo.common_dir / "logs/refs/heads" / branch)
    return {name for entry in entries for name in (entry.old, entry.new)}


def _ask_logs(repo: Repository, admin: Path, branch: str) -> set[str]:
    """Return what git tells of the same reflogs and pseudo refs: for tables, which it alone reads.

    Of stashes, all: their time and branch are not asked for.
    """
    own = f"worktrees/{admin.name}"
    found: set[str] = set()
    for ref in (f"{own}/HEAD", f"refs/heads/{branch}", "refs/stash"):
        query = ("log", "-g", "--no-patch", "--format=%H", "--end-of-options", ref, "--")
        found |= set(repo.call(*query, codes=(0, 128)).stdout.split())
    asked = "".join(f"{own}/{name}\n" for name in ("ORIG_HEAD", "REBASE_HEAD", "CHERRY_PICK_HEAD"))
    lines = repo.call("cat-file", "--batch-check=%(objectname)", stdin=asked).stdout.splitlines()
    return found | {line for line in lines if " " not in line}
