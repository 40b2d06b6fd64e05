"""One person at a time in a session: whoever sits down at it holds its lock until they leave.

Two terminals in one CLI session would write over each other, and so would a person and an agent.
The kernel lets go of the lock when its holder dies.
"""

import contextlib
import fcntl
import os
from pathlib import Path

from abreast.errors import StateError
from abreast.model.session import Session
from abreast.places import Places
from abreast.process.files import load_as, write_json
from abreast.process.identity import Identity, identify

_held: dict[Path, int] = {}  # by this process: the descriptor of each lock


def take_seat(session: Session, places: Places) -> None:
    """Hold the session for this process; again, if it does already.

    Raises StateError, which names the process, while another one holds it.
    """
    lock = _lock(session, places)
    if lock in _held:
        return
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    if not _try(descriptor):
        os.close(descriptor)
        require_free(session, places)
        raise StateError(f"{session.id} was open in another terminal until now", hint="try again")
    write_json(lock.with_suffix(".json"), identify())
    _held[lock] = descriptor


def leave_seat(session: Session, places: Places) -> None:
    """Give the session back; nothing when this process does not hold it."""
    descriptor = _held.pop(_lock(session, places), None)
    if descriptor is not None:
        os.close(descriptor)


def require_free(session: Session, places: Places) -> None:
    """Raise StateError while another process holds the session."""
    if not is_taken(session, places):
        return
    holder = load_as(Identity, _lock(session, places).with_suffix(".json"))
    pid = holder.pid if holder else None
    raise StateError(
        f"{session.id} is open in another terminal: process {pid or 'unknown'}",
        hint=f"close it there; `ps -fp {pid}` shows where that is" if pid else "close it there",
    )


def is_taken(session: Session, places: Places) -> bool:
    """Return whether another process holds the session."""
    lock = _lock(session, places)
    if lock in _held:
        return False
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        descriptor = os.open(lock, os.O_RDWR)
        try:
            return not _try(descriptor)
        finally:
            os.close(descriptor)
    return False


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock(session: Session, places: Places) -> Path:
    return places.sessions / session.run / session.task / "terminal.lock"
