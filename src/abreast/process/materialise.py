"""Write the files and links that a command expects to find before it starts."""

import os
from collections.abc import Mapping
from pathlib import Path

from abreast.process.files import write_atomic


def materialise(files: Mapping[Path, str], links: Mapping[Path, Path]) -> None:
    """Write `files` (mode 0600) and make the symlinks `links` (name -> target); safe to repeat.

    A file that begins with `#!` is a program, and gets mode 0700.
    Missing folders are made with mode 0700. A file or link that is there is replaced in one step;
    a folder in a link's place is left alone and raises OSError.
    """
    for path, text in files.items():
        _make_folder(path.parent)
        write_atomic(path, text, mode=0o700 if text.startswith("#!") else 0o600)
    for name, target in links.items():
        _make_folder(name.parent)
        _link(name, target)


def _make_folder(folder: Path) -> None:
    """Make a folder and its parents, all private (`Path.mkdir` heeds `mode` only for the last)."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _link(name: Path, target: Path) -> None:
    scratch = name.with_name(f".{name.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    scratch.symlink_to(target)
    try:
        scratch.replace(name)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
