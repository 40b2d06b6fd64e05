"""Run a session once more from the start, on the target as it is now."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from abreast.engine.client.requests import connect, require_task
from abreast.engine.client.watching import require_run
from abreast.engine.common.attendance import is_lost
from abreast.engine.common.layout import layout_of, repository_of_run
from abreast.errors import StateError
from abreast.git.merge import fast_forwardable
from abreast.git.repository import Repository, delete_ref, read_ref, resolve, swap_ref
from abreast.model.session import LandState, Run, Session, SessionKind, SessionState
from abreast.model.transitions import require_transition
from abreast.places import Places
from abreast.store.reader import Reader


def retry(session: Session, base: str, places: Places) -> Run:
    """Queue a session that has ended, or lost its process, once more, afresh.

    It starts from `base`, by default from the tip of its run's target. A target that does not
    contain the plan's base, a child and a session that only reads start where they did. Raises
    StateError when it has not ended, has landed, or is a person's own, NotFoundError for a `base`
    that is no commit.
    """
    require_task(session)
    if session.landing is LandState.LANDED:
        raise StateError(
            f"{session.id} is done, and has landed as {session.landed_name}",
            hint='abreast run -t "…" starts a task on top of it',
        )
    if not is_lost(session, places):  # else it may be about to begin, from what is noted below
        require_transition(session.id, session.state, SessionState.QUEUED, anew=True)
    run = require_run(Reader(places.database), session.run)
    layout = layout_of(session, places, Path(run.common_dir))
    with connect(places) as client:
        if session.kind is SessionKind.CHILD and not base:
            return client.again(run.id, [session], fresh=True)
        repository = repository_of_run(places, run.id, Path(run.repo))
        start = resolve(repository, base) if base else _tip(repository, run)
        with _starting_from(repository, layout.ref("start"), start):
            again = client.again(run.id, [session], fresh=True)
        if start != session.base_sha:
            where = base or run.target
            client.store.add_event(session.id, "retry", f"starts from {where} ({start[:12]})")
        return again


def _tip(repository: Repository, run: Run) -> str:
    """Return where work for the run's target begins now."""
    tip = read_ref(repository, f"refs/heads/{run.target}") if run.target else None
    return tip if tip and fast_forwardable(repository, run.base_sha, tip) else run.base_sha


@contextlib.contextmanager
def _starting_from(repository: Repository, ref: str, start: str) -> Iterator[None]:
    """Note `start` under `ref` before the request, which a worker may take at once.

    If that is refused, the ref is as it was.
    """
    before = read_ref(repository, ref)
    reason = "abreast: retry"
    if before != start:
        swap_ref(repository, ref, start, before, reason=reason)
    try:
        yield
    except BaseException:
        if before is None:
            delete_ref(repository, ref, start)
        elif before != start:
            swap_ref(repository, ref, before, start, reason=reason)
        raise
