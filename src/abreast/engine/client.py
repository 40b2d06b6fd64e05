"""The client's side: record what is wanted, see that a worker is there, wait for what comes of it.

Nothing here imports DBOS: a request is a row in the database, and the worker takes it from there.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from abreast.engine.check import check_plan
from abreast.engine.environment import keep_environment
from abreast.engine.layout import SessionLayout
from abreast.engine.worker_process import ensure_worker
from abreast.errors import NotFoundError, StateError, WorkerError
from abreast.git.repository import Repository
from abreast.model.session import Run, Session
from abreast.model.states import LandMode, LandState, RunState, SessionKind, SessionState
from abreast.model.task import Plan
from abreast.places import Places
from abreast.plan.dump import dump_plan, load_plan
from abreast.store.engine import make_engine
from abreast.store.migrations import migrate
from abreast.store.reader import Reader
from abreast.store.writer import Store

_POLL = 0.15  # seconds between looks at a run that is waited for
_CHECK = 2.0  # seconds between checks that a worker lives
_MOST_WORKERS = 5  # started during one wait
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read as another


def open_store(places: Places) -> Store:
    """Return the store, made and migrated if need be."""
    places.make()
    engine = make_engine(places.database)
    migrate(engine)
    return Store(engine)


def start(plan: Plan, places: Places, environ: Mapping[str, str] | None = None) -> Run:
    """Record a plan as a run and return it; raises PlanError before anything has happened.

    `environ` (default: ours) is what the run's processes see, as far as the allow-lists let them.
    """
    checked = check_plan(plan, environ)
    store, reader = open_store(places), Reader(places.database)
    name = new_run_id(reader)
    keep_environment(
        places, name, plan.pass_env, environ
    )  # first: a worker may take the run at once
    record(name, checked.plan, checked.repository, store, note="\n".join(checked.notes))
    ensure_worker(places)
    return require_run(reader, name)


def record(
    name: str,
    plan: Plan,
    repository: Repository,
    store: Store,
    *,
    note: str = "",
    kind: SessionKind = SessionKind.TASK,
) -> None:
    """Add a checked plan to the store as a queued run of this name."""
    sessions = tuple(
        Session(
            id=f"{name}/{task.id}",
            run=name,
            task=task.id,
            agent=str(task.agent.name),
            state=SessionState.QUEUED,
            kind=kind,
            produces=task.produces,
            base_sha=plan.base_sha,
            model=task.model,
            needs=task.needs,
        )
        for task in plan.tasks
    )
    run = Run(
        id=name,
        repo=plan.repo,
        base=plan.base,
        base_sha=plan.base_sha,
        target=plan.target,
        state=RunState.QUEUED,
        land=plan.land,
        created=time.time(),
        max_parallel=plan.max_parallel,
        source=plan.source,
        note=note,
        sessions=sessions,
    )
    store.add_run(run, dump_plan(plan), common_dir=str(repository.common_dir))


def new_run_id(reader: Reader) -> str:
    """Return a short id that no run has yet."""
    while True:
        name = "".join(secrets.choice(_ALPHABET) for _ in range(5))
        if reader.run(name) is None:
            return name


def require_run(reader: Reader, run: str) -> Run:
    """Return the run of exactly this id; raises NotFoundError."""
    found = reader.run(run)
    if found is None:
        raise NotFoundError(f"there is no run {run}", hint="`abreast status` lists the runs")
    return found


def wait(
    run: str, places: Places, progress: Callable[[Run], None], timeout: float | None = None
) -> Run:
    """Return the run once it is final or `timeout` has passed.

    A worker that was killed meanwhile is replaced; raises WorkerError when they keep dying.
    """
    reader = Reader(places.database)
    deadline = None if timeout is None else time.monotonic() + timeout
    shown, checked, started = None, time.monotonic(), 0
    while True:
        found = require_run(reader, run)
        if found != shown:
            shown = found
            progress(found)
        now = time.monotonic()
        if found.state.final or (deadline is not None and now > deadline):
            return found
        if now - checked > _CHECK:
            checked = now
            started += ensure_worker(places)
            if started > _MOST_WORKERS:
                raise WorkerError("workers keep dying", hint=f"see {places.logs / 'worker.log'}")
        time.sleep(_POLL)


def stop(name: str, places: Places, timeout: float = 60.0) -> list[Session]:
    """Ask a run or session to stop and return the sessions this reached, once they have ended."""
    store, reader = open_store(places), Reader(places.database)
    reached = store.request_stop(name)
    for session_id in reached:
        session = _require_session(reader, session_id)
        layout = _layout(places, reader, session)
        layout.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        layout.stop_file.touch()
    if reached:
        ensure_worker(places)
    deadline = time.monotonic() + timeout
    while True:
        sessions = [_require_session(reader, session_id) for session_id in reached]
        if all(session.state.final for session in sessions):
            return sessions
        if time.monotonic() > deadline:
            late = [session.id for session in sessions if not session.state.final]
            raise WorkerError(
                f"not stopped after {timeout:g} s: {', '.join(late)}",
                hint=f"the worker's log: {places.logs / 'worker.log'}",
            )
        time.sleep(_POLL)


def again(run: str, sessions: Sequence[str], places: Places, *, fresh: bool) -> Run:
    """Queue these sessions, which have ended, once more; the rest of the run may still be at work.

    Raises StateError when one of them has not ended.
    """
    store, reader = open_store(places), Reader(places.database)
    plan = load_plan(store.load_plan_json(run))
    keep_environment(places, run, plan.pass_env)
    for session in sessions:
        store.next_attempt(session, fresh=fresh)
    store.next_generation(run)
    ensure_worker(places)
    return require_run(reader, run)


def resume(run: str, places: Places) -> Run:
    """Go on with a run. One that has not ended only needs a worker and today's environment."""
    store, reader = open_store(places), Reader(places.database)
    found = require_run(reader, run)
    if not found.state.final:
        plan = load_plan(store.load_plan_json(run))
        keep_environment(places, run, plan.pass_env)
        ensure_worker(places)
        return found
    left = [s.id for s in found.sessions if s.state is not SessionState.DONE]
    if not left:
        raise StateError(f"run {run} is done: nothing is left to resume", hint="abreast status")
    return again(run, left, places, fresh=False)


def request_landing(
    run: str,
    sessions: Sequence[Session],
    mode: LandMode,
    target: str,
    places: Places,
    *,
    only: bool = False,
) -> Run:
    """Queue those of `sessions` that can land, and start landing them.

    Raises StateError when the run has not ended or none of them can; with `only`, when one of them
    cannot.
    """
    store, reader = open_store(places), Reader(places.database)
    found = require_run(reader, run)
    if not found.state.final:
        raise StateError(
            f"run {run} has not ended: it is {found.state}", hint=f"abreast watch {run}"
        )
    ready = [s for s in sessions if s.commit and s.landing is not LandState.LANDED]
    if not ready:
        names = f"session {sessions[0].id}" if only else f"run {run}"
        raise StateError(f"{names} has nothing to land", hint=f"abreast status {run}")
    plan = load_plan(store.load_plan_json(run))
    keep_environment(places, run, plan.pass_env)
    store.request_landing(run, [session.id for session in ready], mode, target or found.target)
    ensure_worker(places)
    return require_run(reader, run)


def _require_session(reader: Reader, session: str) -> Session:
    found = reader.session(session)
    if found is None:
        raise NotFoundError(f"there is no session {session}", hint="abreast status lists them")
    return found


def _layout(places: Places, reader: Reader, session: Session) -> SessionLayout:
    kept = reader.record(session.run)
    common_dir = Path(kept.common_dir if kept else "")
    return SessionLayout(places, common_dir, session.run, session.task, session.attempt)
