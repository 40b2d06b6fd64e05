"""The lines of the board: the rows of a snapshot under headings, grouped as the person wants. Pure.

Rows come in the order of a snapshot, so that within a heading those that need a person are first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from abreast.faces import figures
from abreast.faces.rows import tally
from abreast.faces.states import GROUP_STYLES
from abreast.model.snapshot import Group, Row


class Grouping(StrEnum):
    """What rows have in common under one heading."""

    STATE = "state"
    REPOSITORY = "repository"
    RUN = "run"

    @property
    def next(self) -> "Grouping":
        all_of_them = list(Grouping)
        return all_of_them[(all_of_them.index(self) + 1) % len(all_of_them)]


@dataclass(frozen=True)
class Heading:
    """A line over rows: what they have in common, and how many they are."""

    title: str
    style: str
    about: str = ""


Line: TypeAlias = Heading | Row


def laid_out(rows: Sequence[Row], grouping: Grouping) -> list[Line]:
    """Return the rows under headings; groups in the order in which faces show them."""
    parts: dict[str, list[Row]] = {}
    for row in rows:
        parts.setdefault(_key(row, grouping), []).append(row)
    lines: list[Line] = []
    for one in parts.values():
        lines.append(_heading(one, grouping))
        lines += one
    return lines


def _key(row: Row, grouping: Grouping) -> str:
    match grouping:
        case Grouping.STATE:
            return row.group
        case Grouping.REPOSITORY:
            return row.repo
        case Grouping.RUN:
            return row.session.run


def _heading(rows: Sequence[Row], grouping: Grouping) -> Heading:
    first = rows[0]
    if grouping is Grouping.STATE:
        return Heading(first.group.capitalize(), GROUP_STYLES[first.group], f"{len(rows):,}")
    about = tally(row.session for row in rows)
    title = repository(first)
    return Heading(
        title if grouping is Grouping.REPOSITORY else f"{title}  run {first.session.run}",
        "bold",
        about,
    )


def repository(row: Row) -> str:
    """Return the last part of the path of a row's repository."""
    return figures.one_line(row.repo.rstrip("/").rpartition("/")[2])


def numbers(rows: Iterable[Row]) -> dict[Group, int]:
    """Return how many rows each group has, in the groups' order; none is left out."""
    found = dict.fromkeys(Group, 0)
    for row in rows:
        found[row.group] += 1
    return found
