"""Histories for the gate's tests, written down change by change."""

from collections.abc import Sequence

from abreast.model.history import (
    Change,
    ChangedFile,
    ChangeHistory,
    ChangeKind,
    Hunk,
    Meeting,
    MeetingOutcome,
)

Files = dict[str, tuple[Hunk, ...]]


def change(number: int, files: Files, *, subject: str = "", born: Sequence[str] = ()) -> Change:
    done = tuple(
        ChangedFile(path, ChangeKind.ADDED if path in born else ChangeKind.MODIFIED, 1000, hunks)
        for path, hunks in files.items()
    )
    parent = f"c{number - 1}"
    return Change(f"c{number}", parent, 1000 + number, "Ada", subject or f"change {number}", done)


def at(line: int) -> tuple[Hunk, ...]:
    return (Hunk(line, 1, 1),)


def history(*changes: Change, met: Sequence[Meeting] = ()) -> ChangeHistory:
    """Return a history of changes given oldest first."""
    return ChangeHistory(changes[::-1], tuple(met))


def met(earlier: int, later: int, *paths: str, mechanical: Sequence[str] = ()) -> Meeting:
    outcome = MeetingOutcome.ONE if paths else MeetingOutcome.BOTH
    return Meeting(f"c{earlier}", f"c{later}", outcome, paths, tuple(mechanical))


def hub_and_quiet(count: int = 60) -> ChangeHistory:
    """`hub.py` is changed in one line each time and conflicts; `quiet.py` far apart, and never."""
    changes = [
        change(number, {"hub.py": at(5), "quiet.py": at(1 + 40 * (number % 12))})
        for number in range(count)
    ]
    pairs = [(one, two) for two in range(count) for one in range(max(0, two - 3), two)]
    return history(*changes, met=[met(one, two, "hub.py") for one, two in pairs])
