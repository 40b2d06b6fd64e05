"""The warm pool, for plans that ask for one (`pool = 4`): worktrees that are used again.

Their ignored files stay: dependencies, build output. A session takes an idle worktree if there is
one and makes its own if there is none. It gives the worktree back once its work has landed, or when
it is cleaned. The pool is filled up when a run ends, so that the next one finds it warm.
"""

from dataclasses import replace
from pathlib import Path

from abreast.engine.common.layout import pool_folder, repository_lock, repository_of_run
from abreast.engine.working.session.context import SessionContext
from abreast.git.pool import Pool, claim, fill, give_back
from abreast.git.repository import Repository
from abreast.model.session import Run
from abreast.model.task import Plan
from abreast.places import Places
from abreast.store.changes import SessionUpdate


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
    folder = pool_folder(places, common)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Pool(repository, folder, size, repository_lock(places, common))
