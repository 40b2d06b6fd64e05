"""The page of a session: what was to be done, what was changed, and what is risky about it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from abreast.agents import AGENTS
from abreast.engine.common.layout import SessionLayout, layout_of, repository_of_run
from abreast.engine.reading.conflicts import conflicts_of_run
from abreast.engine.reading.handoff.session import checks_of
from abreast.git.changes import changes_and_stats, worktree_changes
from abreast.git.guard import guard_worktree
from abreast.git.merge import holds
from abreast.git.repository import Repository, read_ref
from abreast.model.session import LandMode, LandState, Run, Session, SessionState
from abreast.model.session_page import PageConflict, PageFile, SessionPage
from abreast.model.task import Task
from abreast.model.text import counted, named
from abreast.places import Places
from abreast.plan.dump import load_plan
from abreast.store.reader import Reader

LARGE = 400
"""Changed lines beyond which a review finds markedly fewer faults: Cohen et al., Best Kept Secrets
of Peer Code Review, 2006 (2,500 reviews at Cisco)."""

_RUNS_BY_ITSELF = re.compile(
    r"(?:^|/)(?:Makefile|justfile|Dockerfile|.*\.dockerfile|Jenkinsfile|[\w-]+-pipelines\.ya?ml"
    r"|setup\.py|conftest\.py|build\.rs|build\.gradle.*|package\.json|pyproject\.toml|Cargo\.toml"
    # Settings of tools, agents and CI; of GitHub's folder only what it runs.
    r"|\.(?!gitignore\Z)[^/]+|\.(?!github/(?!workflows/))[^/]+/.*)\Z"
)
"""Files that others run without anybody looking at them first."""


def page_of(session: Session, run: Run, places: Places) -> SessionPage:
    """Return the page of a session as it stands now; a session at work has one too.

    Conflicts are with the target and with sessions of the run that have not landed, as they are
    now. Raises NotFoundError when the repository is gone.
    """
    task = load_plan(Reader(places.database).plan_json(run.id)).by_id()[session.task]
    repository = repository_of_run(places, run.id, Path(run.repo))
    layout = layout_of(session, places, repository.common_dir)
    files = tuple(_files(session, layout, repository))
    conflicts = tuple(_conflicts(session, run, places))
    lost = _is_lost(session, run, repository)
    landed = _has_landed(session) and not lost
    over = landed or session.landing is LandState.UNDONE
    lands = session.state is SessionState.DONE and session.commit and not over
    first = [s.task for s in run.sessions if s.task in task.needs and not _has_landed(s)]
    back = session.landing is LandState.BOUNCED and bool(session.advice)  # as it is, it would again
    return SessionPage(
        session,
        run.target,
        session.produces,
        task.prompt,
        files,
        checks_of(task, layout),
        conflicts,
        (*lost, *_repairs(session, run), *_risks(task, files, conflicts)),
        _landing(run, task, first) if lands else "",
        f"abreast land {run.id if first else session.id}" if lands and not back else "",
        "" if lands and not back else _advice(session),
        _landed(session, run) if landed else "",
    )


def _files(session: Session, layout: SessionLayout, repository: Repository) -> Iterator[PageFile]:
    if not session.base_sha or not session.worktree:
        return
    base, tip = session.base_sha, session.commit or read_ref(repository, layout.ref("snap"))
    if not session.commit and layout.worktree.exists():
        tree = guard_worktree(repository, layout.worktree)
        changes, stats = worktree_changes(repository, tree, base)
    elif tip:
        changes, stats = changes_and_stats(repository, base, tip)
    else:
        return
    status = {one.path: one.status for one in changes}
    for stat in stats:
        outside = stat.path in session.outside
        yield PageFile(stat.path, status[stat.path], stat.added, stat.deleted, outside)


def _conflicts(session: Session, run: Run, places: Places) -> Iterator[PageConflict]:
    if _has_landed(session) or session.landing is LandState.UNDONE:
        return
    for pair in conflicts_of_run(run, places, session=session.id).conflicts:
        other = pair.other if pair.one == session.id else pair.one
        yield PageConflict(other, tuple(file.path for file in pair.files))


def _has_landed(session: Session) -> bool:
    return session.landing in {LandState.LANDED, LandState.PROPOSED}


def _is_lost(session: Session, run: Run, repository: Repository) -> tuple[str, ...]:
    """Return, in a sentence, that the target no longer has what landed; nothing: it has."""
    if session.landing is not LandState.LANDED or "://" in session.landed:
        return ()
    if holds(repository, f"refs/heads/{run.target}", session.landed):
        return ()
    return (f"it landed as {session.landed_name}, which {run.target} does not have any more",)


def _landed(session: Session, run: Run) -> str:
    if session.landing is LandState.PROPOSED:
        return ""
    if "://" in session.landed:
        return f"by {session.landed}"
    undo = f"abreast land --undo {session.id} takes it back"
    return f"in {run.target}, as {session.landed_name}; {undo}"


def _repairs(session: Session, run: Run) -> Iterator[str]:
    if session.repairs:
        times = "" if session.repairs == 1 else f" {session.repairs} times"
        why = f"abreast logs {session.id} has why"
        yield f"it did not land as it was first made, and was repaired{times}: {why}"
    for line in session.dropped:
        yield f"its repair drops what {run.target} had got: {line}"


def _risks(
    task: Task, files: Sequence[PageFile], conflicts: Sequence[PageConflict]
) -> Iterator[str]:
    if outside := [one.path for one in files if one.outside]:
        yield f"it wrote outside its declared paths: {named(outside)}"
    if gone := [one.path for one in files if one.status == "D"]:
        yield f"it deletes {counted(len(gone), 'file')}: {named(gone)}"
    if loaded := [one.path for one in files if _counts_by_itself(one.path)]:
        yield f"it changes what runs, or what agents obey, by itself: {named(loaded)}"
    if binary := [one.path for one in files if one.added is None]:
        yield f"no diff shows what changed in {named(binary)}"
    lines = sum((one.added or 0) + (one.deleted or 0) for one in files)
    if lines > LARGE:
        yield f"it is large: {counted(lines, 'changed line')} in {counted(len(files), 'file')}"
    if files and not task.verify:
        yield "nothing has tested it: the plan has no verify command"
    for one in conflicts:
        yield f"it conflicts with {one.other} in {named(one.paths)}"


def _counts_by_itself(path: str) -> bool:
    """Return whether others run a file, or agents obey it, without anybody looking at it first."""
    known = (agent.briefing for agent in AGENTS.values())
    obeyed = {name for one in known if one for name in (one.name, one.instead)}
    return path.rpartition("/")[2] in obeyed or bool(_RUNS_BY_ITSELF.search(path))


def _landing(run: Run, task: Task, first: Sequence[str]) -> str:
    before = f"once {', '.join(first)} has landed, which it needs: " if first else ""
    if run.land is LandMode.PR:
        return f"{before}pushes its branch and opens a pull request onto {run.target}"
    tested = "runs verify on the result, and moves" if task.verify else "and moves"
    comma = "," if task.verify else ""
    return f"{before}puts it onto {run.target} as it is then{comma} {tested} {run.target}"


def _advice(session: Session) -> str:
    if session.mending and session.state is SessionState.FAILED:
        return f"abreast attach {session.id}"  # its hint is this page
    if session.advice:
        return re.sub(r"\bRUN\b", session.run, session.advice)
    if not session.state.final:
        return f"abreast logs {session.id} --follow"
    if session.landing is LandState.PROPOSED:
        return f"abreast status {session.run} --pr"
    if session.state is SessionState.DONE:
        return ""
    return session.goes_on_by
