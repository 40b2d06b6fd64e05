"""How the pull requests of a run stand at their forge."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from abreast.engine.common.forge import look
from abreast.engine.common.layout import repository_of_run
from abreast.errors import AbreastError
from abreast.model.pull_request import SessionRequest
from abreast.model.session import LandState, Run, Session
from abreast.places import Places

_AT_ONCE = 4  # calls over the network


def pull_requests(run: Run, places: Places) -> list[SessionRequest]:
    """Return the request of each session that has one, in the plan's order.

    One that cannot be asked about (no login, no network) has the reason in it. Raises NotFoundError
    when the repository is gone.
    """
    proposed = [s for s in run.sessions if s.landing is LandState.PROPOSED and s.landed]
    if not proposed:
        return []
    place = repository_of_run(places, run.id, Path(run.repo)).place
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda session: _look(place, session), proposed))


def _look(place: Path, session: Session) -> SessionRequest:
    try:
        return SessionRequest(session.id, session.landed, look(place, session.landed))
    except AbreastError as error:
        return SessionRequest(session.id, session.landed, reason=error.message)
