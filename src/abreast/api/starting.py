"""Start runs: nothing here imports what steering or finishing them takes."""

from abreast.api.following import Progress, wait
from abreast.engine.client.planning import read_plan as read_plan  # noqa: PLC0414 (a call of ours)
from abreast.engine.client.requests import connect
from abreast.model.gate import GateProgress, unseen
from abreast.model.session import Run
from abreast.model.task import Plan
from abreast.places import Places, find_places


def start(plan: Plan, *, judging: GateProgress | None = None, places: Places | None = None) -> Run:
    """Record a checked plan as a run, make sure that a worker is there, and return.

    The gate judges a plan of several tasks first (`Plan.gate`), and calls `judging` as it goes
    through the history. The run's note says what it has put in sequence.
    """
    with connect(places or find_places()) as client:
        return client.start(plan, progress=judging or unseen)


def run(plan: Plan, *, progress: Progress | None = None, places: Places | None = None) -> Run:
    """Start a plan and wait for it."""
    begun = start(plan, places=places)
    return wait(begun.id, progress=progress, places=places)
