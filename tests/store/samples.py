"""Runs and sessions for tests of the store."""

from typing import Any

from abreast.model.session import LandMode, Run, RunState, Session, SessionState
from abreast.model.transitions import SESSIONS
from abreast.store.rows import SessionUpdate
from abreast.store.writer import Store


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


def bring(store: Store, session: str, state: SessionState, **last: Any) -> None:
    """Take a queued session to `state` as its work would; the last step also sets `last`."""
    ways = [[SessionState.QUEUED]]
    for way in ways:
        ways.extend([*way, one] for one in sorted(SESSIONS.work.get(way[-1], ())))
        if way[-1] is state:
            break
    for one in way[1:-1]:
        store.update_session(session, SessionUpdate(state=one))
    store.update_session(session, SessionUpdate(state=state, **last))
