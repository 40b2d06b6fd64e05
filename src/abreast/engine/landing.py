"""Landing: one session after another, tested as merged, then the target moves or stays as it is.

For each session: merge its commit onto the target as it is now (in the object store, no checkout),
run the plan's verify on the merged tree in a scratch worktree, and only then move the target, by
compare-and-swap or, where the target is checked out, by a fast-forward in that checkout. Whatever
goes wrong on the way leaves the target alone and bounces this session, not the queue.
"""

import asyncio
from functools import partial
from pathlib import Path

from abreast.engine import pull_request
from abreast.engine.durable import Json
from abreast.engine.jobs import run_job
from abreast.engine.layout import landing_folder
from abreast.engine.scene import Scene, current, open_scene
from abreast.engine.start_stages import command_order_in, scratch_worktree
from abreast.engine.warm import give_back_worktree
from abreast.errors import AbreastError
from abreast.git.advance import Advance, advance
from abreast.git.advance import Outcome as Advanced
from abreast.git.commit import commit_tree, wants_signature
from abreast.git.merge import merge_trees
from abreast.git.repository import is_ancestor, resolve
from abreast.model.events import Outcome
from abreast.model.session import Session
from abreast.model.states import LandMode, LandState
from abreast.store.changes import Change

_TRIES = 5  # a target that moves more often than that while we test is somebody else's queue


async def to_land(run: str) -> Json:
    """Return the sessions queued for landing, those that others need first."""

    def body() -> Json:
        found = current().reader.run(run)
        queued = [s for s in found.sessions if s.landing is LandState.QUEUED] if found else []
        return {"sessions": [session.id for session in in_order(queued)]}

    return await asyncio.to_thread(body)


def in_order(sessions: list[Session]) -> list[Session]:
    """Return the sessions so that each comes after those it needs; else in the plan's order."""
    rest, ordered = list(sessions), list[Session]()
    while rest:
        waiting = {session.task for session in rest}
        ready = next(session for session in rest if waiting.isdisjoint(session.needs))
        rest.remove(ready)
        ordered.append(ready)
    return ordered


async def land_one(session: str) -> None:
    """Land one session; whatever comes of it is in the store."""
    engine = current()
    found = await asyncio.to_thread(engine.reader.session, session)
    if found is None or found.landing is not LandState.QUEUED:
        return
    try:
        scene = await asyncio.to_thread(open_scene, session, found.attempt)
        change = await _land(scene)
        if change.landing is LandState.LANDED:
            await asyncio.to_thread(give_back_worktree, scene)
    except AbreastError as error:
        change = _bounced(error.message, error.hint or "")
    except Exception as error:  # noqa: BLE001 - one landing's boundary: recorded, the queue goes on
        change = _bounced(f"abreast failed: {error!r}", "please report this")
    await asyncio.to_thread(engine.store.update_session, session, change)


async def _land(scene: Scene) -> Change:
    run = scene.run
    if broken := _bounced_need(scene):
        return _bounced(f"needs {broken.task}, which has not landed: it is {broken.landing}")
    if run.land is LandMode.PR:
        return await asyncio.to_thread(pull_request.propose, scene)
    for _ in range(_TRIES):
        old = await asyncio.to_thread(resolve, scene.repository, f"refs/heads/{run.target}")
        change = await _try(scene, old)
        if change is not None:
            return change
    return _bounced(f"{run.target} moved {_TRIES} times while the merge was being tested")


def _bounced_need(scene: Scene) -> Session | None:
    arrived = {LandState.LANDED, LandState.PROPOSED}
    return next((s for s in scene.predecessors() if s.landing not in arrived), None)


async def _try(scene: Scene, old: str) -> Change | None:
    """Merge onto `old`, test, move the target; None when the target has moved meanwhile."""
    repo, run, commit = scene.repository, scene.run, scene.session.commit
    if is_ancestor(repo, commit, old):
        return Change(landing=LandState.LANDED, landed=old)
    if is_ancestor(repo, old, commit):
        merged = commit
    else:
        result = await asyncio.to_thread(merge_trees, repo, old, commit)
        if result.conflicts:
            names = ", ".join(result.conflicts[:5])
            hint = f"abreast resume {run.id} after merging {run.target}, or merge it by hand"
            return _bounced(f"conflicts with {run.target} in {names}", hint)
        merged = await asyncio.to_thread(_merge_commit, scene, result.tree, [old, commit])
    if bounce := await _test(scene, merged):
        return bounce
    moved = await asyncio.to_thread(_advance, scene, merged, old)
    if moved.outcome is Advanced.MOVED:
        return None
    if moved.outcome is Advanced.BLOCKED:
        return Change(
            landing=LandState.READY,
            landed=merged,
            reason=f"{run.target} is checked out with changes that overlap: {moved.words}",
            hint=f"commit or move them away, then: git merge --ff-only {merged[:12]}",
        )
    return Change(landing=LandState.LANDED, landed=merged)


def _advance(scene: Scene, new: str, old: str) -> Advance:
    reason = f"abreast: land {scene.layout.id}"
    return advance(scene.repository, scene.run.target, new=new, old=old, reason=reason)


async def _test(scene: Scene, merged: str) -> Change | None:
    """Run setup and verify on the merged commit in the scratch worktree; None when they pass."""
    for name, line in (("setup", scene.task.setup), ("verify", scene.task.verify)):
        if not line:
            continue
        place = await asyncio.to_thread(scratch_worktree, scene, _scratch(scene), merged)
        order = partial(command_order_in, scene, name, line, place)
        folder = scene.layout.directory / "landing" / merged[:12] / name
        result = await run_job(folder, order)
        if result.verdict.outcome is not Outcome.OK or result.stopped_by:
            why = result.stopped_by or result.verdict.reason
            reason = f"{name} failed on the merge with {scene.run.target}: {why}"
            return _bounced(reason, f"its output: {folder}")
    return None


def _scratch(scene: Scene) -> Path:
    return landing_folder(scene.engine.places, scene.repository.common_dir, scene.run.target)


def _bounced(reason: str, hint: str = "") -> Change:
    return Change(landing=LandState.BOUNCED, reason=reason, hint=hint)


def _merge_commit(scene: Scene, tree: str, parents: list[str]) -> str:
    repo, layout = scene.repository, scene.layout
    message = f"Merge {layout.branch}: {scene.task.produces}"
    trailers = [("Abreast-Run", scene.run.id), ("Abreast-Session", layout.id)]
    sign = wants_signature(repo)
    return commit_tree(repo, tree, parents, message, trailers=trailers, sign=sign)
