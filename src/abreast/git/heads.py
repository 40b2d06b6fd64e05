"""Where the branches of a repository are, read from its files: no process, no configuration."""

import contextlib
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from abreast.git.reflog import is_reftable, read_file
from abreast.git.repository import Repository

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


_read_before: dict[Path, dict[str, tuple[int, int, str]]] = {}
"""The loose branches of each repository, with the time and inode of their files: git replaces these
files whole, so one that has neither changed is not read again. With 300, that is 1 ms for 25."""


def _loose(folder: Path) -> dict[str, str]:
    before, now = _read_before.get(folder, {}), dict[str, tuple[int, int, str]]()
    for entry, name in _entries(str(folder), ""):
        try:
            found = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        known = before.get(name)
        if known is None or known[:2] != (found.st_mtime_ns, found.st_ino):
            tip = _LOOSE.fullmatch(read_file(Path(entry.path)))
            known = (found.st_mtime_ns, found.st_ino, tip[1].decode() if tip else "")
        now[name] = known
    _read_before[folder] = now
    return {name: tip for name, (_, _, tip) in now.items() if tip}


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
