"""Lines that the gate advises, added to a plan file: its comments and layout stay."""

import copy
import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.errors import StateError
from abreast.model.gate import Advice
from abreast.process.files import write_atomic

_MARK = "\ufeff"  # some editors begin a file so


@dataclass(frozen=True)
class Amendment:
    """A plan file as it is, and as it is to be; `added` counts the tasks that get a line."""

    path: Path
    old: str
    new: str
    added: int

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        old, new, name = self.old.splitlines(), self.new.splitlines(), str(self.path)
        return "\n".join(difflib.unified_diff(old, new, name, name, n=2, lineterm="")) + "\n"


def amend(path: Path, advice: Sequence[Advice]) -> Amendment:
    """Return what the advice that a plan file can take makes of it; nothing is written.

    Raises StateError when the file cannot be read, or cannot be edited without changing more.
    """
    lines = [one for one in advice if one.key]
    try:
        old = path.read_bytes().decode()
        new = _edited(old, lines) if lines else old
    except (OSError, ValueError) as error:
        raise StateError(
            f"{path} cannot be edited: {error}", hint="add the lines by hand"
        ) from error
    return Amendment(path, old, new, len({one.task for one in lines}))


def write(amendment: Amendment) -> None:
    """Write a plan file as it is to be. Raises StateError when it has changed since it was read."""
    target = Path(os.path.realpath(amendment.path))
    try:
        if target.read_bytes() != amendment.old.encode():
            raise StateError(
                f"{amendment.path} has changed in the meantime and was not written",
                hint="run the same command again",
            )
        write_atomic(target, amendment.new, mode=target.stat().st_mode & 0o7777)
    except OSError as failure:
        raise StateError(f"{target} cannot be written: {failure.strerror}") from failure


def _edited(old: str, lines: Sequence[Advice]) -> str:
    import tomlkit

    mark = _MARK if old.startswith(_MARK) else ""
    text = old.removeprefix(_MARK)
    crlf = "\r\n" in text
    document = tomlkit.parse(text)
    wanted = copy.deepcopy(_parsed(text))
    for one in lines:
        for tables in (document, wanted):
            _add(tables, one)
    new = tomlkit.dumps(document)
    if crlf:
        new = new.replace("\r\n", "\n").replace("\n", "\r\n")
    if _parsed(new) != wanted:
        raise ValueError("its layout is not understood")
    return mark + new


def _add(document: Mapping[str, Any], one: Advice) -> None:
    """Add to a list of a task, which is made if need be."""
    for table in document["task"]:
        if table["id"] == one.task:
            known = list(table.get(one.key, ()))
            more = [one.value] if isinstance(one.value, str) else list(one.value)
            table[one.key] = [*known, *(value for value in more if value not in known)]


def _parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text.replace("\r\n", "\n"))
