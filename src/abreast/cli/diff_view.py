"""A diff on a terminal: coloured and paged as git would."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from abreast.cli import door
from abreast.git.display import diff_display
from abreast.model.text import harmless
from abreast.process.command import run_foreground

_END = "\x1b[m"
_NOT_FOUND = 127
_HUNK = re.compile(r"(@@ .*? @@)(.*)")
_STAT = re.compile(r"( .* \| +\d+ )(\+*)(-*)")


def show_diff(text: str) -> None:
    """Show a diff, or its summary, on this terminal: what is foreign in it loses its escapes."""
    display = diff_display()
    shown = harmless(text)
    if display.colours:
        shown = "\n".join(coloured(shown, display.colours))
    if not display.pager or not text:
        door.styled(shown)
        return
    # As git does; and away from folders whose configuration an agent may have written.
    env = {"LESS": "FRX", "LV": "-c", **os.environ}
    argv = ("sh", "-c", display.pager)
    given = shown.encode(errors="replace")
    if run_foreground(argv, cwd=Path("/"), env=env, given=given) == _NOT_FOUND:
        door.styled(shown)


def coloured(text: str, colours: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of a unified diff, or of a summary, in these colours (see `DiffDisplay`)."""
    inside = False
    for line in text.split("\n"):
        if hunk := _HUNK.fullmatch(line):
            inside = True
            yield _in(colours["frag"], hunk[1]) + _in(colours["func"], hunk[2])
        elif inside and line[:1] in {"+", "-", " ", "\\"}:
            part = {"+": "new", "-": "old"}.get(line[0], "context")
            yield _in(colours[part], line)
        elif stat := _STAT.fullmatch(line):
            yield stat[1] + _in(colours["new"], stat[2]) + _in(colours["old"], stat[3])
        else:
            inside = False
            yield line if line.startswith(" ") else _in(colours["meta"], line)


def _in(colour: str, text: str) -> str:
    return f"{colour}{text}{_END}" if colour and text else text
