"""Forget old runs: their rows in the database, their folders, and caches first.

What an open run needs stays, and so does a run with work that is nowhere else but in its worktree
or on its branch. What is kept under refs stays: `abreast rescue` lists it, without a record.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from abreast.engine.client.requests import Client, connect
from abreast.engine.common.recorded import note_forgotten
from abreast.errors import AbreastError
from abreast.git.making import empty_trash, move_to_trash
from abreast.git.repository import Repository, read_ref
from abreast.model.changes import HistoryRemoval
from abreast.model.session import LandState, Run, SessionState
from abreast.places import Places
from abreast.process import clock
from abreast.process.folders import entries, size_of, written
from abreast.store.history import forget_run, forget_transcripts

DAY = 86_400.0
_AWAY = {LandState.LANDED, LandState.PROPOSED, LandState.UNDONE}


def forget(places: Places, days: float, *, remove: bool) -> list[HistoryRemoval]:
    """Look at all that is older than `days`, and `remove` what may go: caches, then the oldest run.

    It is safe to repeat when it was killed.
    """
    before = clock.wall() - days * DAY
    found = list(_caches(places, before, remove=remove))
    with connect(places) as client:
        if remove:
            forget_transcripts(client.store.engine, before)
        runs = client.reader.runs(1_000_000)
        needed = {
            session.parent.partition("/")[0]: run.id
            for run in runs
            if not run.state.final
            for session in run.sessions
            if session.parent
        }
        for run in sorted(runs, key=_last):
            if _last(run) < before:
                why = _needed(places, run) or _by_child(run, needed)
                found.append(_of_run(client, run, why, remove=remove))
    if remove:
        empty_trash(places.trash)
    return found


def _last(run: Run) -> float:
    """Return when something of a run happened last."""
    ends = [session.ended for session in run.sessions if session.ended]
    return max([run.created, run.ended or 0.0, *ends])


def _caches(places: Places, before: float, *, remove: bool) -> Iterator[HistoryRemoval]:
    """Yield files that can be made again, or only tell of errors long past."""
    for file in (*entries(places.state / "gate"), *places.logs.glob("bug-*.txt")):
        if file.is_file() and (at := written(file)) < before:
            size = file.stat().st_size
            if remove:
                file.unlink(missing_ok=True)
            yield HistoryRemoval(str(file), at, size)


def _by_child(run: Run, needed: dict[str, str]) -> str:
    other = needed.get(run.id)
    return f"run {other} has a child of it at work" if other else ""


def _needed(places: Places, run: Run) -> str:
    """Return why a run stays; "" where nothing of it is needed any more."""
    if not run.state.final:
        return f"it is {run.state}"
    for session in run.sessions:
        if session.worktree and Path(session.worktree).is_dir():
            return f"the worktree of {session.task} is there: abreast clean {session.id}"
        aside = places.aside / run.id / session.task
        if aside.is_dir():
            return f"files of {session.task} are kept in {aside}"
        waits = session.state is SessionState.DONE and session.commit
        if waits and session.landing not in _AWAY and _has_branch(run, session.branch):
            return f"{session.task} has not landed: abreast land {session.id}"
    return ""


def _has_branch(run: Run, branch: str) -> bool:
    common = Path(run.common_dir or run.repo)
    if not branch or not common.is_dir():
        return False
    try:
        return read_ref(Repository(common, common, None), f"refs/heads/{branch}") is not None
    except AbreastError:
        return True  # nobody knows


def _folders(places: Places, run: Run) -> Sequence[Path]:
    """Return the folders of a run; of its worktrees only what they have left behind."""
    below = [folder / run.id for folder in entries(places.worktrees)]
    found = [places.sessions / run.id, *below, places.aside / run.id, places.runs / run.id]
    return [folder for folder in found if folder.is_dir()]


def _of_run(client: Client, run: Run, kept: str, *, remove: bool) -> HistoryRemoval:
    folders = _folders(client.places, run)
    size = sum(map(size_of, folders))

    def move() -> None:
        note_forgotten(client.places, run.id)
        for folder in folders:
            move_to_trash(folder, client.places.trash)

    gone = kept or not remove or forget_run(client.store.engine, run.id, run.generation, move)
    if not gone:
        kept = "it goes on again"
    return HistoryRemoval(run.id, _last(run), size, len(run.sessions), kept)
