"""Rows of a snapshot as lines of a table: in groups, with what each is doing or waits for."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from abreast.faces import figures
from abreast.faces.states import GROUP_STYLES
from abreast.model.groups import snapshot_of
from abreast.model.session import Attendance, Presence, Run
from abreast.model.snapshot import Group, Row, Snapshot, Watched

if TYPE_CHECKING:
    from abreast.model.question import Question

_FIRST = (Group.NEEDS_YOU, Group.WORKING, Group.FAILED, Group.WAITING, Group.TO_LAND, Group.DONE)
"""Which rows are shown where there is no room for all: failures do not hide what is at work."""


def rows_of_run(
    run: Run, who: Attendance = Attendance.NOT_NEEDED, asked: "Iterable[Question]" = ()
) -> Snapshot:
    """Return the snapshot of one run as it is at hand, with the questions that wait."""
    return snapshot_of([Watched(run, Presence(who))], asked, 0)


def liveliest(rows: Sequence[Row]) -> list[Row]:
    """Return rows, the first ones those that are shown where there is no room for all."""
    found: dict[Group, list[Row]] = {group: [] for group in _FIRST}
    for row in rows:
        found[row.group].append(row)
    return [row for group in found.values() for row in group]


def fold(rows: Sequence[Row], room: int) -> tuple[list[Row], list[Row]]:
    """Split rows into those that fit into `room` lines, the liveliest, and the rest; in order."""
    return parted(rows, liveliest(rows)[:room]) if len(rows) > room else (list(rows), [])


def parted(rows: Iterable[Row], chosen: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """Split rows into those that are chosen and the rest; both keep their order."""
    names = {row.id for row in chosen}
    parts: tuple[list[Row], list[Row]] = [], []
    for row in rows:
        parts[row.id not in names].append(row)
    return parts


def in_groups(rows: Iterable[Row], cells: Callable[[Row], Sequence[Text]]) -> list[Sequence[Text]]:
    """Return the cells of rows, which are in the order of their groups, under group headings."""
    lines: list[Sequence[Text]] = []
    last = None
    for row in rows:
        if row.group is not last:
            last = row.group
            lines.append((Text(last.value.capitalize(), GROUP_STYLES[last]),))
        lines.append(cells(row))
    return lines


def run_line(run: Run) -> Text:
    """Return the line over the table of a run: repository, run, and what it began from."""
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(figures.one_line(run.repo.rstrip("/").rpartition("/")[2]), "bold")
    line.append("  run ").append(run.id, "bold")
    base = run.base.removeprefix("refs/heads/")
    return line.append(f"  {figures.one_line(base)} at {run.base_sha[:7]}")
