"""Real CLIs that are sent away: one asks, the others wait, and all go on by themselves."""

import time
from pathlib import Path

import pytest

from abreast import api
from abreast.model.cause import Cause
from abreast.model.hold import HoldKind
from abreast.model.limits import Limits
from abreast.model.moves import HttpError, Say, Write
from abreast.model.session import RunState, SessionState
from abreast.store.reader import Reader
from tests.support.deadlines import MINUTES
from tests.support.rig import every_cli, quickest_cli, rigged, told

pytestmark = pytest.mark.clis

SAYS = {
    "claude": "You've hit your session limit · resets 11:59pm (UTC)",
    "codex": "The usage limit has been reached",  # the CLI says itself when it resets
    "gemini": "You exceeded your current quota",
}
WAITS = Limits(minutes=MINUTES, idle_minutes=0)


@every_cli
def test_a_used_up_limit_costs_one_session_and_parks_the_others(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path) as rig:
        limit = HttpError(429, SAYS[name], code="quota")
        names = ("one", "two", "three", "four")
        run = rig.stage.start(*(rig.task(n, limit, limits=WAITS) for n in names))
        first, *others = (
            rig.stage.until(f"{run.id}/{n}", lambda s: s.held and s.held.kind is HoldKind.QUOTA)
            for n in names
        )
        assert [session.attempt for session in (first, *others)] == [2, 1, 1, 1]
        assert {request.scenario for request in rig.turns()} == {"one"}
        queue = Reader(rig.stage.places.database).agent_queue(name)
        assert (queue.cause, queue.session) == (Cause.SESSION_LIMIT, first.id)
        assert queue.until is not None
        assert queue.stated is (name != "gemini")
        if name == "codex":  # in an hour, told to the minute
            assert 3600 - 60 <= queue.until - queue.since <= 3600 + 61
        if name == "claude":
            assert time.gmtime(queue.until)[3:5] in {(0, 0), (23, 59)}
        api.stop(run.id, places=rig.stage.places)


@quickest_cli
def test_an_outage_is_waited_out_in_the_same_cli_session(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path) as rig:
        task = rig.task("one", HttpError(500, "oh no"), limits=WAITS)
        run = rig.stage.start(task)
        held = rig.stage.until(f"{run.id}/one", lambda session: session.held)
        assert held.held.kind is HoldKind.OUTAGE
        rig.play("one", Write("one.txt", "1\n"), Say("One."), match=task.prompt)
        ended = rig.stage.wait(run.id)
        (session,) = ended.sessions
        assert (ended.state, session.state) == (RunState.DONE, SessionState.DONE), session.reason
        assert session.attempt > 1
        assert session.cli_session == held.cli_session
        assert "You were interrupted." in told(rig.turns("one")[-1])
