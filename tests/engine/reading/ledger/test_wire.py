"""Totals are what the model server stated: per session and per day, for all three CLIs."""

from collections import defaultdict

import pytest

import abreast
from abreast.engine.reading.ledger.session import read_session
from abreast.model.economy import By
from abreast.model.session import Session, SessionState
from tests.support.recorded_homes import counts, install, make_places, recordings, total, wire

ALL = [(agent, name) for agent in ("claude", "codex", "gemini") for name in recordings(agent)]


@pytest.mark.parametrize(("agent", "name"), ALL)
def test_the_total_and_the_days_are_those_of_the_wire(tmp_path, agent, name):
    install(tmp_path, agent, name)
    places, environ = make_places(tmp_path), {"HOME": str(tmp_path)}
    for by in By:
        for _ in range(2):  # the second time from the index
            found = abreast.ledger(places=places, environ=environ, by=by)
            assert counts(found.total) == total(wire(agent, name))
            sums = [sum(column) for column in zip(*map(counts, found.rows), strict=True)]
            assert tuple(sums) == counts(found.total)
            assert (
                found.total.requests
                == len(wire(agent, name))
                == sum(row.requests for row in found.rows)
            )
        assert found.read == 0


@pytest.mark.parametrize("name", recordings("claude"))
def test_sessions_of_claude(tmp_path, name):
    assert by_session(tmp_path, "claude", name) == of_wire("claude", name)


@pytest.mark.parametrize("name", recordings("codex"))
def test_sessions_of_codex(tmp_path, name):
    assert by_session(tmp_path, "codex", name) == of_wire("codex", name)


@pytest.mark.parametrize("name", recordings("gemini"))
def test_sessions_of_gemini(tmp_path, name):
    """Its wire names no sessions, but scenarios: of each session, the first words tell which."""
    stated = defaultdict(list)
    for one in wire("gemini", name):
        stated[one["scenario"]].append(one)
    if name == "forked":  # the second scenario is played in the copy
        expected = [total(stated["[FIRST]"]), total(stated["[SECOND]"])]
    else:
        expected = [total(wire("gemini", name))]
    assert sorted(by_session(tmp_path, "gemini", name).values()) == sorted(expected)


def by_session(home, agent, name):
    install(home, agent, name)
    environ = {"HOME": str(home)}
    found = abreast.ledger(places=make_places(home), environ=environ, by=By.SESSION)
    return {row.name: counts(row) for row in found.rows}


def of_wire(agent, name):
    sessions = defaultdict(list)
    for one in wire(agent, name):
        sessions[one["session"]].append(one)
    return {session: total(stated) for session, stated in sessions.items()}


def test_subagents_count_for_the_session_that_asked_them(tmp_path):
    for agent in ("claude", "codex", "gemini"):
        install(tmp_path, agent, "subagents")
    environ = {"HOME": str(tmp_path)}
    found = abreast.ledger(places=make_places(tmp_path), environ=environ, by="agent")
    assert {row.name: (row.sessions, row.subagents) for row in found.rows} == {
        "claude": (1, 2),
        "codex": (1, 2),
        "gemini": (1, 2),
    }
    assert found.total.sessions == 3


@pytest.mark.parametrize(("agent", "name"), ALL)
def test_the_reading_of_one_session_is_that_of_the_ledger(tmp_path, agent, name):
    install(tmp_path, agent, name)
    places, environ = make_places(tmp_path), {"HOME": str(tmp_path)}
    names = [row.name for row in abreast.ledger(places=places, environ=environ, by="session").rows]
    ours = Session("r/t", "r", "t", agent, SessionState.DONE)
    found = read_session(ours, names, places, environ)
    usage = found.total
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == tuple(
        total(wire(agent, name))[n] for n in (0, 1, -1)
    )
    assert read_session(ours, ["1b671a64-40d5-491e-99b0-da01ff1f3341"], places, environ) is None
