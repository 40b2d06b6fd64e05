"""Marks of file contents: two states are equal when their marks are equal.

Read without git, so that no filter, hook or configuration of the checkout has a part in it.
"""

import hashlib
import os
import stat
from pathlib import Path

LARGEST = 64 * 2**20
"""Bytes of the largest file that is read; a larger one is known by its size and times.

Marks are made before and after a child reads a tree, and a data set that nobody has told git to
ignore may have gigabytes. Reading this much takes about 0.1 s.
"""
_SHORT = 4096  # bytes; HEAD, a ref and the file `.git` have one line
# Not a link, and not a pipe that has taken the file's place and may never answer.
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def content_mark(file: Path) -> str:
    """Return the mark of what is at `file` now; of a link, where it leads. Raises nothing.

    That it may be executed counts, as it does for git; when it was written does not. A folder that
    git names as one is another repository, and known by the commit that it is on.
    """
    try:
        mode = file.lstat().st_mode
        if stat.S_ISREG(mode):
            return _of_file(file)
        if stat.S_ISLNK(mode):
            return f"link {_digest(os.fsencode(file.readlink()))}"
        if stat.S_ISDIR(mode):
            return f"folder {_commit_in(file)}".strip()
    except (FileNotFoundError, NotADirectoryError):
        return "gone"
    except OSError as error:
        return f"unread {error.errno}"
    return f"special {stat.S_IFMT(mode):o}"


def _of_file(file: Path) -> str:
    with os.fdopen(os.open(file, _PLAIN), "rb") as opened:
        found = os.fstat(opened.fileno())
        kind = "program" if found.st_mode & stat.S_IXUSR else "file"
        if found.st_size > LARGEST:
            return f"{kind} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
        return f"{kind} {hashlib.file_digest(opened, 'sha256').hexdigest()}"


def _commit_in(folder: Path) -> str:
    """Return what tells one commit from another on which the repository `folder` is, or ""."""
    own = folder / ".git"
    if own.is_file():
        own = folder / _line(own).removeprefix("gitdir: ")
    head = _line(own / "HEAD")
    ref = head.removeprefix("ref: ")
    if ref == head:  # an id, or no repository
        return head
    common = own / (_line(own / "commondir") or ".")
    # With the reftable format HEAD is `ref: refs/heads/.invalid`, and the tables have it.
    tables = (where / "reftable" / "tables.list" for where in (common, own))
    packed = (common / "packed-refs", *tables)
    return _line(common / ref) or _digest("".join(map(_whole, packed)).encode())


def _line(file: Path) -> str:
    return _whole(file, _SHORT).removesuffix("\n")


def _whole(file: Path, most: int = LARGEST) -> str:
    return os.fsdecode(read_plain(file, most))


def read_plain(file: Path, most: int) -> bytes:
    """Return at most `most` bytes of what a file holds; b"" if it cannot be read.

    A link is none, nor is a pipe, which may never answer. Raises nothing.
    """
    try:
        with os.fdopen(os.open(file, _PLAIN), "rb") as opened:
            regular = stat.S_ISREG(os.fstat(opened.fileno()).st_mode)
            return opened.read(most) if regular else b""
    except (OSError, ValueError):  # a folder, a pipe, a NUL in the name
        return b""


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()
