"""Rebuild the records of runs after the database was lost, emptied or damaged.

What is damaged is kept aside and never written over. What is on record stays as it is.
"""

import contextlib
from pathlib import Path

from abreast.engine.client.requests import connect
from abreast.engine.common import deliverables
from abreast.engine.common.layout import SessionLayout
from abreast.engine.common.worker_process import find_worker
from abreast.engine.reading.rebuild import RebuiltRun, rebuild
from abreast.errors import StateError, WorkerError
from abreast.model.recovery import NotRecovered, RecoveredRun, Recovery
from abreast.model.session import Session
from abreast.model.task import Plan
from abreast.places import Places
from abreast.plan.dump import load_plan
from abreast.store.damage import file_of, find_damage, put_aside
from abreast.store.writer import Store, record_deliverable

UNKNOWN = (
    "the events of sessions, other than what their runners have written (abreast logs)",
    "what each attempt and model has used: a session's whole use is that of its last attempt",
    "questions that were answered, and what the gate had said",
)
_LEAVE = 30.0  # seconds for a worker to end


def recover(places: Places, here: Path | None = None) -> Recovery:
    """Put a damaged database aside, make a new one, and record what files and refs know.

    A sound one gets the runs that it does not know. Safe to repeat. Raises StoreError for a
    database that does not answer or is a newer abreast's, WorkerError when the worker of a damaged
    one does not end.
    """
    places.make()  # who cannot write there is told so first
    damage, aside = _set_right(places)
    made: list[RecoveredRun] = []
    left: list[NotRecovered] = []
    with connect(places) as client:
        known = client.reader.run_ids()
        for found in rebuild(places, known, here, refs=bool(damage) or not known):
            if isinstance(found, RebuiltRun):
                made.append(_record(places, client.store, found))
            else:
                left.append(found)
    return Recovery(damage, aside, tuple(made), tuple(left), UNKNOWN if made else ())


def _set_right(places: Places) -> tuple[str, Path | None]:
    """Return what was wrong with the database file, and where it is now."""
    file = file_of(places.database)
    damage = find_damage(file) if file is not None else ""
    if file is None or not damage:
        return "", None
    _end_worker(places)
    try:
        return damage, put_aside(file)
    except OSError as failure:
        raise StateError(
            f"{file} is damaged, and cannot be moved: {failure.strerror}",
            hint=f"make {file.parent} writable, then: abreast recover",
        ) from failure


def _end_worker(places: Places) -> None:
    """End the worker, which has the damaged file open; its agents go on under their runners."""
    worker = find_worker(places)
    process = worker.find() if worker else None
    if process is None:
        return
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        try:
            process.wait(_LEAVE)
        except psutil.TimeoutExpired:
            raise WorkerError(
                f"the worker, process {process.pid}, does not end",
                hint=f"kill -9 {process.pid} loses nothing; then: abreast recover",
            ) from None


def _record(places: Places, store: Store, found: RebuiltRun) -> RecoveredRun:
    run = found.run
    (places.runs / run.id).mkdir(mode=0o700, parents=True, exist_ok=True)  # it is at home here
    store.add_run(run, found.plan)
    plan = load_plan(found.plan)
    for session in run.sessions:
        if session.usage.source != "none":
            store.set_usage(session.id, session.attempt, session.usage)
        _record_deliverable(places, store, plan, session)
    store.add_event(run.id, "warning", "its record was lost, and rebuilt by abreast recover")
    return RecoveredRun(run, found.unknown)


def _record_deliverable(places: Places, store: Store, plan: Plan, session: Session) -> None:
    layout = SessionLayout(places, Path(), session.run, session.task, session.attempt)
    delivered = deliverables.load(layout.deliverable)
    task = plan.by_id().get(session.task)
    if delivered is not None and task is not None:
        record_deliverable(store.engine, delivered, task.profile)
