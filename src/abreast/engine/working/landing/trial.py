"""A merge on trial: setup and verify run on the merged commit, in a scratch worktree.

There is one scratch worktree for each target. It is kept between landings, so that only changed
files are written and build caches stay valid. A note beside it says whose trial is in it: a worker
that was killed in mid-trial finds it, and adopts what still runs, or ends it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path

from abreast.engine.common.layout import landing_folder
from abreast.engine.working.session.confining import drop_tmp
from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.jobs import Order, end_job, run_job
from abreast.engine.working.session.keeping import note_trial
from abreast.engine.working.session.preparing import command_order
from abreast.engine.working.session.trespass import of_trial
from abreast.git.aside import copy_included
from abreast.git.commit import left_in, switch_detached
from abreast.git.guard import guard_worktree
from abreast.git.hooks import HOOKS
from abreast.git.making import ensure_worktree
from abreast.git.status import head_commit, own_git_dir
from abreast.git.worktree import WorktreeSpec
from abreast.model.events import Outcome
from abreast.model.text import named
from abreast.process.files import private_folder, write_atomic
from abreast.runner.job import is_lost
from abreast.runner.supervise import STOPPED_BY_USER

STAGES = ("setup", *HOOKS, "verify")
_LOOK = 0.25  # seconds between looks whether one of several runs was stopped
_BEYOND = "verify went beyond its worktree: "


def went_beyond(failed: str) -> bool:
    """Return whether a trial changed what others use. Trying again would not see it any more."""
    return failed.startswith(_BEYOND)


def verify_failed(failed: str) -> bool:
    """Return whether it was verify that failed, and not setup, and nothing worse was done."""
    return failed.startswith("verify failed: ")


async def try_merged(context: SessionContext, merged: str, folder: Path, stop_file: Path) -> str:
    """Run setup and verify on the commit `merged`; return "" when they pass, else what failed.

    The jobs' files go to `folder`, where a repeated call finds them. `STOPPED_BY_USER` is returned
    when `stop_file` appeared. A trial whose runner is gone (a machine restart, `kill -9`) says
    nothing about the merge: it is begun again once, in a folder beside it.
    """
    # What is in the scratch worktree by now may be another trial.
    said = folder / "verdict.txt"
    if said.exists():
        return said.read_text(encoding="utf-8")
    if (failed := await _try(context, merged, folder, stop_file)) is None:
        again = folder.with_name(f"{folder.name}-again")
        failed = await _try(context, merged, again, stop_file)
    for one in (folder, folder.with_name(f"{folder.name}-again")):
        drop_tmp(one)
    failed = "its supervisor was killed twice" if failed is None else failed
    if context.task.commands and failed != STOPPED_BY_USER:
        await asyncio.to_thread(write_atomic, said, failed)
    return failed


@contextlib.asynccontextmanager
async def one_stop_file(files: Sequence[Path], own: Path) -> AsyncIterator[Path]:
    """Yield a file that appears when one of `files` does: `own`, unless there is only one."""
    if len(files) == 1:
        yield files[0]
        return

    def there() -> bool:
        return any(file.exists() for file in files)

    async def pass_on() -> None:
        while not await asyncio.to_thread(there):  # noqa: ASYNC110 - other processes make them
            await asyncio.sleep(_LOOK)
        await asyncio.to_thread(own.touch)

    await asyncio.to_thread(own.unlink, missing_ok=True)
    watch = asyncio.create_task(pass_on())
    try:
        yield own
    finally:
        watch.cancel()


def put_by(folder: Path) -> None:
    """Put the folder of a trial that was stopped out of the way of one that is not."""
    number = len(list(folder.parent.glob(f"{folder.name}-stopped-*")))
    with contextlib.suppress(FileNotFoundError):
        folder.rename(folder.with_name(f"{folder.name}-stopped-{number}"))


async def _try(context: SessionContext, merged: str, folder: Path, stop_file: Path) -> str | None:
    """Run a trial from its beginning to its end; None when its runner is gone."""
    for name in context.task.commands:
        order = partial(_order, context, name, merged, folder, stop_file)
        result = await run_job(folder / name, order)
        if result.stopped_by == STOPPED_BY_USER:
            return STOPPED_BY_USER
        if is_lost(result):
            return None
        if result.verdict.outcome is not Outcome.OK or result.stopped_by:
            done = await asyncio.to_thread(_beyond, context, folder) if name == "verify" else ""
            return done or f"{name} failed: {result.stopped_by or result.verdict.reason}"
    changed = await asyncio.to_thread(_changed, context, merged, folder)
    await asyncio.to_thread(drop_note, context)
    return changed


def _beyond(context: SessionContext, folder: Path) -> str:
    done = of_trial(context, folder)
    return f"{_BEYOND}{done}" if done else ""


def _changed(context: SessionContext, merged: str, folder: Path) -> str:
    """Return in what the scratch worktree is no longer the commit on trial, or what was done
    beyond it; "" when it is and nothing was.
    """
    if not context.task.commands:
        return ""
    if done := _beyond(context, folder):
        return done
    path, stages = scratch_path(context), " and ".join(context.task.commands)
    tree = guard_worktree(context.repository, path)
    if own_git_dir(path) != tree.admin or head_commit(tree) != merged:
        return f"{stages} left the commit on trial, so it is not known what was tested"
    edited = left_in(tree).tracked
    return f"{stages} changed what was on trial: {named(edited)}" if edited else ""


def _order(context: SessionContext, name: str, merged: str, folder: Path, stop_file: Path) -> Order:
    place = scratch(context, merged, folder)
    if name == "verify":  # it runs what agents wrote
        note_trial(context.repository, place, folder)
    return command_order(context, name, place, stop_file, folder)


def scratch(context: SessionContext, merged: str, folder: Path) -> Path:
    """Return the scratch worktree at `merged`; as it is when this trial is in it already."""
    path, note = scratch_path(context), _note(context)
    if is_in(context, folder):
        return path
    if note.exists():
        for stage in STAGES:
            end_job(Path(note.read_text(encoding="utf-8")) / stage)
    spec = WorktreeSpec(path, "", context.plan.base_sha, f"abreast landing {path.name}")
    if not path.exists() or spec.intent.exists():
        ensure_worktree(context.repository, spec, lock=context.lock)
    switch_detached(context.repository, guard_worktree(context.repository, path), merged)
    copy_included(context.repository, path)
    private_folder(folder)
    write_atomic(note, str(folder))
    return path


def is_in(context: SessionContext, folder: Path) -> bool:
    """Return whether the trial whose files are in `folder` is in the scratch worktree."""
    note = _note(context)
    return note.exists() and note.read_text(encoding="utf-8") == str(folder)


def drop_note(context: SessionContext) -> None:
    """Forget whose trial is in the scratch worktree: the next one begins with its own files."""
    _note(context).unlink(missing_ok=True)


def scratch_path(context: SessionContext) -> Path:
    """Return where the scratch worktree of a session's target is."""
    return landing_folder(context.engine.places, context.repository.common_dir, context.run.target)


def _note(context: SessionContext) -> Path:
    path = scratch_path(context)
    return path.with_name(f"{path.name}.trial")
