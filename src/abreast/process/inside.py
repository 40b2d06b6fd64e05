"""Paths that a model, a plan or a repository names: what they lead to, if it is in the tree."""

import stat
from pathlib import Path


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
