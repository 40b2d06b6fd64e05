"""One file that is to change: the places that change, written only if it still is what was read."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from abreast.errors import StateError
from abreast.process.files import write_atomic


@dataclass(frozen=True, order=True)
class TextEdit:
    """At `at`, `old` becomes `new`. Positions are those of the text before any edit."""

    at: int
    old: str
    new: str


def apply(text: str, edits: Sequence[TextEdit]) -> str:
    """Return `text` changed. Raises ValueError when an edit's `old` is not there."""
    for edit in sorted(edits, reverse=True):
        end = edit.at + len(edit.old)
        if text[edit.at : end] != edit.old:
            raise ValueError("this text is not the one that was to be changed")
        text = text[: edit.at] + edit.new + text[end:]
    return text


def reverse(edits: Sequence[TextEdit]) -> list[TextEdit]:
    """Return the edits that undo these."""
    undone, shift = [], 0
    for edit in sorted(edits):
        undone.append(TextEdit(edit.at + shift, edit.new, edit.old))
        shift += len(edit.new) - len(edit.old)
    return undone


def between(old: str, new: str) -> list[TextEdit]:
    """Return the one edit, as short as can be, that makes `new` of `old`; none if they agree."""
    if old == new:
        return []
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    most = min(len(old), len(new)) - head
    while tail < most and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    gone, come = old[head : len(old) - tail], new[head : len(new) - tail]
    return [TextEdit(head, gone, come)]


class Side(StrEnum):
    """Which side of a change abreast wrote; the other side may hold a secret of the user's."""

    OLD = "old"
    NEW = "new"
    NEITHER = "neither"


@dataclass(frozen=True)
class FileRewrite:
    """`old` is the text as it was read, None for no file; `new` None means that the file goes.

    `edits` lead from `old` (or "") to `new` (or ""). `mode` is that of a new file.
    """

    path: Path
    old: str | None
    new: str | None
    edits: tuple[TextEdit, ...]
    ours: Side
    mode: int = 0o600

    @property
    def action(self) -> str:
        if self.old is None:
            return "create"
        return "remove" if self.new is None else "change"


def read(path: Path) -> str | None:
    """Return the file's text, exactly as it is, or None when there is no file."""
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as failure:
        raise StateError(f"{path} cannot be read: {failure.strerror}") from failure


def check(change: FileRewrite) -> None:
    """Raise StateError when the file is no longer what it was."""
    if read(change.path) != change.old:
        raise StateError(
            f"{change.path} has changed in the meantime and was not written",
            hint="run the same command again",
        )


def missing_folders(path: Path) -> list[Path]:
    """Return the folders that have to be made for `path`, outermost first."""
    missing = []
    for folder in path.parents:
        if folder.exists():
            break
        missing.append(folder)
    return missing[::-1]


def write(change: FileRewrite) -> None:
    """Make the change. A link is followed; the file's mode stays."""
    check(change)
    # Whoever keeps settings in a repository of dotfiles has a link here.
    target = Path(os.path.realpath(change.path))
    try:
        if change.new is None:
            target.unlink()
            return
        folder_mode = 0o755 if change.mode & 0o044 else 0o700
        for folder in missing_folders(target):
            folder.mkdir(mode=folder_mode, exist_ok=True)
        mode = target.stat().st_mode & 0o7777 if change.old is not None else change.mode
        write_atomic(target, change.new, mode=0o600)
        target.chmod(mode)
    except OSError as failure:
        raise StateError(f"{target} cannot be written: {failure.strerror}") from failure


def remove_empty(folders: tuple[Path, ...]) -> None:
    """Remove those of the folders, outermost first, that are empty."""
    for folder in reversed(folders):
        with contextlib.suppress(OSError):  # not empty, or gone already
            folder.rmdir()
