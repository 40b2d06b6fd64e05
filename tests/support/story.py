"""What the events of a run tell: which states it and its sessions went through."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from abreast.model.session import LandState, LogEvent, Run, RunState, SessionState
from abreast.model.transitions import LANDINGS, RUNS, SESSIONS


def check_story(run: Run, events: Iterable[tuple[int, LogEvent]]) -> None:
    """Check that each recorded step is in the tables, and that the last is where things stand."""
    went = defaultdict[tuple[str, str], list[str]](list)
    for _, event in events:
        went[event.session, event.kind].append(event.text.partition(":")[0])
    states = [RunState(word) for word in went["", "state"]]
    check(RUNS, states, run.state)
    for session in run.sessions:
        if steps := [SessionState(word) for word in went[session.id, "state"]]:
            check(SESSIONS, [SessionState.QUEUED, *steps], session.state)
        landings = [LandState.QUEUED, *map(LandState, went[session.id, "landing"])]
        for before, now in pairwise(landings):  # to be queued once more is no event
            again = LANDINGS.allow(before, now, anew=True)
            assert LANDINGS.allow(LandState.QUEUED, now) or again, landings


def check(table, steps, now):
    for pair in pairwise(steps):
        assert table.allow(*pair) or table.allow(*pair, anew=True), steps
    assert steps[-1] is now
