"""Runs and sessions without the database: from what was kept of them, their files, and git's refs.

A run of which a record was kept comes back with its plan, and what had not ended goes on: its next
worker takes the results that are there, and waits for the runners that live. Of others there are
the sessions, as their branches and files show them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from abreast.engine.common.attendance import is_taken
from abreast.engine.common.layout import ROUNDS, SessionLayout
from abreast.engine.common.recorded import forgotten, kept_run
from abreast.engine.reading.landed import found_landed
from abreast.engine.reading.rebuild_bare import bare_run
from abreast.errors import AbreastError
from abreast.git.repository import Repository, find_repository, read_ref
from abreast.model.recovery import NotRecovered
from abreast.model.session import LandState, Run, RunState, Session, SessionKind, SessionState
from abreast.places import Places
from abreast.process.folders import entries
from abreast.runner.job import load_progress, load_result, load_runner
from abreast.store.unrecorded import Unrecorded, unrecorded

OPENED = "it is open in a terminal"
_PERSONS = "a person's own session: how it stood was lost with the database"


@dataclass(frozen=True)
class RebuiltRun:
    """A run to be recorded, its plan as `dump_plan` gives it, and what is not known of it."""

    run: Run
    plan: str
    unknown: tuple[str, ...] = ()


Found = RebuiltRun | NotRecovered


def rebuild(
    places: Places, known: frozenset[str], here: Path | None = None, *, refs: bool
) -> Iterator[Found]:
    """Yield each run that is in files and not among the `known` ids, oldest first.

    With `refs` also those of which only refs are left, in the repositories of all these and in the
    one around `here`: another state folder may have made them.
    """
    left: dict[str, dict[str, Unrecorded]] = {}
    for one in unrecorded(places, damaged=True):
        run, _, task = one.id.partition("/")
        left.setdefault(run, {})[task] = one
    for folder in entries(places.runs):
        if folder.name in left or kept_run(places, folder.name) is not None:
            left.setdefault(folder.name, {})
    repositories, gone = _repositories(places, left, here), forgotten(places)
    for repository in repositories if refs else ():
        for run, task in _named_by_refs(repository):
            left.setdefault(run, {}).setdefault(task, Unrecorded(f"{run}/{task}"))
    found = [
        _rebuilt(places, run, tasks, repositories)
        for run, tasks in left.items()
        if run not in known and run not in gone
    ]
    yield from (one for one in found if isinstance(one, NotRecovered))
    runs = [one for one in found if isinstance(one, RebuiltRun)]
    yield from sorted(runs, key=lambda one: (one.run.created, one.run.id))


def _repositories(
    places: Places, left: dict[str, dict[str, Unrecorded]], here: Path | None
) -> list[Repository]:
    folders = [Path(one.worktree) for of in left.values() for one in of.values() if one.worktree]
    kept = (kept_run(places, run) for run in left)
    folders += [Path(one.run.repo) for one in kept if one is not None]
    found: dict[Path, Repository] = {}
    for folder in dict.fromkeys([*folders, *([here] if here else [])]):
        try:
            one = find_repository(folder, worktrees=places.worktrees)
        except (AbreastError, OSError):
            continue
        common = one.common_dir
        found.setdefault(common, Repository(common, common, None))
    return list(found.values())


_REFS = ("refs/heads/abreast/", "refs/abreast/snap/", "refs/abreast/agent/")


def _named_by_refs(repository: Repository) -> Iterator[tuple[str, str]]:
    """Yield the run and task of each ref that holds a session's work."""
    try:
        listed = repository.call("for-each-ref", "--format=%(refname)", *_REFS).stdout
    except (AbreastError, OSError):
        return
    for ref in listed.splitlines():
        parts = ref.split("/")[-2:]
        if len(ref.split("/")) == 5:
            yield parts[0], parts[1]


def _rebuilt(
    places: Places, name: str, tasks: dict[str, Unrecorded], repositories: Sequence[Repository]
) -> Found:
    record = kept_run(places, name)
    if record is None:
        return _without_record(places, name, tasks, repositories)
    run = record.run
    try:
        repository: Repository | None = find_repository(
            Path(run.repo), worktrees=places.worktrees, recorded=True
        )
    except (AbreastError, OSError):
        repository = None
    if opened := next((one.id for one in run.sessions if is_taken(one, places)), ""):
        return NotRecovered(opened, OPENED, "leave it there, then: abreast recover")
    sessions = tuple(_session(places, run, one, repository) for one in run.sessions)
    unknown = () if repository else (f"what has landed: {run.repo} is gone",)
    return RebuiltRun(_with_state(replace(run, sessions=sessions)), record.plan, unknown)


def _with_state(run: Run) -> Run:
    """Return a run in the state that its sessions show; what has not ended is queued again."""
    if not all(session.state.final for session in run.sessions):
        return replace(run, state=RunState.QUEUED, ended=None)
    ended = max((session.ended or run.created for session in run.sessions), default=run.created)
    states = {session.state for session in run.sessions}
    landed = all(
        session.landing in {LandState.LANDED, LandState.PROPOSED}
        for session in run.sessions
        if session.commit
    )
    done = states <= {SessionState.DONE} and (landed or not run.land.at_once)
    if run.state.final and run.state is not RunState.DONE:
        return replace(run, ended=run.ended or ended)
    state = RunState.DONE if done else RunState.FAILED
    return replace(run, state=state, ended=run.ended or ended)


def _session(places: Places, run: Run, known: Session, repository: Repository | None) -> Session:
    """Return a session as its newest attempt stands, going by its files and its repository."""
    attempt = max(known.attempt, newest_attempt(places, run.id, known.task))
    if known.state.final and attempt == known.attempt:
        return found_landed(repository, run, known) if repository else known
    common = Path(run.common_dir or run.repo)
    layout = SessionLayout(places, common, run.id, known.task, attempt)
    if known.kind is SessionKind.OPEN:
        there = layout.worktree.is_dir()
        return replace(
            known,
            state=SessionState.UNKNOWN,
            attempt=attempt,
            branch=layout.branch if there else "",
            worktree=str(layout.worktree) if there else "",
            directory=str(layout.directory),
            reason=_PERSONS,
            hint=f"abreast attach {known.id}",
        )
    base = known.base_sha
    if repository is not None:
        kinds = ("base", "start") if attempt > 1 else ("base",)
        refs = (read_ref(repository, layout.ref(kind)) for kind in kinds)
        base = next(filter(None, refs), base)
    queued = Session(
        id=known.id,
        run=known.run,
        task=known.task,
        agent=known.agent,
        state=SessionState.QUEUED,
        kind=known.kind,
        produces=known.produces,
        attempt=attempt,
        needs=known.needs,
        after=known.after,
        parent=known.parent,
        most_repairs=known.most_repairs,
        base_sha=base,
        model=known.model,
        cli_session=cli_session_of(layout) or known.cli_session,
        worktree=known.worktree,
        usage=known.usage,
    )
    return queued if layout.directory.is_dir() else replace(queued, base_sha=known.base_sha)


def newest_attempt(places: Places, run: str, task: str) -> int:
    """Return the number of a session's newest attempt that has a folder, 0 if none has."""
    names = [one.name for one in entries(places.sessions / run / task)]
    return max((int(name) for name in names if name.isdecimal()), default=0)


def cli_session_of(layout: SessionLayout) -> str:
    """Return by which id the CLI knows the session of an attempt, or of the one before."""
    for number in range(layout.attempt, 0, -1):
        at = replace(layout, attempt=number)
        for name in reversed(ROUNDS):
            result, progress = load_result(at.job(name)), load_progress(at.job(name))
            if result is not None and result.verdict.cli_session:
                return result.verdict.cli_session
            if progress is not None and progress.cli_session:
                return progress.cli_session
    return ""


def _without_record(
    places: Places, name: str, tasks: dict[str, Unrecorded], repositories: Sequence[Repository]
) -> Found:
    """Return a run of which no record was kept, from its sessions' files and branches."""
    layouts = {
        task: SessionLayout(places, Path(), name, task, newest_attempt(places, name, task) or 1)
        for task in tasks
    }
    for layout in layouts.values():
        if any(_lives(layout.job(one)) for one in (*ROUNDS, "setup", "verify")):
            return NotRecovered(
                layout.id, "it is at work, and no record of its plan was kept", _LATER
            )
    found = bare_run(layouts, tasks, repositories)
    if found is None:
        folders = ", ".join(one.worktree or one.directory for one in tasks.values())
        return NotRecovered(name, "its repository is not known", f"look into {folders}")
    run, plan, unknown = found
    return RebuiltRun(run, plan, unknown)


_LATER = "once it has ended: abreast recover"


def _lives(job: Path) -> bool:
    runner = None if load_result(job) is not None else load_runner(job)
    return runner is not None and runner.alive
