"""The sessions that may need to be continued: how many, how big, and how each stands."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from abreast.faces import figures
from abreast.model.handoff import Handoff


def handoffs_list(found: Sequence[Handoff]) -> RenderableType:
    """Return how many there are and how big, then for each its name, how it stands, and what next.

    No name and no command is cut; how it stands is, where the terminal ends.
    """
    return Group(*_lines(found))


def _lines(found: Sequence[Handoff]) -> Iterator[Text]:
    tokens = sum(one.tokens for one in found)
    yield Text(f"{figures.counted(len(found), 'handoff')}, {tokens:,} tokens")
    for one in found:
        name = Text(figures.one_line(one.header.name), "bold", overflow="fold")
        yield name.append(f"  {figures.one_line(one.header.agent)}, {one.tokens:,} tokens", "dim")
        yield Text(f"  {figures.one_line(one.right_now)}", no_wrap=True, overflow="ellipsis")
        if one.next_step:
            step = f"  next: {figures.one_line(one.next_step[0])}"
            # One line, that a command in it can be copied.
            yield Text(step, no_wrap=True, overflow="ignore")
