"""A session's story, from the database and from what its runners wrote down."""

import heapq
import json
import threading
from collections.abc import Iterator
from pathlib import Path

from abreast.engine.common.layout import JOBS, ROUNDS
from abreast.model.session import LogEvent, Session
from abreast.places import Places
from abreast.runner.job import STORY, STREAM
from abreast.store.reader import Reader

_POLL = 0.3  # seconds between looks while following


class _Tail:
    """Reads the whole lines that were added to a file since the last look."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset = path, 0

    def lines(self) -> list[bytes]:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                text = file.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]  # the last line may be half written
        self._offset += len(whole)
        return whole.splitlines(keepends=True)


def tell(
    session: Session, places: Places, *, follow: bool, given_up: threading.Event | None = None
) -> Iterator[LogEvent]:
    """Yield the events of all attempts, oldest first.

    With `follow`, until the session is final or the caller has `given_up`.
    """
    for events in looks(session, places, follow=follow, given_up=given_up):
        yield from events


def looks(
    session: Session, places: Places, *, follow: bool, given_up: threading.Event | None = None
) -> Iterator[list[LogEvent]]:
    """Yield the events of `tell` as they are found: all of one look together, also if none."""
    given_up = given_up or threading.Event()
    reader, last = Reader(places.database), 0
    tails: dict[Path, _Tail] = {}
    while True:
        now = reader.session(session.id) or session
        fresh = reader.events(session.id, last)
        last = fresh[-1][0] if fresh else last
        stories = [_story(now, tails, folder) for folder in _folders(places, now)]
        found = [event for _, event in fresh]
        yield [*heapq.merge(found, *stories, key=lambda event: event.at)]
        if not follow or now.state.final or given_up.wait(_POLL):
            return


def stream(
    session: Session, places: Places, *, follow: bool, given_up: threading.Event | None = None
) -> Iterator[bytes]:
    """Yield the lines that the agent of the latest attempt printed; `follow` as for `tell`."""
    given_up = given_up or threading.Event()
    reader = Reader(places.database)
    tail = _Tail(places.sessions / session.id / str(session.attempt) / "agent" / STREAM)
    while True:
        now = reader.session(session.id) or session
        yield from tail.lines()
        if not follow or now.state.final or given_up.wait(_POLL):
            return


def _folders(places: Places, session: Session) -> list[Path]:
    top = places.sessions / session.id
    return [top / str(attempt) / job for attempt in range(1, session.attempt + 1) for job in JOBS]


def _story(session: Session, tails: dict[Path, _Tail], folder: Path) -> list[LogEvent]:
    tail = tails.setdefault(folder, _Tail(folder / STORY))
    return [_event(session, folder.name, line) for line in tail.lines()]


def _event(session: Session, job: str, line: bytes) -> LogEvent:
    raw = json.loads(line)
    kind = raw["kind"] if job in ROUNDS else job
    return LogEvent(raw["at"], session.run, session.id, kind, raw["text"])
