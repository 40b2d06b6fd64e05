"""Who is at work on a run: looked up in files and among the processes, at once, whoever asks.

A row in the database says what was wanted and how far it has come. Whether anybody works on it is
another question: workers and runners are killed, and machines are switched off.
"""

from pathlib import Path

from abreast.engine.common.seat import is_taken
from abreast.engine.common.worker_process import find_worker
from abreast.model.session import Attendance, Presence, Run, RunState, Session, SessionKind
from abreast.places import Places
from abreast.process.folders import matching, written
from abreast.runner.job import JOB, RESULT, load_runner


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
    """Return whether a session that has begun and not ended is left by all who worked on it."""
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
    jobs = (file.parent for file in matching(Path(session.directory), f"*/{JOB}"))
    return any(_lives(folder) for folder in jobs)


def _lives(job: Path) -> bool:
    runner = None if (job / RESULT).exists() else load_runner(job)
    return runner is not None and runner.alive
