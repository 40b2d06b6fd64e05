"""The client's side: record what is wanted, and see that a worker is there to do it.

Nothing here imports DBOS: a request is a row in the database, and the worker takes it from there.
"""

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from abreast.engine.check import Checked, check_plan
from abreast.engine.environment import keep_environment
from abreast.engine.layout import SessionLayout, layout_of
from abreast.engine.watching import POLL, require_run
from abreast.engine.worker_process import ensure_worker
from abreast.errors import NotFoundError, StateError, WorkerError
from abreast.model.session import Run, Session
from abreast.model.states import LandMode, LandState, RunState, SessionKind, SessionState
from abreast.model.task import Plan
from abreast.places import Places
from abreast.plan.dump import dump_plan, load_plan
from abreast.store.engine import make_engine
from abreast.store.migrations import migrate
from abreast.store.reader import Reader
from abreast.store.writer import Store

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read as another


@contextlib.contextmanager
def connect(places: Places) -> Iterator["Client"]:
    """Open the store, made and migrated if need be, and close it at the end."""
    places.make()
    engine = make_engine(places.database)
    try:
        migrate(engine)
        yield Client(places, Store(engine), Reader(places.database))
    finally:
        engine.dispose()


@dataclass(frozen=True)
class Client:
    """What a face may ask for. Each request returns at once, with a worker there to do it."""

    places: Places
    store: Store
    reader: Reader

    def start(self, plan: Plan, environ: Mapping[str, str] | None = None) -> Run:
        """Record a plan as a run; raises PlanError before anything has happened.

        `environ` (default: ours) is what the run's processes see, as far as allow-lists let them.
        """
        name = self.record(check_plan(plan, environ), environ)
        ensure_worker(self.places)
        return require_run(self.reader, name)

    def record(
        self,
        checked: Checked,
        environ: Mapping[str, str] | None = None,
        *,
        kind: SessionKind = SessionKind.TASK,
    ) -> str:
        """Add a checked plan to the store as a queued run (an open one for a person's session)."""
        name, plan = self._new_run_id(), checked.plan
        # The environment first: a worker may take the run at once.
        keep_environment(self.places, name, plan.pass_env, environ)
        run = Run(
            id=name,
            repo=plan.repo,
            base=plan.base,
            base_sha=plan.base_sha,
            target=plan.target,
            state=RunState.OPEN if kind is SessionKind.OPEN else RunState.QUEUED,
            land=plan.land,
            created=time.time(),
            max_parallel=plan.max_parallel,
            source=plan.source,
            note="\n".join(checked.notes),
            sessions=_sessions(name, plan, kind),
        )
        common_dir = str(checked.repository.common_dir)
        self.store.add_run(run, dump_plan(plan), common_dir=common_dir)
        return name

    def stop(self, name: str, timeout: float = 60.0) -> list[Session]:
        """Ask a run or session to stop; return the sessions this reached, once they have ended."""
        reached = self.store.request_stop(name)
        for session in map(self._session, reached):
            layout = self._layout(session)
            layout.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            layout.stop_file.touch()
        if reached:
            ensure_worker(self.places)
        deadline = time.monotonic() + timeout
        while True:
            sessions = [self._session(session) for session in reached]
            late = [session.id for session in sessions if not session.state.final]
            if not late:
                return sessions
            if time.monotonic() > deadline:
                raise WorkerError(
                    f"not stopped after {timeout:g} s: {', '.join(late)}",
                    hint=f"the worker's log: {self.places.logs / 'worker.log'}",
                )
            time.sleep(POLL)

    def again(self, run: str, sessions: Sequence[str], *, fresh: bool) -> Run:
        """Queue these sessions, which have ended, once more; the run itself may be at work.

        Raises StateError when one of them has not ended.
        """
        self._keep_environment(run)
        for session in sessions:
            self.store.next_attempt(session, fresh=fresh)
        self.store.next_generation(run)
        ensure_worker(self.places)
        return require_run(self.reader, run)

    def resume(self, run: str) -> Run:
        """Go on with a run. One that has not ended only needs a worker and today's environment.

        Raises StateError when all of it is done.
        """
        found = require_run(self.reader, run)
        if not found.state.final:
            self._keep_environment(run)
            ensure_worker(self.places)
            return found
        left = [s.id for s in found.sessions if s.state is not SessionState.DONE]
        if not left:
            raise StateError(f"run {run} is done: nothing is left to resume", hint="abreast status")
        return self.again(run, left, fresh=False)

    def request_landing(
        self, run: str, sessions: Sequence[Session], mode: LandMode, target: str
    ) -> None:
        """Queue those of `sessions` that can land, and start landing them.

        Raises StateError when the run has not ended, or none of them has anything to land.
        """
        found = require_run(self.reader, run)
        if not found.state.final:
            raise StateError(
                f"run {run} has not ended: it is {found.state}", hint=f"abreast watch {run}"
            )
        ready = [s.id for s in sessions if s.commit and s.landing is not LandState.LANDED]
        if not ready:
            names = ", ".join(session.id for session in sessions)
            raise StateError(f"nothing to land in {names}", hint=f"abreast status {run}")
        self._keep_environment(run)
        self.store.request_landing(run, ready, mode, target or found.target)
        ensure_worker(self.places)

    def _keep_environment(self, run: str) -> None:
        plan = load_plan(self.store.load_plan_json(run))
        keep_environment(self.places, run, plan.pass_env)

    def _new_run_id(self) -> str:
        while True:
            name = "".join(secrets.choice(_ALPHABET) for _ in range(5))
            if self.reader.run(name) is None:
                return name

    def _session(self, name: str) -> Session:
        found = self.reader.session(name)
        if found is None:
            raise NotFoundError(f"there is no session {name}", hint="abreast status lists them")
        return found

    def _layout(self, session: Session) -> SessionLayout:
        kept = self.reader.record(session.run)
        common_dir = Path(kept.common_dir if kept else "")
        return layout_of(session, self.places, common_dir)


def _sessions(run: str, plan: Plan, kind: SessionKind) -> tuple[Session, ...]:
    return tuple(
        Session(
            id=f"{run}/{task.id}",
            run=run,
            task=task.id,
            agent=task.agent.name,
            state=SessionState.QUEUED,
            kind=kind,
            produces=task.produces,
            base_sha=plan.base_sha,
            model=task.model,
            needs=task.needs,
        )
        for task in plan.tasks
    )
