"""Where a session starts: its base commit, its worktree and branch, the plan's commands in it.

A plan may ask for a warm pool (`pool = 4`): worktrees that are used again. Their ignored files
stay: dependencies, build output. A session takes an idle worktree if there is one and makes its own
if there is none. It gives the worktree back once its work has landed, or when it is cleaned. The
pool is filled up when a run ends, so that the next run finds it warm.
"""

from dataclasses import replace
from pathlib import Path

from abreast.agents.base import Command, StopSignal
from abreast.engine.common.ending import Ending
from abreast.engine.common.layout import pool_folder, repository_lock, repository_of_run
from abreast.engine.working.session.confining import ConfinedProcess, confine, rejoined
from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.jobs import Order
from abreast.engine.working.session.keeping import (
    keep_behind,
    make_room,
    note_baseline,
    noted_at,
    tell_kept,
)
from abreast.engine.working.session.repairing import begin_repair, target_of_repair
from abreast.errors import StateError
from abreast.git import aside
from abreast.git.aside import copy_included
from abreast.git.commit import anchor, commit_tree, restore_tree, tree_of
from abreast.git.differing import ignored_since
from abreast.git.making import Made, Ready, empty_trash_aside, ensure_worktree, remove_worktree
from abreast.git.merge import holds, merge_trees
from abreast.git.pool import Pool, claim, fill, give_back
from abreast.git.repository import Repository, delete_ref, is_ancestor, read_ref, swap_ref
from abreast.git.worktree import WorktreeSpec
from abreast.model.limits import Limits
from abreast.model.session import LandState, Run, Session, SessionState
from abreast.model.task import Plan
from abreast.model.text import named
from abreast.places import Places
from abreast.process.environment import allow
from abreast.process.files import private_folder
from abreast.runner.job import load_result
from abreast.store.rows import SessionUpdate


def in_warm_worktree(context: SessionContext, start: str) -> SessionContext:
    """Return the context in an idle worktree of the pool, at `start`; as it is when there is none.

    Safe to repeat: a session that holds one gets it again.
    """
    layout = context.layout
    if not context.plan.pool or layout.slot or layout.worktree.exists():
        return context
    pool = _pool(context.engine.places, context.repository, context.plan.pool)
    slot = claim(pool, layout.id, layout.branch, start)
    return replace(context, layout=replace(layout, slot=slot)) if slot else context


def give_back_worktree(context: SessionContext) -> None:
    """Make the session's warm worktree idle; nothing for one of its own.

    Whatever is in it must be safe under a ref.
    """
    if context.layout.slot:
        give_back(context.repository, context.layout.slot, context.layout.id)
        context.update(SessionUpdate(worktree=""))


def warm_up(places: Places, run: Run, plan: Plan) -> None:
    """Make the worktrees that the pool of this run's repository lacks."""
    if plan.pool:
        fill(
            _pool(places, repository_of_run(places, run.id, Path(run.repo)), plan.pool),
            run.base_sha,
        )


def _pool(places: Places, repository: Repository, size: int) -> Pool:
    common = repository.common_dir
    folder = private_folder(pool_folder(places, common))
    return Pool(repository, folder, size, repository_lock(places, common))


def spec_of(context: SessionContext, start: str) -> WorktreeSpec:
    """Return the worktree that this session works in."""
    layout = context.layout
    return WorktreeSpec(layout.worktree, layout.branch, start, f"abreast {layout.id}")


def make_worktree(context: SessionContext, start: str, *, again: bool) -> Ready:
    """Make the session's worktree, or use it as it is; safe to repeat.

    With `again`, one that was cleaned away comes back with the work that was in it, from its commit
    or else from what was kept under its ref.
    """
    repo, layout, spec = context.repository, context.layout, spec_of(context, start)
    gone = again and not layout.worktree.exists() and read_ref(repo, spec.ref) is None
    commit = context.session.commit
    if gone and commit:
        swap_ref(repo, spec.ref, commit, None, reason=f"abreast: {layout.id} brought back")
    if again and not layout.worktree.exists():
        keep_what_is_left(context)
    rejoined(context)  # a killed worker could not
    ready = ensure_worktree(repo, spec, lock=context.lock)
    kept = read_ref(repo, layout.ref("snap")) if gone and not commit else None
    if kept:
        restore_tree(repo, context.tree, tree_of(repo, kept))
    if gone and layout.aside.is_dir() and (back := aside.give_back(layout.aside, layout.worktree)):
        context.add_event("kept", f"given back: {named(back)}")
    return ready


def keep_what_is_left(context: SessionContext) -> None:
    """Keep what git still has of the session's worktree, which is gone."""
    repo, layout = context.repository, context.layout
    notes = keep_behind(repo, layout, context.session.base_sha)
    tell_kept(context.engine.store, layout.id, notes)


def put_aside(context: SessionContext) -> SessionContext:
    """Keep what an earlier attempt left, committed or not; return what is cleared.

    Ignored files that its agent has written are moved aside with what no commit can hold. In a warm
    worktree they stay.
    """
    repo, layout = context.repository, context.layout
    if layout.worktree.exists():
        before = noted_at(replace(layout, attempt=layout.attempt - 1).directory)
        writes = before and not layout.slot
        ignored = ignored_since(context.tree, before) if writes else ()
        kept = make_room(repo, layout, context.session.base_sha, "put aside", also=ignored)
        tell_kept(context.engine.store, layout.id, kept.notes)
    else:
        keep_what_is_left(context)
    spec = spec_of(context, context.plan.base_sha)
    if layout.slot:
        give_back_worktree(context)
    else:
        trash = context.engine.places.trash
        if remove_worktree(repo, spec, trash=trash, lock=context.lock):
            empty_trash_aside(trash)
    for ref in (layout.ref("snap"), spec.ref):
        tip = read_ref(repo, ref)
        if tip:
            anchor(repo, layout.ref("kept"), tip, reason=f"abreast: {layout.id} put aside")
            delete_ref(repo, ref, tip)
    for ref in (layout.ref("base"), layout.ref("line")):
        if known := read_ref(repo, ref):
            delete_ref(repo, ref, known)
    return replace(context, layout=replace(layout, slot=None))


def prepare(context: SessionContext) -> Ending | None:
    """Make the session's worktree at its start commit; a fresh attempt puts the last one aside."""
    context.update(SessionUpdate(state=SessionState.PREPARING))
    private_folder(context.layout.directory)
    goes_on = _goes_on(context)
    if context.layout.attempt > 1 and not goes_on:
        context = put_aside(context)
    start = _start(context, goes_on=goes_on)
    context = in_warm_worktree(context, start)
    layout, base = context.layout, context.session.base_sha
    merges = bool(context.session.mending) and goes_on and base != start
    context.update(
        SessionUpdate(
            # Until the merge is in the worktree, that is still what was made since the old one.
            base_sha=base if merges else start,
            branch=layout.branch,
            worktree=str(layout.worktree),
            directory=str(layout.directory),
        ),
    )
    ready = make_worktree(context, base if merges else start, again=goes_on)
    if merges:
        begin_repair(context, start)
        context.update(SessionUpdate(base_sha=start))
    included = copy_included(context.repository, layout.worktree)
    for path, why in included.skipped:
        context.add_event("warning", f".worktreeinclude: {path} left out: {why}")
    for note in ready.notes:
        context.add_event("warning", note)
    if ready.made is not Made.NEW:
        context.add_event("worktree", f"{ready.made} {layout.worktree}")
    note_baseline(context)
    return None


def _start(context: SessionContext, *, goes_on: bool) -> str:
    if context.session.mending:
        return target_of_repair(context)
    # Whoever goes on knows the tree that it began in.
    return (context.session.base_sha if goes_on else "") or start_commit(context)


def _goes_on(context: SessionContext) -> bool:
    """Return whether the worktree stays: its agent resumes in it, or a person has worked in it.

    Whoever has been in it at a terminal leaves the result of the attempt's agent before it begins.
    """
    return bool(context.session.cli_session) or load_result(context.layout.job("agent")) is not None


def start_commit(context: SessionContext) -> str:
    """Return the commit the session starts from: the base, or its predecessors' merged onto it.

    The base is the plan's, or that of `retry`. Those that it is only `after` come last; one that is
    not done, or conflicts, is left out. Kept under a ref, so that asking again after a crash gives
    the same commit. Raises StateError when those that it needs conflict with each other.
    """
    start = context.plan.base_sha
    if context.layout.attempt > 1:
        start = read_ref(context.repository, context.layout.ref("start")) or start
    if not context.task.waits_for:
        return start
    ref = context.layout.ref("base")
    known = read_ref(context.repository, ref)
    if known:
        return known
    for earlier in context.predecessors():
        start, conflicts = _join(context, start, earlier)
        if conflicts:
            raise StateError(
                f"the tasks it needs do not merge: {earlier.task} conflicts in "
                + ", ".join(conflicts[:5]),
                hint=f"let one of them need the other, then: abreast retry {context.layout.id}",
            )
    for earlier in context.followed():
        if earlier.state is SessionState.DONE:
            start, conflicts = _join(context, start, earlier)
            if conflicts:
                names = ", ".join(conflicts[:5])
                text = f"starts without {earlier.task}, which conflicts with the others in {names}"
                context.add_event("warning", text)
    swap_ref(context.repository, ref, start, None, reason=f"abreast: base of {context.layout.id}")
    return start


def _join(context: SessionContext, start: str, earlier: Session) -> tuple[str, tuple[str, ...]]:
    """Return `start` with the work of `earlier`; or `start` itself, and the paths in conflict."""
    repo = context.repository
    if not earlier.commit or is_ancestor(repo, earlier.commit, start):
        return start, ()  # it changed nothing, or another predecessor builds on it
    if earlier.landing is LandState.LANDED and holds(repo, start, earlier.landed):
        return start, ()
    if is_ancestor(repo, start, earlier.commit):
        return earlier.commit, ()
    merged = merge_trees(repo, start, earlier.commit)
    if not merged.clean:
        return start, merged.conflicts
    message = f"Join {earlier.task} for {context.task.id}"
    trailers = [("Abreast-Run", context.run.id)]
    parents = [start, earlier.commit]
    return commit_tree(repo, merged.tree, parents, message, trailers=trailers), ()


def command_order(
    context: SessionContext, name: str, place: Path, stop_file: Path, folder: Path
) -> Order:
    """Return the job that runs the plan's setup or verify command in the folder `place`.

    `folder` is one of abreast's own, for as long as the commands there are run.
    """
    plan, line = context.plan, context.task.commands[name]
    minutes = plan.setup_timeout_minutes if name == "setup" else plan.verify_timeout_minutes
    env = allow(context.environment(), also=plan.pass_env)  # no agent's keys
    wanted = ConfinedProcess(place, env, private_folder(folder), fetches=name == "setup")
    return Order(
        command=Command(("sh", "-c", line), env, stop_signal=StopSignal.TERM),
        cwd=place,
        limits=Limits(minutes=minutes, idle_minutes=0),
        stop_file=stop_file,
        places=context.engine.places,
        confinement=confine(context, wanted),
    )
