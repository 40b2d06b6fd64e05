"""Folders in which others are at work: what is listed may be gone before it is looked at.

The methods of `pathlib` raise where a folder goes away while it is listed. These pass over it, and
list the rest.
"""

import contextlib
import glob
import os
import stat
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path


def matching(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield what matches a glob below `folder`; `**` stands for no folder or for any number."""
    # That of Path raises when a folder goes while it is looked into.
    for name in glob.iglob(pattern, root_dir=folder, recursive=True):  # noqa: PTH207
        yield folder / name


def entries(folder: Path) -> list[Path]:
    """Return what is in a folder, by name; nothing when it is none, or cannot be listed."""
    return [folder / one.name for one in scan(folder)]


def scan(folder: Path | str | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    """Return the same as entries, which know already whether they are folders."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=attrgetter("name"))
    except (OSError, ValueError):  # the latter for a NUL in its name
        return []


def files_below(folder: Path) -> Iterator[Path]:
    """Yield all that is below a folder and is not a folder; links are not followed."""
    for top, _, names in os.walk(folder):
        for name in names:
            yield Path(top, name)


def written(path: Path) -> float:
    """Return when a file was last written (Unix seconds), 0 when it is gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def size_of(folder: Path) -> int:
    """Return the bytes of the files below a folder, as far as they can be looked at."""
    size = 0
    for file in files_below(folder):
        try:
            size += 0 if file.is_symlink() else file.lstat().st_size
        except OSError:
            continue
    return size


def inside(tree: Path, named: str | Path) -> Path | None:
    """Return where `named`, relative to `tree`, leads once every symbolic link is followed.

    None when that is outside `tree`, or when it is no path at all; it need not exist.
    """
    try:
        real = (tree / named).resolve()
        return real if real.is_relative_to(tree.resolve()) else None
    except (OSError, ValueError, RuntimeError):  # too long, a NUL, links in a circle
        return None


def read_start(tree: Path, named: str | Path, most: int) -> str | None:
    """Return at most the first `most` characters of a file in `tree`; None when there is none.

    Devices and pipes, which may never end, are no files. What is no UTF-8 becomes U+FFFD.
    """
    real = inside(tree, named)
    try:
        if real is None or not stat.S_ISREG(real.stat().st_mode):
            return None
        with real.open(encoding="utf-8-sig", errors="replace") as file:
            return file.read(most)
    except OSError:
        return None


def working_folders(*names: str) -> dict[Path, int]:
    """Return the current folder of every living process that we may look at, with its pid.

    With `names`, only of the programs of these names.
    """
    import psutil  # here, because it is asked for seldom

    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if not names or process.name() in names:
                found[Path(process.cwd())] = process.pid
    return found
