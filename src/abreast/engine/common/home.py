"""Which state folder a run belongs to: the one in which it was started.

Its environment, its logs and its worktrees are there. Several state folders, or machines, may share
a database; the worker of one must not touch what is at work in another.
"""

from abreast.errors import WorkerError
from abreast.places import Places
from abreast.store.holders import Holder, held, holders
from abreast.store.reader import Reader

_EXECUTOR = "executor-id"


def is_at_home(run: str, places: Places) -> bool:
    """Return whether a run was started here: its folder is made before it is recorded."""
    return (places.runs / run).is_dir()


def foreign_runs(places: Places) -> list[str]:
    """Return the ids of the runs that were started elsewhere and have not ended."""
    asked = Reader(places.database).requests()
    return [run.id for run in asked if not is_at_home(run.id, places)]


def worker_elsewhere(places: Places) -> Holder | None:
    """Return the living worker of another state folder or machine that has our database, if any."""
    if places.database == own_file(places):
        return None
    file = places.state / _EXECUTOR
    own = file.read_text(encoding="ascii").strip() if file.exists() else ""
    alive = (holder for holder in holders(places.database) if holder.alive)
    return next((holder for holder in alive if holder.executor != own), None)


def require_home(places: Places) -> None:
    """Raise WorkerError when another state folder's worker or run uses the database."""
    if places.database == own_file(places):
        return  # nobody else can know of it
    if (holder := worker_elsewhere(places)) is not None:
        raise held(holder)
    if strangers := foreign_runs(places):
        names = ", ".join(strangers[:5]) + (" …" if len(strangers) > 5 else "")
        raise WorkerError(
            f"this database holds runs of another state folder that have not ended: {names}",
            hint="continue them there (abreast resume RUN), or let ABREAST_DB name another "
            "database; if that folder or machine is gone for good: abreast worker --take-over",
        )


def own_file(places: Places) -> str:
    """Return the URL of a state folder's own database."""
    return f"sqlite:///{places.state / 'abreast.db'}"
