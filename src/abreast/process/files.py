"""Small files that another process may be reading: replaced whole, never half written."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from abreast import codec
from abreast.process.scratch import scratch_of

T = TypeVar("T")

# Python carries bytes that are no UTF-8 as U+DC80 to U+DCFF; an agent's JSON may hold the others.
_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def from_home(name: str) -> Path:
    """Return the path `name`, a leading `~` or `~user` being a home; unknown users' stay."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def private_folder(path: Path) -> Path:
    """Return the folder at `path`, made if need be, with those around it, for the user alone."""
    _make_folder(path)
    return path


def write_atomic(path: Path, text: str, *, mode: int = 0o600, flush: bool = True) -> None:
    """Replace the file at `path` by `text`; readers see the old one or the new one.

    Without `flush` that holds for as long as the machine does not lose its power. Halves of
    surrogate pairs that stand for no byte become U+FFFD. Raises OSError, and then leaves nothing
    behind.
    """
    text = _NO_BYTE.sub("\ufffd", text)
    scratch = scratch_of(path)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            file.flush()
            if flush:
                os.fsync(file.fileno())
        scratch.replace(path)
    except OSError:  # the disk is full, say: it may be a folder of the user's
        scratch.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any, *, flush: bool = True) -> None:
    """Replace the file at `path` by `value` as JSON (see `write_atomic` and `codec.text`)."""
    write_atomic(path, codec.text(value), flush=flush)


def load_json(path: Path) -> Any | None:
    """Return what the file at `path` holds, or None when there is no such file or no JSON in it."""
    try:
        return json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None


def load_as(kind: type[T], path: Path) -> T | None:
    """Return the value that the file at `path` holds, or None as `load_json` does.

    Raises ShapeError when what it holds is not of type `kind`.
    """
    raw = load_json(path)
    return None if raw is None else codec.load(kind, raw, str(path))


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
    scratch = scratch_of(name)
    scratch.unlink(missing_ok=True)
    scratch.symlink_to(target)
    try:
        scratch.replace(name)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
