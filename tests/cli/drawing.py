"""Draw on a console of a given size, as a terminal or as a pipe would get it."""

import io
import re

from rich.console import Console, RenderableType


def console(width: int = 80, *, colour: bool = False, height: int = 25, **environ: str) -> Console:
    return Console(
        file=io.StringIO(),
        width=width,
        height=height,
        force_terminal=colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
        highlight=False,
        _environ=environ,
    )


def draw(renderable: RenderableType, width: int = 80, *, colour: bool = False) -> str:
    on = console(width, colour=colour)
    on.print(renderable)
    return text_of(on)


def text_of(on: Console) -> str:
    return on.file.getvalue()


def without_colour(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def codes(text: str) -> set[str]:
    return set(re.findall(r"\x1b\[([0-9;]*)m", text))
