"""Steer and finish runs."""

from collections.abc import Sequence
from pathlib import Path

from abreast.api.following import Progress, unseen, wait
from abreast.api.looking import find_run, find_session, run_or_session
from abreast.api.starting import start
from abreast.engine.client import cleaning, retrying, telling, terminal
from abreast.engine.client import demo as show
from abreast.engine.client.requests import connect
from abreast.engine.client.undoing import undo_plan
from abreast.engine.common.attendance import require_free
from abreast.errors import StateError
from abreast.model.changes import HistoryRemoval, Removal
from abreast.model.landing import LandingForecast, LandOptions
from abreast.model.session import LandMode, Run, Session, SessionKind
from abreast.places import Places, find_places


def stop(name: str, *, places: Places | None = None) -> list[Session]:
    """Stop a run or a session, and return the sessions this reached.

    Returns once no process of theirs is left; what they did so far is kept under a ref.
    """
    where = places or find_places()
    found = run_or_session(name, where)
    reached = (found,) if isinstance(found, Session) else found.sessions
    if by_hand := [s for s in reached if s.kind is SessionKind.OPEN and not s.state.final]:
        require_free(by_hand, where)
        return [terminal.close(session, where) for session in by_hand]
    with connect(where) as client:
        return client.stop(found.id)


def resume(name: str, message: str = "", *, places: Places | None = None) -> Run:
    """Go on with a run or a session that has ended, in its own CLI session if it can.

    Of a run whatever is not done is queued again; the run itself may be at work. With a `message`
    the session goes on with that, also if it was done, unless it has landed. The environment is
    that of this process from now on. Raises StateError when there is nothing to resume, and
    for a message to a run of several sessions.
    """
    where = places or find_places()
    found = run_or_session(name, where) if name else find_run(places=where)
    if message:
        return telling.resume_with(_only_session(found), message, where)
    with connect(where) as client:
        return client.resume(found.id) if isinstance(found, Run) else client.resume_one(found)


def _only_session(found: Run | Session) -> Session:
    if isinstance(found, Session):
        return found
    if len(found.sessions) != 1:
        raise StateError(
            f"{found.id} has {len(found.sessions)} sessions, and a message is for one",
            hint=", ".join(session.id for session in found.sessions[:10]),
        )
    return found.sessions[0]


def retry(name: str, *, base: str = "", places: Places | None = None) -> Run:
    """Queue one session that has ended, and not landed, once more, afresh.

    It starts from the commit `base`, by default from the target as it is now. Raises NotFoundError
    for a `base` that is no commit.
    """
    where = places or find_places()
    return retrying.retry(find_session(name, places=where), base, where)


def request_landing(
    name: str,
    mode: LandMode = LandMode.MERGE,
    *,
    target: str = "",
    options: LandOptions | None = None,
    places: Places | None = None,
) -> Run:
    """Queue a session, or every finished session of a run, for landing, and return at once."""
    where = places or find_places()
    found = run_or_session(name, where)
    run = found if isinstance(found, Run) else find_run(found.run, places=where)
    chosen = run.sessions if isinstance(found, Run) else (found,)
    with connect(where) as client:
        return client.request_landing(run.id, chosen, mode, target, options or LandOptions())


def forecast_landing(
    name: str,
    *,
    target: str = "",
    options: LandOptions | None = None,
    places: Places | None = None,
) -> list[LandingForecast]:
    """Return what landing a session or run would come to if every verify passes; nothing moves.

    In the order of landing, with the reasons for it. What other runs have waiting on the target is
    not counted.
    """
    where = places or find_places()
    found = run_or_session(name, where)
    run = found if isinstance(found, Run) else find_run(found.run, places=where)
    chosen = run.sessions if isinstance(found, Run) else (found,)
    with connect(where) as client:
        return client.forecast_landing(run.id, chosen, target, options or LandOptions())


def land(
    name: str,
    mode: LandMode = LandMode.MERGE,
    *,
    target: str = "",
    options: LandOptions | None = None,
    progress: Progress | None = None,
    places: Places | None = None,
) -> Run:
    """Land a session, or every finished session of a run, and wait for it.

    All that waits on a target lands in one order, whoever asked for it.
    """
    where = places or find_places()
    asked = request_landing(name, mode, target=target, options=options, places=where)
    return wait(asked.id, progress=progress, places=where)


def request_undo(name: str, *, places: Places | None = None) -> Run:
    """Start a run that reverts what a session has landed, and return at once.

    The revert is verified as the session's work was, and lands by the same queue. Raises StateError
    when the session has not landed, or when what has landed later needs it.
    """
    where = places or find_places()
    session = find_session(name, places=where)
    plan = undo_plan(session, find_run(session.run, places=where), where)
    return start(plan, places=where)


def undo(name: str, *, progress: Progress | None = None, places: Places | None = None) -> Run:
    """Revert what a session has landed (see `request_undo`), and wait for that."""
    asked = request_undo(name, places=places)
    return wait(asked.id, progress=progress, places=places)


def clean(
    names: Sequence[str] = (),
    *,
    remove: bool = False,
    force: bool = False,
    places: Places | None = None,
) -> list[Removal]:
    """Remove worktrees whose work has landed; by default only tell what would go.

    Work that is not in the target stays unless `force`, and even then under a ref.
    """
    where = places or find_places()
    return cleaning.clean(names, where, remove=remove, force=force)


def clean_history(
    days: float, *, remove: bool = False, places: Places | None = None
) -> list[HistoryRemoval]:
    """Forget runs of which nothing has happened for `days`, by default only tell which.

    Their records and the folders of their sessions go, caches first. Runs that go on stay, and so
    do those whose work is in a worktree or waits on a branch. What is kept under refs stays.
    """
    from abreast.engine.client import forgetting

    return forgetting.forget(places or find_places(), days, remove=remove)


def demo(
    agent: str = "scripted", *, keep: bool = False, progress: Progress | None = None
) -> tuple[Run, Path]:
    """Run three tasks on a throw-away repository, verified and landed; returns the run and it.

    The repository and the state of the run are gone afterwards unless `keep`.

    With `claude`, `codex` or `gemini` the real CLI runs, against the built-in loopback model.
    """
    return show.run(agent, keep=keep, progress=progress or unseen)
