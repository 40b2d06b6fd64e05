"""Disks that are full, or may not be written: told apart from all else, and named.

What was being written when a disk filled up can be written again once there is room.
"""

import errno
import os
from pathlib import Path

from abreast.errors import CommandError, FullError, ReadOnlyError, StateError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
_SAID_FULL = ("No space left on device", "Disk quota exceeded", "disk is full")
# Git says why in most cases; of a ref's lock and of an index, only this.
_SAID_BARELY = ("couldn't write", "unable to write")
_SAID_READ_ONLY = ("Read-only file system",)
_HARDLY = 1024 * 1024  # bytes: where less is free, what we write next does not fit
LOOK = 1.0  # seconds between looks whether there is room again


def is_full(error: BaseException) -> bool:
    """Return whether a disk, or what its owner may use of it, was full; also where git says so."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    if not isinstance(error, CommandError):
        return isinstance(error, FullError)
    if any(words in error.stderr for words in _SAID_FULL):
        return True
    barely = any(words in error.stderr.lower() for words in _SAID_BARELY)
    return barely and error.cwd is not None and is_packed(Path(error.cwd))


def refused(error: OSError | CommandError, *folders: Path) -> StateError | None:
    """Return what to tell of a disk that is full or may not be written; None: it is neither.

    `folders` are those that may be meant where the error names no file.
    """
    named = error.filename if isinstance(error, OSError) else None
    if is_full(error):
        return full(*([Path(os.fsdecode(named))] if named else []), *folders)
    if isinstance(error, CommandError):
        said = any(words in error.stderr for words in _SAID_READ_ONLY)
        return ReadOnlyError(f"a disk is mounted read-only: {error.message}") if said else None
    if error.errno in _READ_ONLY and named:
        return ReadOnlyError(f"{os.fsdecode(named)} cannot be written: {error.strerror}")
    return None


def full(*folders: Path) -> FullError:
    """Return the error that names the disks of those folders that are full."""
    found = dict.fromkeys(str(folder) for folder in folders if is_packed(folder))
    return FullError(" and ".join(found) or str(folders[0]) if folders else "")


def is_packed(folder: Path) -> bool:
    """Return whether the disk of a folder, or of the next one above that is there, is full."""
    try:
        found = os.statvfs(next(one for one in (folder, *folder.parents) if one.is_dir()))
    except (OSError, StopIteration):
        return False
    return found.f_bavail * found.f_frsize < _HARDLY or (found.f_files > 0 and not found.f_favail)
