"""What every stage of a session starts from: the run, the task, the names, the repository."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from abreast.engine.common.ending import STOPPED, Ending, halted
from abreast.engine.common.environment import load_environment
from abreast.engine.common.layout import (
    SessionLayout,
    layout_of,
    repository_lock,
    repository_of_run,
)
from abreast.engine.working.conflicts.lookout import Lookout
from abreast.errors import WorkerError
from abreast.git.guard import guard_worktree
from abreast.git.guarded import Guarded, Where, guard_around
from abreast.git.repository import Repository
from abreast.model.session import Run, Session
from abreast.model.task import Isolation, Plan, Task
from abreast.places import Places
from abreast.plan.dump import load_plan
from abreast.runner.job import load_halt
from abreast.store.reader import Reader
from abreast.store.rows import SessionUpdate
from abreast.store.writer import Store


@dataclass(frozen=True)
class Engine:
    """What the worker works with. `lookout` hears of what sessions have done."""

    places: Places
    store: Store
    reader: Reader
    lookout: Lookout = field(default_factory=Lookout, compare=False, repr=False)


@dataclass(frozen=True)
class SessionContext:
    """One attempt at one task, with all that its stages need to know."""

    engine: Engine
    run: Run
    plan: Plan
    task: Task
    session: Session
    layout: SessionLayout
    repository: Repository
    stop_requested: bool = False  # when the context was opened

    @property
    def lock(self) -> Path:
        return repository_lock(self.engine.places, self.repository.common_dir)

    @property
    def place(self) -> Path:
        """Where the agent works: its own worktree, or the parent's tree for a child that reads."""
        contract = self.task.contract
        shared = contract is not None and contract.isolation is Isolation.CONTEXT
        return Path(self.run.repo) if shared else self.layout.worktree

    @property
    def tree(self) -> Guarded:
        """The session's own worktree, as git calls of ours may look at it (`git.guarded`)."""
        return guard_worktree(self.repository, self.layout.worktree)

    @property
    def where(self) -> Where:
        """The agent's place, as git calls of ours may look at it."""
        if self.place == self.layout.worktree:
            return self.tree
        return guard_around(self.place, self.engine.places.worktrees) or self.place

    @property
    def stopping(self) -> bool:
        """Whether the user has asked this session to stop."""
        return self.stop_requested or self.layout.stop_file.exists()

    @property
    def stopped(self) -> Ending:
        """The ending of a session that is to stop: by its user, or by a limit."""
        halt = None if self.stop_requested else load_halt(self.layout.stop_file)
        return STOPPED if halt is None else halted(halt)

    def update(self, change: SessionUpdate) -> None:
        """Apply a change to the session in the store."""
        self.engine.store.update_session(self.session.id, change)

    def add_event(self, kind: str, text: str) -> None:
        """Append an event to the session's story."""
        self.engine.store.add_event(self.session.id, kind, text)

    def environment(self) -> Mapping[str, str]:
        return load_environment(self.engine.places, self.run.id)

    def predecessors(self) -> list[Session]:
        """Return the sessions this one needs, in the order of `needs`."""
        return self._sessions(self.task.needs)

    def followed(self) -> list[Session]:
        """Return the sessions this one is only `after`, in that order."""
        return self._sessions(n for n in self.task.after if n not in self.task.needs)

    def _sessions(self, tasks: Iterable[str]) -> list[Session]:
        found = (self.engine.reader.session(f"{self.run.id}/{name}") for name in tasks)
        return [session for session in found if session is not None]


def open_context(engine: Engine, session_id: str, attempt: int) -> SessionContext:
    """Load everything about a session; raises WorkerError when the store does not have it.

    The context's run is without its sessions: every stage of every session opens one.
    """
    record = engine.reader.session_record(session_id)
    if record is None:
        raise WorkerError(f"session {session_id} is not in the database")
    session, run = record.session, record.run
    plan = plan_of(engine, run.id)
    repository = guarded_repository(run.id, run.repo, engine.places)
    layout = replace(layout_of(session, engine.places, repository.common_dir), attempt=attempt)
    task = plan.by_id()[session.task].by(session.agent)
    return SessionContext(
        engine, run, plan, task, session, layout, repository, record.stop_requested
    )


@lru_cache(maxsize=64)
def guarded_repository(run: str, path: str, places: Places) -> Repository:
    """Return a run's repository, to be called with the configuration from when the run began."""
    return repository_of_run(places, run, Path(path))


@lru_cache(maxsize=64)
def plan_of(engine: Engine, run: str) -> Plan:
    """Return a run's plan. A plan never changes once its run exists, so it is read once."""
    return load_plan(engine.reader.plan_json(run))
