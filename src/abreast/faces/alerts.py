"""How many sessions need a person, in a line, and which have begun to since the last look. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from abreast.faces.figures import one_line
from abreast.model import text as texts
from abreast.model.alert import Alert
from abreast.model.snapshot import Group, Row, Snapshot

if TYPE_CHECKING:
    from abreast.model.need import Need

_LONGEST = 200  # characters of what is asked
_LINE = {
    Group.NEEDS_YOU: "need you",
    Group.FAILED: "failed",
    Group.WORKING: "working",
    Group.WAITING: "waiting",
    Group.TO_LAND: "to land",
}

Seen = frozenset[tuple[str, str, float | None]]
"""What has been told: session, kind of its need, and since when it has that."""


def line_of(snapshot: Snapshot) -> str:
    """Return how things stand in a few words, such as `2 need you, 3 working`.

    It is empty when nothing goes on and nobody is needed. Failures are those of runs that go on.
    """
    going = {one.run.id for one in snapshot.runs if one.goes_on}
    counts = dict.fromkeys(_LINE, 0)
    for row in snapshot.rows:
        if row.group in counts and (row.group is not Group.FAILED or row.session.run in going):
            counts[row.group] += 1
    one = {Group.NEEDS_YOU: "needs you"}
    return ", ".join(
        f"{number} {one.get(group, _LINE[group]) if number == 1 else _LINE[group]}"
        for group, number in counts.items()
        if number
    )


def seen(snapshot: Snapshot, since: float | None = None) -> Seen:
    """Return what to remember of a look, for `begun`: all needs, or those from before `since`.

    Of some it is not known when they began: before it.
    """
    return frozenset(
        _mark(row, need)
        for row, need in _needs(snapshot)
        if since is None or (need.since or 0.0) < since
    )


def begun(before: Seen, snapshot: Snapshot) -> Iterator[Alert]:
    """Yield the sessions that have begun to need a person since `before`, in the order shown."""
    for row, need in _needs(snapshot):
        if _mark(row, need) not in before:
            yield _alert(row, need)


def _needs(snapshot: Snapshot) -> "Iterator[tuple[Row, Need]]":
    for row in snapshot.rows:
        if row.need is not None:
            yield row, row.need


def _mark(row: Row, need: "Need") -> tuple[str, str, float | None]:
    return row.id, need.kind.value, need.since


def _alert(row: Row, need: "Need") -> Alert:
    repo = one_line(row.repo.rstrip("/").rpartition("/")[2])
    return Alert(
        session=row.id,
        repo=row.repo,
        agent=row.session.agent,
        kind=need.kind.value,
        title=f"{one_line(row.session.task)} needs you ({repo})",
        text=texts.one_line(one_line(need.asked), _LONGEST),
        command=need.answers[0].command,
    )
