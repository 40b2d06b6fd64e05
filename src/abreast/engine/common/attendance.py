"""Who is at work on a run, and who sits at a session: looked up in files and among processes.

A row in the database says what was wanted and how far it has come. Whether anybody works on it is
another question: workers and runners are killed, and machines are switched off.

One person at a time sits at a session, and holds its lock until they leave: two terminals in one
CLI session would write over each other, and so would a person and an agent. The kernel releases the
lock when its holder dies.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

from abreast.engine.common.worker_process import find_worker
from abreast.errors import StateError
from abreast.model.session import Attendance, Presence, Run, RunState, Session, SessionKind
from abreast.places import Places
from abreast.process.files import load_as, private_folder, write_json
from abreast.process.folders import matching, written
from abreast.process.identity import Identity, identify

_held: dict[Path, int] = {}  # by this process: the descriptor of each lock


def take_seat(session: Session, places: Places) -> None:
    """Hold the session's lock for this process; nothing when it does already.

    Raises StateError, which names the process, while another one holds it.
    """
    lock = _lock(session, places)
    if lock in _held:
        return
    private_folder(lock.parent)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    if not _try(descriptor):
        os.close(descriptor)
        require_free([session], places)
        raise StateError(f"{session.id} was open in another terminal until now", hint="try again")
    write_json(lock.with_suffix(".json"), identify())
    _held[lock] = descriptor


def leave_seat(session: Session, places: Places) -> None:
    """Release the session's lock; nothing when this process does not hold it."""
    descriptor = _held.pop(_lock(session, places), None)
    if descriptor is not None:
        os.close(descriptor)


def require_free(sessions: Iterable[Session], places: Places) -> None:
    """Raise StateError while another process holds one of the sessions."""
    session = next((one for one in sessions if is_taken(one, places)), None)
    if session is None:
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


def attendance(run: Run, places: Places) -> Attendance:
    """Return who works on a run. Cheap: some small files, no database."""
    if run.state.final or run.state is RunState.OPEN:
        return Attendance.NOT_NEEDED
    if find_worker(places) is not None:
        return Attendance.WORKER
    going_on = any(is_at_work(session) for session in run.sessions)
    return Attendance.AGENT if going_on else Attendance.NOBODY


def presence(run: Run, places: Places) -> Presence:
    """Return who works on a run, and since when nobody has. As cheap as `attendance`."""
    who = attendance(run, places)
    if who is not Attendance.NOBODY:
        return Presence(who)
    begun = [session for session in run.sessions if session.started is not None]
    signs = [session.ended or _last_sign(session) for session in begun]
    return Presence(who, max(signs, default=run.created))


def _last_sign(session: Session) -> float:
    """Return when the runners of the session's attempt last wrote something."""
    last = session.started or 0.0
    found = matching(Path(session.directory), "*/*") if session.directory else ()
    return max((written(file) for file in found), default=last)


def is_lost(session: Session, places: Places) -> bool:
    """Return whether a session has begun, has not ended, and has no process left."""
    if session.state.final:
        return False
    if session.kind is SessionKind.OPEN:
        return not is_taken(session, places)
    return find_worker(places) is None and not is_at_work(session)


def is_at_work(session: Session) -> bool:
    """Return whether a runner of the session's attempt (setup, agent, verify) is alive.

    Always False for a session that has ended, and for a person's own.
    """
    if session.state.final or session.kind is SessionKind.OPEN or not session.directory:
        return False
    # Of a run whose worker lives nobody asks this, and `abreast status` starts without it.
    from abreast.runner.job import JOB

    jobs = (file.parent for file in matching(Path(session.directory), f"*/{JOB}"))
    return any(_lives(folder) for folder in jobs)


def _lives(job: Path) -> bool:
    from abreast.runner.job import RESULT, load_runner

    runner = None if (job / RESULT).exists() else load_runner(job)
    return runner is not None and runner.alive
