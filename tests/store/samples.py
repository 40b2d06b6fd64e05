"""Runs and sessions for tests of the store."""

from abreast.model.session import Run, Session
from abreast.model.states import LandMode, RunState, SessionState


def make_run(run: str = "r1", tasks: int = 2, *, created: float = 1000.0) -> Run:
    sessions = tuple(
        Session(
            id=f"{run}/t{number}",
            run=run,
            task=f"t{number}",
            agent="scripted",
            state=SessionState.QUEUED,
            produces=f"Part {number}.",
            needs=(f"t{number - 1}",) if number else (),
        )
        for number in range(tasks)
    )
    return Run(
        id=run,
        repo="/repo",
        base="main",
        base_sha="1" * 40,
        target="main",
        state=RunState.QUEUED,
        land=LandMode.MERGE,
        created=created,
        max_parallel=3,
        source="plan.toml",
        note="uncommitted changes in a.py",
        sessions=sessions,
    )
