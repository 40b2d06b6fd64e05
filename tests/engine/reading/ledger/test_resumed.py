"""A child of a real CLI over several processes: all who tell what it used tell the wire's sums."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import abreast
from abreast import api
from abreast.loopback.dialect import turn_at
from abreast.model.economy import Account
from abreast.model.moves import Call, Hang, Move, Read, Say, Scenario, Spend
from abreast.model.session import Session
from abreast.model.task import Contract, DeliveryState
from abreast.places import Places
from tests.support.deadlines import SECONDS, eventually
from tests.support.rig import Rig, every_cli, rigged

pytestmark = pytest.mark.clis

ANSWER = {"answer": "yes", "why": "it greets"}
ASKED = Contract("Who greets?", returns="yes-no")


def answered(agent: str) -> tuple[Move, ...]:
    """How a model of this CLI gives its answer: by its own channel for that."""
    if agent == "claude":
        return Call("StructuredOutput", ANSWER), Spend(3000, 300, 30), Say("Done.")
    return (Say(json.dumps(ANSWER)),)


def scenarios(agent: str) -> tuple[Scenario, ...]:
    """What each process is answered; the first two are ended while they wait for the model."""
    first, again = ASKED.question, "You were interrupted"
    look = (Read("src/app.py"), Spend(1700, 200, 20), Read("README.md"), Hang())
    last = (Spend(2500, 250, 25), Read("src/app.py"), Spend(2800, 280, 28), *answered(agent))
    return (
        Scenario("first", (Spend(1500, 100, 10), *look), first),
        Scenario("second", (Spend(2000, 200, 20), Read("src/app.py"), Hang()), again),
        Scenario("third", last, again),
    )


def stated(rig: Rig) -> Iterator[tuple[Spend, bool]]:
    """What the model server has stated, request by request, and whether that one still waits."""
    plays = {one.name: one for one in scenarios(rig.agent.name)}
    for asked in rig.turns():
        turn = turn_at(plays[asked.scenario], asked.step or 0)
        yield turn.reply.spend, bool(turn.stall)


def kill(rig: Rig, name: str, way: str) -> Session:
    """End the child's process with SIGKILL: its CLI alone, or its supervisor too."""
    runner = rig.stage.runner(name)
    for process in [runner] if way == "runner" else runner.children():
        process.kill()
    return rig.stage.until(name, lambda one: one.state.final)


def answered_by(rig: Rig) -> int:
    return sum(not waits for _, waits in stated(rig))


def recorded(places: Places) -> int:
    """How many requests the CLI's record has."""
    return sum(row.requests for row in abreast.ledger(places=places, by="session").rows)


def check(rig: Rig, name: str, summary: int) -> None:
    """Hold what everybody tells of the child against what the server has stated."""
    wire = [spend for spend, waits in stated(rig) if not waits]
    sent, cached, said = (
        sum(one.input_tokens for one in wire),
        sum(one.cached_tokens for one in wire),
        sum(one.output_tokens for one in wire),
    )
    places = rig.stage.places
    usage = rig.stage.session(name).usage
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (sent, cached, said)

    start_up = wire[0].input_tokens
    kept_out = wire[-1].input_tokens + wire[-1].output_tokens - start_up
    account = Account(start_up, sent + said, kept_out, summary)
    [found] = api.collect(name, places=places)
    assert found.account == account
    expected = api.estimate(ASKED, agent=rig.agent.name, repo=rig.repo.path, places=places)[1]
    assert (expected.start_up, expected.measured) == (start_up, 1)

    ledger = abreast.ledger(places=places, by="session")
    [row] = ledger.rows
    assert (row.name, row.requests, row.sessions) == (name, len(wire), 1)
    assert (row.input_tokens, row.cached_tokens, row.output_tokens) == (sent, cached, said)
    [one] = ledger.delegations
    assert Account(one.start_up, one.child_total, one.kept_out, one.summary or 0) == account
    assert one.net == account.net


@every_cli
def test_all_tell_what_the_server_stated(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path, trapped=False) as rig:
        places, (first, second, third) = rig.stage.places, scenarios(name)
        rig.server.add(first)
        run = api.start_delegation(ASKED, agent=name, repo=rig.repo.path, places=places)
        child = run.sessions[0].id
        for number, (way, following) in enumerate({"cli": second, "runner": third}.items(), 1):
            eventually(lambda n=number: sum(waits for _, waits in stated(rig)) == n, "it waits")
            # A CLI writes its record a moment after the answer has come.
            eventually(lambda: recorded(places) == answered_by(rig), "it is recorded")
            kill(rig, child, way)
            check(rig, child, 0)
            rig.server.add(following)
            api.resume(run.id, places=places)
        [found] = api.collect(child, wait=True, timeout=SECONDS, places=places)
        assert rig.stage.session(child).attempt == 3
        assert (found.outcome, found.text) == (DeliveryState.OK, "yes: it greets")
        check(rig, child, found.account.summary if found.account else -1)
