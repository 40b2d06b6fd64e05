"""The client's side: record what is wanted, and see that a worker is there to do it.

Nothing here imports DBOS: a request is a row in the database, and the worker takes it from there.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from abreast.agents import agent_named
from abreast.engine.client.gated import pass_gate
from abreast.engine.client.recording import record_run
from abreast.engine.client.settings import user_sandbox
from abreast.engine.client.watching import POLL, require_run, wait_for
from abreast.engine.common.attendance import attendance, require_free
from abreast.engine.common.check import CheckedPlan, check_plan, landing_problems
from abreast.engine.common.environment import (
    bring_environment,
    wanted_environment,
)
from abreast.engine.common.home import require_home
from abreast.engine.common.layout import (
    landing_stop_file,
    layout_of,
)
from abreast.engine.common.lost import agent_is_lost
from abreast.engine.common.run_budget import count_anew
from abreast.engine.common.sandboxed import keep_sandbox
from abreast.engine.common.undo import is_undone
from abreast.engine.common.worker_process import ensure_worker, require_environment
from abreast.errors import StateError, WorkerError
from abreast.git.repository import find_repository
from abreast.model.gate import GateProgress, PlanJudgement, unseen
from abreast.model.landing import LandingForecast, LandOptions
from abreast.model.session import (
    Attendance,
    LandMode,
    LandState,
    Run,
    RunState,
    Session,
    SessionKind,
    SessionState,
)
from abreast.model.task import Plan
from abreast.places import Places
from abreast.plan.dump import load_plan
from abreast.plan.names import prompt_problems
from abreast.process import clock
from abreast.process.files import private_folder
from abreast.store.engine import make_engine
from abreast.store.migrations import migrate
from abreast.store.reader import Reader
from abreast.store.writer import Store

_LEFT = ", but nobody works on it"
_CLOSING = 10.0  # seconds for a worker to close a run whose sessions have ended


@contextlib.contextmanager
def connect(places: Places) -> Iterator["Client"]:
    """Open the store, made and migrated if need be, and close it at the end.

    Raises WorkerError when the environment asks for a worker that cannot be, or another machine's
    worker has the database.
    """
    require_environment()
    places.make()
    engine = make_engine(places.database)
    try:
        migrate(engine)
        require_home(places)
        yield Client(places, Store(engine), Reader(places.database))
    finally:
        engine.dispose()


@dataclass(frozen=True)
class Client:
    """The requests of CLI, library and MCP server. Each makes sure that a worker is there."""

    places: Places
    store: Store
    reader: Reader

    def start(
        self,
        plan: Plan,
        environ: Mapping[str, str] | None = None,
        progress: GateProgress = unseen,
    ) -> Run:
        """Record a plan as a run; raises PlanError before anything has happened.

        `environ` (default: ours) is what the run's processes see, as far as allow-lists let them.
        The gate judges the plan first, and tells of its `progress`.
        """
        checked = check_plan(plan, environ, found=prompt_problems(plan))
        gated = pass_gate(checked.plan, self.places, progress)
        checked = replace(checked, plan=gated.plan, notes=(*checked.notes, *gated.notes))
        name = self.record(checked, environ, judgement=gated.judgement)
        return self._under_way(name)

    def record(
        self,
        checked: CheckedPlan,
        environ: Mapping[str, str] | None = None,
        *,
        kind: SessionKind = SessionKind.TASK,
        parent: str = "",
        judgement: PlanJudgement | None = None,
    ) -> str:
        """Add a checked plan to the store; see `record_run`."""
        stores = self.places, self.store, self.reader
        return record_run(stores, checked, environ, kind=kind, parent=parent, judgement=judgement)

    def stop(self, name: str, timeout: float = 60.0) -> list[Session]:
        """Ask a run or session to stop; return the sessions this reached, once it has ended.

        A run that is landing lands no more; those of its sessions that waited are returned.
        """
        reached = self.store.request_stop(name)
        run = require_run(self.reader, name.partition("/")[0])
        for session in (s for s in run.sessions if s.id in reached):
            layout = layout_of(session, self.places, Path(run.common_dir))
            (private_folder(layout.directory) / layout.stop_file.name).touch(mode=0o600)
        if "/" not in name and run.state is RunState.LANDING:
            landing_stop_file(self.places, run.id).touch(mode=0o600)
            reached = [s.id for s in run.sessions if s.landing is LandState.QUEUED]
        deadline = clock.awake() + timeout
        while True:
            run = require_run(self.reader, run.id)
            sessions = [session for session in run.sessions if session.id in reached]
            late = [session.id for session in sessions if not session.state.final]
            if not late and (run.state.final or "/" in name):
                return sessions
            if clock.awake() > deadline:
                raise WorkerError(
                    f"not stopped after {timeout:g} s: {', '.join(late) or run.id}",
                    hint=f"the worker's log: {self.places.logs / 'worker.log'}",
                )
            ensure_worker(self.places)
            time.sleep(POLL)

    def again(self, run: str, sessions: Sequence[Session], *, fresh: bool) -> Run:
        """Queue these sessions once more; the run itself may be at work.

        One whose process is gone is queued as soon as that is written down. Raises StateError when
        one of them has not ended otherwise: then nothing has changed.
        """
        names = [session.id for session in sessions]
        plan = self._plan(run)
        keep_sandbox(self.places, run, user_sandbox(os.environ))
        with bring_environment(self.places, run, plan.pass_env):
            require_free(sessions, self.places)
            self._count_anew(run, plan)
            self.store.again(run, names, self._lost(sessions), plan.land, fresh=fresh)
        return self._under_way(run)

    def resume_one(self, session: Session) -> Run:
        """Go on with one session that has ended, or lost its process, in its CLI session.

        Raises StateError when it is done, is at work, or is a person's own.
        """
        require_task(session)
        if session.state is SessionState.DONE:
            said = f"{session.id} is done: there is nothing to resume"
            raise StateError(said, hint=_after_one(session))
        return self.again(session.run, [session], fresh=False)

    def resume(self, run: str) -> Run:
        """Go on with a run: what has ended and is not done is queued once more, in its CLI session.

        So is what has lost its process (a machine restart, `kill -9`) and not ended yet. What is at
        work goes on. Raises StateError when all of it is done, or it is a person's own.
        """
        found = require_run(self.reader, run)
        for session in found.sessions:
            require_task(session)
        if found.state.final and all(s.state is SessionState.DONE for s in found.sessions):
            raise StateError(f"run {run} is done: there is nothing to resume", hint=_after(found))
        plan = self._plan(run)
        keep_sandbox(self.places, run, user_sandbox(os.environ))
        with bring_environment(self.places, run, plan.pass_env):
            left = [s for s in found.sessions if s.state is not SessionState.DONE]
            require_free(left, self.places)
            self._count_anew(run, plan)
            self.store.resume(run, self._lost(found.sessions), plan.land)
        return self._under_way(run)

    def request_landing(
        self,
        run: str,
        sessions: Sequence[Session],
        mode: LandMode,
        target: str,
        options: LandOptions = LandOptions(),  # noqa: B008 (a frozen value)
    ) -> Run:
        """Queue those of `sessions` that can land, and start landing them.

        Raises StateError when the run has not ended, or none of them has anything to land.
        """
        found, ready = self._can_land(run, sessions, mode, target)
        pass_env = self._plan(run).pass_env
        landing_stop_file(self.places, run).unlink(missing_ok=True)
        keep_sandbox(self.places, run, user_sandbox(os.environ))
        with bring_environment(self.places, run, pass_env):
            names = [session.id for session in ready]
            self.store.request_landing(run, names, mode, found.target, options)
        return self._under_way(run)

    def forecast_landing(
        self, run: str, sessions: Sequence[Session], target: str, options: LandOptions
    ) -> list[LandingForecast]:
        """Return what landing these sessions would come to if every verify passes; nothing moves.

        Raises StateError as `request_landing` does.
        """
        from abreast.engine.client.forecasting import forecast
        from abreast.engine.working.session.context import Engine

        found, ready = self._can_land(run, sessions, LandMode.MERGE, target)
        return forecast(Engine(self.places, self.store, self.reader), found, ready, options)

    def _can_land(
        self, run: str, sessions: Sequence[Session], mode: LandMode, target: str
    ) -> tuple[Run, list[Session]]:
        """Return the run, to land on `target` if that is given, and those sessions that can."""
        found = self._closed(run)
        if not found.state.final:
            left = attendance(found, self.places) is Attendance.NOBODY
            raise StateError(
                f"run {run} has not ended: it is {found.state}{_LEFT if left else ''}",
                hint=f"abreast resume {run} goes on with it" if left else f"abreast watch {run}",
            )
        finished = [s for s in sessions if s.commit and s.state is SessionState.DONE]
        ready = [s for s in finished if not is_undone(s)]
        if finished and not ready:
            undone = finished[0]
            raise StateError(f"nothing to land: {is_undone(undone)}", hint=undone.hint)
        if not ready:
            names = ", ".join(session.id for session in sessions)
            raise StateError(
                f"nothing to land: there is no finished commit of {names}",
                hint=f"abreast status {run}",
            )
        repository = find_repository(
            Path(found.repo), worktrees=self.places.worktrees, recorded=True
        )
        plan = self._plan(run)
        environ = wanted_environment(os.environ, plan.pass_env)
        target = target or found.target
        for problem in landing_problems(mode, target, repository, environ, plan.pr.forge):
            raise StateError(problem.message, hint=problem.hint)
        return replace(found, target=target, land=mode), ready

    def _count_anew(self, run: str, plan: Plan) -> None:
        """Allow a run with limits as much again, as a person who goes on with it asks for."""
        if plan.budget.bounded:
            count_anew(self.places, self.reader, run)

    def _under_way(self, run: str) -> Run:
        """Return the run, with a worker there to do what was asked of it."""
        ensure_worker(self.places)
        return require_run(self.reader, run)

    def _closed(self, run: str) -> Run:
        """Return the run; one whose sessions have all ended is given the moment it takes to close.

        Whoever has collected a delegation knows of its end before the run does.
        """
        return wait_for(
            run,
            self.places,
            lambda _: None,
            lambda found: found.state.final or not all(s.state.final for s in found.sessions),
            timeout=_CLOSING,
        )

    def _plan(self, run: str) -> Plan:
        return load_plan(self.reader.plan_json(run))

    def _lost(self, sessions: Sequence[Session]) -> dict[str, int]:
        """Return the attempt of each session that has not ended, and has no process any more."""
        return {s.id: s.attempt for s in sessions if agent_is_lost(s, self.places)}


def require_task(session: Session) -> None:
    """Raise StateError for a session that a person has opened."""
    if session.kind is SessionKind.OPEN:
        raise StateError(f"{session.id} was opened by hand", hint=f"abreast attach {session.id}")


def _after_one(session: Session) -> str:
    """Return a hint for a session that is done, and that somebody wants to go on with."""
    if is_undone(session):
        return session.hint
    if session.landing is LandState.LANDED:
        return 'abreast run -t "…" starts a task on top of it'
    if session.kind is SessionKind.CHILD:
        return f"abreast collect {session.id} prints its answer"
    if not agent_named(session.agent).capabilities.resume:
        return f"abreast retry {session.id} runs it again"
    return f'abreast resume {session.id} -m "…" goes on with it by a message'


def _after(run: Run) -> str:
    """Return a hint for a run whose sessions are all done."""
    back = [s.id for s in run.sessions if s.landing is LandState.BOUNCED]
    if back:
        return f"abreast attach {back[0]} to settle what stood in the way of its landing"
    waiting = any(s.commit and s.landing is LandState.NONE for s in run.sessions)
    return f"abreast land {run.id}" if waiting else "abreast status"
