"""Who is at work on a run: looked up in files and among the processes, at once, whoever asks.

A row in the database says what was wanted and how far it has come. Whether anybody works on it is
another question: workers and runners are killed, and machines are switched off.
"""

from enum import StrEnum
from pathlib import Path

from abreast.engine.worker_process import find_worker
from abreast.model.session import Run, Session
from abreast.model.states import RunState, SessionKind
from abreast.places import Places
from abreast.runner.job import JOB, RESULT, load_runner


class Attendance(StrEnum):
    """Who works on a run. In this order, where more than one does."""

    NOT_NEEDED = "not needed"  # it has ended, or is a person's own
    WORKER = "worker"  # a worker lives here, and does what there is to do
    AGENT = "agent"  # no worker; a job of it goes on under its runner, which starts one at its end
    NOBODY = "nobody"  # nothing will happen until somebody calls: `abreast watch`, `resume` …


def attendance(run: Run, places: Places) -> Attendance:
    """Return who works on a run. Cheap: some small files, no database."""
    if run.state.final or run.state is RunState.OPEN:
        return Attendance.NOT_NEEDED
    if find_worker(places) is not None:
        return Attendance.WORKER
    going_on = any(is_at_work(session) for session in run.sessions)
    return Attendance.AGENT if going_on else Attendance.NOBODY


def is_at_work(session: Session) -> bool:
    """Tell whether a job of the session's attempt (setup, agent, verify) is alive under its runner.

    Always False for a session that has ended, and for a person's own.
    """
    if session.state.final or session.kind is SessionKind.OPEN or not session.directory:
        return False
    jobs = (file.parent for file in Path(session.directory).glob(f"*/{JOB}"))
    return any(_lives(folder) for folder in jobs)


def _lives(job: Path) -> bool:
    runner = None if (job / RESULT).exists() else load_runner(job)
    return runner is not None and runner.alive
