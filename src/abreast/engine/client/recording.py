"""A checked plan becomes a run in the store: queued, or open for a person's session."""

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from abreast.engine.client.settings import user_sandbox
from abreast.engine.common.bubblewrap import find_bubblewrap
from abreast.engine.common.check import CheckedPlan
from abreast.engine.common.environment import drop_environment, keep_environment
from abreast.engine.common.layout import repository_of_run
from abreast.engine.common.recorded import keep_run
from abreast.engine.common.sandboxed import keep_sandbox, load_sandbox, not_confined
from abreast.engine.common.verdicts import dump_judgement
from abreast.errors import AbreastError, StoreError
from abreast.model.gate import PlanJudgement
from abreast.model.sandbox import SandboxMode
from abreast.model.session import Run, RunState, Session, SessionKind, SessionState
from abreast.model.task import Plan
from abreast.places import Places
from abreast.plan.dump import dump_plan
from abreast.process import clock
from abreast.store.reader import Reader
from abreast.store.writer import Store

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read as another


def record_run(
    stores: tuple[Places, Store, Reader],
    checked: CheckedPlan,
    environ: Mapping[str, str] | None = None,
    *,
    kind: SessionKind = SessionKind.TASK,
    parent: str = "",
    judgement: PlanJudgement | None = None,
) -> str:
    """Add a checked plan to the store as a queued run (an open one for a person's session).

    `parent` is the session that children are started for, `judgement` the gate's of the plan.
    """
    places, store, reader = stores
    name, plan, now = _new_run_id(reader), checked.plan, clock.now()
    told = _sandbox(places, name, parent, os.environ if environ is None else environ)
    if kind is not SessionKind.TASK or all(task.agent.moves for task in plan.tasks):
        told = ""  # a script does what its plan says
    run = Run(
        id=name,
        repo=plan.repo,
        base=plan.base,
        base_sha=plan.base_sha,
        target=plan.target,
        state=RunState.OPEN if kind is SessionKind.OPEN else RunState.QUEUED,
        land=plan.land,
        created=now.wall,
        created_tick=now.tick,
        max_parallel=plan.max_parallel,
        land_batch=plan.batch,
        source=plan.source,
        note="\n".join([*checked.notes, *([told] if told else [])]),
        sessions=_sessions(name, plan, kind, parent),
        common_dir=str(checked.repository.common_dir),
    )
    try:
        # The environment first: a worker may take the run at once.
        keep_environment(places, name, plan.pass_env, environ)
        # Now, before an agent of the run can have changed what git is configured to do.
        repository_of_run(places, name, Path(plan.repo))
        judged = (plan.gate, dump_judgement(judgement)) if judgement else None
        written = dump_plan(plan)
        store.add_run(run, written, judged)
    except (AbreastError, OSError) as failure:
        drop_environment(places, name)  # it may hold keys, and nobody will need it
        # A server that went away may have recorded it all the same: then it is at home here.
        if not isinstance(failure, StoreError) or places.database.startswith("sqlite"):
            shutil.rmtree(places.runs / name, ignore_errors=True)
        raise
    keep_run(places, run, written)
    return name


def _sandbox(places: Places, run: str, parent: str, environ: Mapping[str, str]) -> str:
    """Keep what is wanted of the sandbox; return what a user should know of it.

    Children are confined as their parent is: an agent's environment could name other settings.
    """
    if parent:
        keep_sandbox(places, run, load_sandbox(places, parent.partition("/")[0]))
        return ""
    settings = user_sandbox(environ)
    keep_sandbox(places, run, settings)
    none = settings.mode is SandboxMode.NONE
    return "" if none else not_confined(settings, find_bubblewrap(environ, settings.program))


def _new_run_id(reader: Reader) -> str:
    while True:
        name = "".join(secrets.choice(_ALPHABET) for _ in range(5))
        if reader.run(name) is None:
            return name


def _sessions(run: str, plan: Plan, kind: SessionKind, parent: str) -> tuple[Session, ...]:
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
            after=task.after,
            parent=parent,
            most_repairs=task.repairs if kind is SessionKind.TASK else 0,
        )
        for task in plan.tasks
    )
