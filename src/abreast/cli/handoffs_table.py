"""The sessions that may need to be continued: how many, how big, and how each stands."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from abreast.cli import figures
from abreast.cli.console import Column, Grid
from abreast.model.handoff import Handoff

_COLUMNS = (
    Column("session", least=12),
    Column("agent"),
    Column("tokens", right=True),
    Column("right now", least=20),
    Column("next step", least=20),
)


def handoffs_table(found: Sequence[Handoff]) -> RenderableType:
    """Return a line of how many there are and how big, and a row for each."""
    tokens = sum(one.tokens for one in found)
    head = f"{figures.counted(len(found), 'handoff')}, {tokens:,} tokens"
    return Group(Text(head), Grid(_COLUMNS, [_row(one) for one in found]))


def _row(one: Handoff) -> tuple[Text, ...]:
    step = one.next_step[0] if one.next_step else figures.UNKNOWN
    return (
        Text(figures.one_line(one.header.name)),
        Text(figures.one_line(one.header.agent)),
        Text(f"{one.tokens:,}"),
        Text(figures.one_line(one.right_now)),
        Text(figures.one_line(step)),
    )
