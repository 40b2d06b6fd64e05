"""Which sessions have lost their process: their runner has gone without writing a result.

That takes a machine restart, or a `kill -9`. Nothing here needs the database: files and processes
tell, so that whoever only looks may ask.
"""

from pathlib import Path

from abreast.engine.common.layout import JOBS, ROUNDS, SessionLayout
from abreast.model.session import Session
from abreast.places import Places
from abreast.runner.job import JOB, load_result, load_runner


def agent_is_lost(session: Session, places: Places) -> bool:
    """Return whether the agent of a session that has not ended is gone without a result.

    The worker that comes next will find that out as well, and end the attempt.
    """
    return not session.state.final and lost_job(session, places, ROUNDS) is not None


def lost_job(session: Session, places: Places, jobs: tuple[str, ...] = JOBS) -> Path | None:
    """Return the folder of the job whose runner is gone, of the session's latest attempt."""
    layout = SessionLayout(places, Path(), session.run, session.task, session.attempt)
    return next((layout.job(name) for name in jobs if _is_lost(layout.job(name))), None)


def _is_lost(folder: Path) -> bool:
    if not (folder / JOB).exists() or load_result(folder) is not None:
        return False
    runner = load_runner(folder)  # None: nobody has begun it, and the next worker will
    return runner is not None and not runner.alive and load_result(folder) is None
