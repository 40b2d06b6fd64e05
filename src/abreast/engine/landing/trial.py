"""A merge on trial: setup and verify run on the merged commit, in a scratch worktree.

There is one scratch worktree for each target. It is kept between landings, so that only changed
files are written and build caches stay valid. A note beside it says whose trial is in it: a worker
that was killed in mid-trial finds it, and adopts what still runs, or ends it.
"""

import asyncio
from functools import partial
from pathlib import Path

from abreast.engine.session.before import note_trial
from abreast.engine.session.jobs import Order, end_job, run_job
from abreast.engine.session.layout import landing_folder
from abreast.engine.session.scene import Scene
from abreast.engine.session.start_stages import command_order_in
from abreast.engine.session.trespass import of_trial
from abreast.git.checkout import switch_detached
from abreast.git.commit import left_in
from abreast.git.guard import guard_worktree
from abreast.git.include import copy_included
from abreast.git.making import ensure_worktree
from abreast.git.status import find_commit, own_git_dir
from abreast.git.worktree import WorktreeSpec
from abreast.model.events import Outcome
from abreast.model.harmless import named
from abreast.process.files import write_atomic
from abreast.runner.job import is_lost
from abreast.runner.supervise import STOPPED_BY_USER

STAGES = ("setup", "verify")


async def try_merged(scene: Scene, merged: str, folder: Path, stop_file: Path) -> str:
    """Run setup and verify on the commit `merged`; return "" when they pass, else what failed.

    The jobs' files go to `folder`, where a repeated call finds them. `STOPPED_BY_USER` is returned
    when `stop_file` appeared. A trial whose runner is gone (a machine restart, `kill -9`) says
    nothing about the merge: it is begun again once, in a folder beside it.
    """
    if (failed := await _try(scene, merged, folder, stop_file)) is None:
        again = folder.with_name(f"{folder.name}-again")
        failed = await _try(scene, merged, again, stop_file)
    return "its supervisor was killed twice" if failed is None else failed


async def _try(scene: Scene, merged: str, folder: Path, stop_file: Path) -> str | None:
    """Run a trial from its beginning to its end; None when its runner is gone."""
    for name in scene.task.commands:
        order = partial(_order, scene, name, merged, folder, stop_file)
        result = await run_job(folder / name, order)
        if result.stopped_by == STOPPED_BY_USER:
            return STOPPED_BY_USER
        if is_lost(result):
            return None
        if result.verdict.outcome is not Outcome.OK or result.stopped_by:
            return f"{name} failed: {result.stopped_by or result.verdict.reason}"
    changed = await asyncio.to_thread(_changed, scene, merged, folder)
    await asyncio.to_thread(_note(scene).unlink, missing_ok=True)
    return changed


def _changed(scene: Scene, merged: str, folder: Path) -> str:
    """Return in what the scratch worktree is no longer the commit on trial, or what was done
    beyond it; "" when it is and nothing was.
    """
    if not scene.task.commands:
        return ""
    if done := of_trial(scene, folder):
        return f"verify went beyond its worktree: {done}"
    path, stages = _path(scene), " and ".join(scene.task.commands)
    tree = guard_worktree(scene.repository, path)
    if own_git_dir(path) != tree.admin or find_commit(tree, "HEAD") != merged:
        return f"{stages} left the commit on trial, so it is not known what was tested"
    edited = left_in(tree).tracked
    return f"{stages} changed what was on trial: {named(edited)}" if edited else ""


def _order(scene: Scene, name: str, merged: str, folder: Path, stop_file: Path) -> Order:
    line, place = scene.task.commands[name], _scratch(scene, merged, folder)
    if name == "verify":  # it runs what agents wrote
        note_trial(scene.repository, place, folder)
    return command_order_in(scene, name, line, place, stop_file)


def _scratch(scene: Scene, merged: str, folder: Path) -> Path:
    """Return the scratch worktree at `merged`; as it is when this trial is in it already."""
    path, note = _path(scene), _note(scene)
    if note.exists() and note.read_text(encoding="utf-8") == str(folder):
        return path
    if note.exists():
        for stage in STAGES:
            end_job(Path(note.read_text(encoding="utf-8")) / stage)
    spec = WorktreeSpec(path, "", scene.plan.base_sha, f"abreast landing {path.name}")
    if not path.exists() or spec.intent.exists():
        ensure_worktree(scene.repository, spec, lock=scene.lock)
    switch_detached(scene.repository, guard_worktree(scene.repository, path), merged)
    copy_included(scene.repository, path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomic(note, str(folder))
    return path


def _path(scene: Scene) -> Path:
    return landing_folder(scene.engine.places, scene.repository.common_dir, scene.run.target)


def _note(scene: Scene) -> Path:
    path = _path(scene)
    return path.with_name(f"{path.name}.trial")
