"""What the database says of a run, kept in files too: without it, `abreast recover` reads these.

A run's file has its plan, and how its sessions stood when it was recorded and when it last ended.
A session's has how it ended last. They are copies: nothing else reads them.
"""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from abreast.errors import ShapeError
from abreast.model.session import Run, Session
from abreast.places import Places
from abreast.process.files import load_as, private_folder, write_json

T = TypeVar("T")

RECORD = "record.json"
_FORGOTTEN = "forgotten"


@dataclass(frozen=True)
class RunRecord:
    """A run with its sessions, and its plan as `dump_plan` gives it."""

    run: Run
    plan: str


def keep_run(places: Places, run: Run, plan: str) -> None:
    """Keep a run as it stands, and its plan, as far as the disk takes it."""
    with contextlib.suppress(OSError):
        write_json(private_folder(places.runs / run.id) / RECORD, RunRecord(run, plan))


def note_forgotten(places: Places, run: str) -> None:
    """Note that a run was forgotten on purpose: its refs are no work that is to come back."""
    with (places.state / _FORGOTTEN).open("a", encoding="ascii") as file:
        file.write(f"{run}\n")


def forgotten(places: Places) -> frozenset[str]:
    """Return the runs that were forgotten on purpose."""
    try:
        return frozenset((places.state / _FORGOTTEN).read_text(encoding="ascii").split())
    except FileNotFoundError:
        return frozenset()


def keep_end_of_session(places: Places, session: Session) -> None:
    """Keep how a session has ended, as far as the disk takes it."""
    with contextlib.suppress(OSError):
        # The next one replaces it, and a power failure leaves what the session's files tell.
        write_json(private_folder(_folder(places, session)) / RECORD, session, flush=False)


def kept_run(places: Places, run: str) -> RunRecord | None:
    """Return what was kept of a run, its sessions as they ended last; None if nothing was.

    A record of another run, such as in a copy of its folder, is none of this one.
    """
    found = _read(RunRecord, places.runs / run / RECORD)
    if found is None or found.run.id != run or any(one.run != run for one in found.run.sessions):
        return None
    newest = tuple(_newest(places, session) for session in found.run.sessions)
    return replace(found, run=replace(found.run, sessions=newest))


def _newest(places: Places, session: Session) -> Session:
    ended = kept_session(places, session.run, session.task)
    return session if ended is None or _age(ended) < _age(session) else ended


def _age(session: Session) -> tuple[int, bool, float]:
    return session.attempt, session.state.final, session.moved or 0.0


def kept_session(places: Places, run: str, task: str) -> Session | None:
    """Return how a session ended last; None if that was not kept."""
    found = _read(Session, places.sessions / run / task / RECORD)
    return found if found is not None and (found.run, found.task) == (run, task) else None


def _read(kind: type[T], path: Path) -> T | None:
    with contextlib.suppress(ShapeError, OSError):
        return load_as(kind, path)
    return None


def _folder(places: Places, session: Session) -> Path:
    return places.sessions / session.run / session.task
