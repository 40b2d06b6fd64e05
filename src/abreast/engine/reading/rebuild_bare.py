"""A run of which no record was kept, as its sessions' branches and files show it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from abreast.engine.common import deliverables
from abreast.engine.common.layout import ROUNDS, SessionLayout
from abreast.engine.common.recorded import kept_session
from abreast.engine.reading.landed import commits_of, found_landed
from abreast.errors import AbreastError
from abreast.git.repository import Repository, find_repository, look_up, read_ref
from abreast.model.session import LandMode, Run, RunState, Session, SessionKind, SessionState
from abreast.model.task import AgentChoice, Contract, Plan, Task
from abreast.places import Places
from abreast.plan.dump import dump_plan
from abreast.process.folders import written
from abreast.runner.job import JOB, load_job, load_result
from abreast.store.unrecorded import Unrecorded

LOST = "its record was lost with the database"
UNKNOWN = (
    "its plan: needs, setup, verify, limits, how it lands",
    "how sessions ended, where no commit of theirs shows that they are done",
)
_HEAD = "its target: taken to be the branch that is checked out"


def bare_run(
    layouts: Mapping[str, SessionLayout],
    tasks: Mapping[str, Unrecorded],
    repositories: Sequence[Repository],
) -> tuple[Run, str, tuple[str, ...]] | None:
    """Return the run, its plan, and what is not known of it; None without its repository."""
    first = next(iter(layouts.values()))
    repository = _repository(first.places, layouts.values(), tasks.values(), repositories)
    if repository is None:
        return None
    common = repository.common_dir
    repo = common.parent if common.name == ".git" else common
    head = repository.call("symbolic-ref", "--short", "-q", "HEAD", codes=(0, 1)).stdout.strip()
    run = Run(
        id=first.run,
        repo=str(repo),
        base=head,
        base_sha="",
        target=head,
        state=RunState.FAILED,
        land=LandMode.NONE,
        created=min(map(_begun, layouts.values())),
        ended=max(map(_written, layouts.values())),
        source="recovered",
        common_dir=str(common),
    )
    sessions = tuple(
        _session(repository, run, layout, tasks[task]) for task, layout in layouts.items()
    )
    base = next((one.base_sha for one in sessions if one.base_sha), "")
    done = all(one.state is SessionState.DONE for one in sessions)
    state = RunState.DONE if done else RunState.FAILED
    run = replace(run, base_sha=base, sessions=sessions, state=state)
    plan = Plan(
        tuple(_task(layouts[one.task], one) for one in sessions),
        base=head,
        base_sha=base,
        target=head,
        repo=str(repo),
        max_parallel=1,
        source=run.source,
    )
    return run, dump_plan(plan), (*UNKNOWN, _HEAD)


def _repository(
    places: Places,
    layouts: Iterable[SessionLayout],
    tasks: Iterable[Unrecorded],
    repositories: Sequence[Repository],
) -> Repository | None:
    refs = [name for one in layouts for name in (f"refs/heads/{one.branch}", one.ref("snap"))]
    for repository in repositories:
        if any(found for found in look_up(repository, *refs)):
            return repository
    for one in tasks:
        try:
            found = find_repository(Path(one.worktree or "-"), worktrees=places.worktrees)
        except (AbreastError, OSError):
            continue
        return Repository(found.common_dir, found.common_dir, None)
    return None


def _session(repository: Repository, run: Run, layout: SessionLayout, found: Unrecorded) -> Session:
    kept = kept_session(layout.places, layout.run, layout.task)
    if kept is not None and kept.attempt == layout.attempt:
        return found_landed(repository, run, kept)
    ref = f"refs/heads/{layout.branch}"
    tip = read_ref(repository, ref) or ""
    made = bool(tip) and tip in commits_of(repository, layout.id, ref)[:1]
    [parent] = look_up(repository, f"{tip}^") if made else [None]
    answered = layout.deliverable.exists()
    session = Session(
        id=layout.id,
        run=layout.run,
        task=layout.task,
        agent=_agent(layout),
        state=SessionState.DONE if made or answered else SessionState.UNKNOWN,
        kind=SessionKind.CHILD if answered else SessionKind.TASK,
        attempt=layout.attempt,
        branch=layout.branch if tip else "",
        worktree=found.worktree,
        directory=str(layout.directory) if layout.directory.is_dir() else "",
        base_sha=parent or _fork(repository, tip, run.target),
        commit=tip if made else "",
        started=_begun(layout),
        ended=_written(layout),
        reason="" if made or answered else LOST,
        hint="" if made or answered else f"abreast rescue list {layout.id} shows what was kept",
    )
    return found_landed(repository, run, session)


def _fork(repository: Repository, tip: str, target: str) -> str:
    """Return where the target and a session's branch part; "" where that cannot be told."""
    if not tip or not target:
        return ""
    asked = ("merge-base", tip, f"refs/heads/{target}")
    return repository.call(*asked, codes=(0, 1, 128)).stdout.strip()


def _agent(layout: SessionLayout) -> str:
    for name in ROUNDS:
        if (layout.job(name) / JOB).exists() and (agent := load_job(layout.job(name)).agent):
            return agent
    return "command"


def _begun(layout: SessionLayout) -> float:
    found = [load_result(layout.job(name)) for name in ("setup", *ROUNDS)]
    return min((one.started for one in found if one is not None), default=_written(layout))


def _written(layout: SessionLayout) -> float:
    return written(layout.directory) or written(layout.worktree)


def _task(layout: SessionLayout, session: Session) -> Task:
    prompt = LOST
    for number in range(1, layout.attempt + 1):
        file = layout.directory.with_name(str(number)) / "prompt.md"
        if file.is_file():
            prompt = file.read_text(encoding="utf-8", errors="replace")
            break
    found = deliverables.load(layout.deliverable) if session.kind is SessionKind.CHILD else None
    return Task(
        layout.task,
        prompt,
        session.produces or f"Work of {layout.id}",
        AgentChoice(session.agent),
        contract=Contract(prompt) if found is not None else None,
    )
