"""Folders in which others are at work: what is listed may be gone before it is looked at.

The methods of `pathlib` raise where a folder goes away while it is listed. These pass over it, and
list the rest.
"""

import glob
import os
from collections.abc import Iterator
from pathlib import Path


def matching(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield what matches a glob below `folder`; `**` stands for no folder or for any number."""
    # That of Path raises when a folder goes while it is looked into.
    for name in glob.iglob(pattern, root_dir=folder, recursive=True):  # noqa: PTH207
        yield folder / name


def entries(folder: Path) -> list[Path]:
    """Return what is in a folder, by name; nothing when it is none, or cannot be listed."""
    try:
        return sorted(folder.iterdir())
    except OSError:
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
