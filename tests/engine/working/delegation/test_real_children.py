"""Children of the real CLIs in worktrees of their own: they edit there, and deliver a commit."""

import json
from pathlib import Path

import pytest

from abreast import api
from abreast.model.limits import Limits
from abreast.model.moves import Call, Hang, Move, Read, Say, Write
from abreast.model.session import LandState
from abreast.model.task import Contract, DeliveryState, Isolation
from tests.support.deadlines import MINUTES
from tests.support.rig import every_cli, rigged, told

pytestmark = pytest.mark.clis

ANSWER = {"answer": "yes", "why": "it is there now"}


def answer(agent: str) -> tuple[Move, ...]:
    """How a model of this CLI gives its answer: by its own channel for that."""
    if agent == "claude":
        return Call("StructuredOutput", ANSWER), Say("Done.")
    return (Say(json.dumps(ANSWER)),)


@every_cli
def test_a_child_edits_in_its_own_worktree_and_its_commit_lands(name: str, tmp_path: Path):
    with rigged(name, tmp_path) as rig:
        rig.play("edit", Write("src/new.txt", "new\n"), *answer(name), match="Add src/new.txt")
        before = rig.fingerprints()
        contract = Contract("Add src/new.txt", returns="yes-no", isolation=Isolation.WORKTREE)
        found = api.delegate(contract, agent=name, repo=rig.repo.path, places=rig.stage.places)
        assert (found.outcome, found.text) == (DeliveryState.OK, "yes: it is there now")
        assert rig.fingerprints() == before
        changed = rig.repo.git("show", "--name-only", "--format=%s", found.commit)
        assert changed.split("\n")[:3] == ["Add src/new.txt", "", "src/new.txt"]
        assert rig.repo.git("rev-parse", found.branch).strip() == found.commit
        tools = told(rig.turns("edit")[0])
        assert "mcp__abreast" not in tools
        assert "spawn_agent" not in tools
        landed = api.land(found.id, places=rig.stage.places)
        assert landed.sessions[0].landing is LandState.LANDED
        assert (rig.repo.path / "src/new.txt").read_text() == "new\n"


@every_cli
def test_what_a_child_had_said_when_a_limit_stopped_it_is_delivered(name: str, tmp_path: Path):
    with rigged(name, tmp_path, trapped=False) as rig:
        moves = (Read("src/app.py"), Say("So far: src/app.py greets."), Read("README.md"))
        rig.play("look", *moves, Hang(), match="Who greets?")
        # Of what is idle, however long a busy machine takes to start it.
        budget = Limits(minutes=MINUTES, idle_minutes=0.06, turns=9)
        contract = Contract("Who greets?", returns="bullets", budget=budget)
        found = api.delegate(contract, agent=name, repo=rig.repo.path, places=rig.stage.places)
        assert (found.outcome, found.reason) == (
            DeliveryState.PARTIAL,
            "ended by the idle limit: no sign of life for 0.06 minutes",
        )
        assert found.text == "So far: src/app.py greets."
