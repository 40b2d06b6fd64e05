"""A history gone through from its oldest change on: what was known before each, and what followed.

The product goes to the end and has what is known now. The benchmark stops before each change.
"""

from collections.abc import Iterator

from abreast.gate.features import features, pair_of
from abreast.gate.model import Row
from abreast.gate.past import Past
from abreast.model.history import (
    Change,
    ChangeHistory,
    ChangeKind,
    Meeting,
    MeetingOutcome,
    is_task,
)

Following = list[tuple[Change, Meeting]]


def study(history: ChangeHistory, *, learn: bool = True) -> Past:
    """Return what is known at the end of a history."""
    past = Past()
    for _ in walk(history, past, learn=learn):
        pass
    return past


def walk(
    history: ChangeHistory, past: Past, *, learn: bool = True
) -> Iterator[tuple[Change, Following]]:
    """Yield each change before `past` has it, with how it met those after it.

    Whoever asks sees `past` as it was when the change began: no outcome of a pair is in it, or in
    the weights, whose later change had not landed then.
    """
    by_id = {change.id: change for change in history.changes}
    starting: dict[str, Following] = {}
    ending: dict[str, list[Meeting]] = {}
    for meeting in history.meetings:
        if meeting.earlier in by_id and meeting.later in by_id:
            starting.setdefault(meeting.earlier, []).append((by_id[meeting.later], meeting))
            ending.setdefault(meeting.later, []).append(meeting)
    waiting: dict[str, list[tuple[Row, bool]]] = {}
    for change in reversed(history.changes):
        following = starting.pop(change.id, [])
        yield change, following
        if learn and is_task(change):
            for later, meeting in following:
                rows = [
                    (row, path in meeting.conflicted) for path, row in rows_of(past, change, later)
                ]
                if meeting.outcome is not MeetingOutcome.NEITHER and rows:
                    waiting.setdefault(later.id, []).extend(rows)
        past.add(change, ending.pop(change.id, ()))
        for row, conflicted in waiting.pop(change.id, ()):
            past.model.learn(row, conflicted)


def rows_of(past: Past, one: Change, other: Change) -> Iterator[tuple[str, Row]]:
    """Yield what is known of each path that two changes share, before the first of them."""
    paths = (one.paths, other.paths)
    shared = paths[0] & paths[1]
    if not shared:
        return
    pair = pair_of(past, paths, (one.subject, other.subject))
    born = {file.path for file in one.files if file.kind is ChangeKind.ADDED}
    for path in sorted(shared):
        yield path, features(past, path, pair, new=path in born)
