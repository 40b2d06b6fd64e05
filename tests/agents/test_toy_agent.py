"""An agent of one object in a folder of a test's, with all its parts, does all that agents do.

Nothing else knows of it: only the variable ABREAST_AGENTS names its file.
"""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.agents.conformance")

from abreast import api  # noqa: E402
from abreast.agents import AGENTS, agent_named  # noqa: E402
from abreast.agents.base import Agent  # noqa: E402
from abreast.loopback.server import Loopback  # noqa: E402
from abreast.model.moves import Move, Say, Scenario, Shell, Spend, Write  # noqa: E402
from abreast.model.session import SessionState  # noqa: E402
from abreast.model.task import AgentChoice, DeliveryState  # noqa: E402
from tests.agents.conformance import AgentConformance  # noqa: E402
from tests.support.repos import Repo  # noqa: E402
from tests.support.stage import Stage, scripted, task  # noqa: E402

TOY = Path(__file__).with_name("toy")
BULLETS = {"bullets": ["a.txt says hello"], "nothing_found": None}


@pytest.fixture(scope="module")
def agent() -> Iterator[Agent]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ABREAST_AGENTS", str(TOY / "agent.py"))
        yield agent_named("toy")


class TestConformance(AgentConformance):
    """It keeps every promise that the built-in agents keep."""


@pytest.fixture
def model(agent: Agent, scratch_home: Path, tmp_path: Path, monkeypatch) -> Iterator[Loopback]:
    """A developer who has the toy on PATH, and the server that it asks."""
    program = tmp_path / "bin" / "toy"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {TOY / "cli.py"} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("ABREAST_AGENTS", str(TOY / "agent.py"))
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with Loopback(dialects=[agent.dialect]) as server:
        for name, value in agent.redirect(server.url, scratch_home).env.items():
            monkeypatch.setenv(name, value)
        yield server
        assert server.egress == []


def play(model: Loopback, match: str, *moves: Move) -> None:
    model.add(Scenario(match, moves, match))


def test_a_file_that_it_writes_in_the_users_checkout_is_held_against_it_alone(
    model: Loopback, local_stage: Stage, repo: Repo, tmp_path: Path
) -> None:
    """What the user, or whoever, changes there meanwhile is told, and blocks nobody."""
    (repo.path / "draft.txt").write_text("mine\n")
    readme, link = repo.path / "README.md", tmp_path / "link"
    link.symlink_to(repo.path / "src")
    mark = str(readme)
    play(model, "Do astray.", Write("own.txt", "1\n"), Write(f"{link}/new.py", "x\n"), Say("Done."))
    play(model, "Do by-path.", Write("two.txt", "1\n"), Write(mark, "all new\n"), Say("Done."))
    play(model, "Do tidy.", Write("three.txt", "1\n"), Say("Done."))
    toy, base = AgentChoice("toy"), repo.git("rev-parse", "main")
    tasks = [task(name, toy, repairs=0) for name in ("astray", "by-path", "tidy")]
    run = local_stage.run(*tasks)
    astray, by_path, tidy = run.sessions
    assert (astray.state, by_path.state) == (SessionState.BLOCKED, SessionState.BLOCKED)
    assert astray.reason == f"it wrote src/new.py in {repo.path}, which is not its worktree"
    assert by_path.reason == f"it wrote README.md in {repo.path}, which is not its worktree"
    assert f"look: git -C {repo.path} diff HEAD -- {mark}" in by_path.hint
    assert tidy.state is SessionState.DONE, tidy.reason
    assert local_stage.events(tidy.id, "trespass") == []
    assert repo.git("rev-parse", "main") == base

    # A draft that is written again, a new file, and an edit are taken back: one note for each run.
    repo.git("checkout", "-q", "README.md")
    (repo.path / "src/new.py").unlink()
    gate = f"while [ ! -e {tmp_path}/go ]; do sleep 0.02; done"
    [session] = local_stage.start(
        task("meanwhile", scripted(Shell(gate), Write("m", "1")))
    ).sessions
    local_stage.until(session.id, lambda _: local_stage.has_begun(session.id))
    (repo.path / "draft.txt").write_text("mine, longer\n")
    repo.write({"src/app.py": "edited = True\n"})
    repo.commit("the user's own", {"committed.txt": "1\n", "src/app.py": "committed = True\n"})
    repo.write({"README.md": "# edited\n"})
    (tmp_path / "go").touch()
    local_stage.wait(session.run)
    assert local_stage.session(session.id).state is SessionState.DONE
    [note] = local_stage.events(session.id, "note")
    said = f'in {repo.path} changed while it ran, by whom is not known: "README.md", "draft.txt"'
    assert note == said


def test_it_runs_delegates_is_counted_handed_over_and_diagnosed(
    model: Loopback, local_stage: Stage, repo: Repo
):
    works = (Spend(900, 100, 40), Write("a.txt", "hello\n"), Spend(1000, 200, 30))
    play(model, "Do hello.", *works, Say("It says hello."))
    play(model, "What is there?", Spend(300, 0, 20), Say(json.dumps(BULLETS)))
    repo.commit("a briefing", {"TOY.md": "Toys are tidied away.\n"})
    places = local_stage.places

    run = local_stage.run(task("hello", AgentChoice("toy")))
    [done] = run.sessions
    assert (done.state, done.reason) == (SessionState.DONE, "")
    assert repo.git("show", f"{done.commit}:a.txt") == "hello"
    assert "Toys are tidied away." in json.dumps(model.requests[0].body)  # its briefing

    answer = api.delegate(
        "What is there?", agent="toy", returns="bullets", repo=repo.path, places=places
    )
    assert (answer.outcome, answer.value) == (DeliveryState.OK, BULLETS)

    [row] = api.ledger(by="agent", places=places).rows
    assert (row.name, row.sessions) == ("toy", 2)
    stated = [r for r in model.requests if r.step is not None]
    assert row.requests == len(stated) == 3
    assert (row.input_tokens, row.output_tokens) == (2200, 90)
    assert row.cost.estimated == pytest.approx((1900 + 300 * 0.1 + 90 * 2) / 1e6)

    found = api.handoff(done.id, places=places)
    assert (found.header.agent, found.header.session) == ("toy", done.cli_session)
    assert "It says hello." in found.text

    told = {one.id: one for one in api.doctor(repo=repo.path, since=0, places=places).findings}
    [seen] = told["known-bad-version"].evidence
    assert seen.text.startswith("toy 1.4.2 (")
    assert "it forgets what day it is" in seen.text


def test_it_is_connected_and_its_own_sessions_hand_over(
    model: Loopback, scratch_home: Path, repo: Repo, local_stage: Stage
):
    places, config = local_stage.places, scratch_home / ".toy" / "toy.json"
    assert api.connect("toy", places=places).applied
    assert api.hook_handoff("toy", places=places).applied
    entry = json.loads(config.read_text())["servers"]["abreast"]
    assert entry["args"][-1] == "mcp"
    assert (scratch_home / ".toy/skills/abreast-delegate/SKILL.md").exists()

    play(model, "Add a file.", Spend(50, 0, 5), Write("b.txt", "b\n"), Say("There is b now."))
    session = str(uuid.uuid4())
    subprocess.run(
        ["toy", "run", "--session", session],
        cwd=repo.path,
        input="Add a file.",
        text=True,
        check=True,
        capture_output=True,
        env={**os.environ, "ABREAST_STATE_DIR": str(places.state)},
    )
    by_hook = places.handoff_of(repo.path).read_text()
    assert session in by_hook
    assert "b.txt" in by_hook
    here = api.handoff(folder=repo.path, places=places)
    assert (here.header.agent, here.header.session) == ("toy", session)

    assert api.hook_handoff("toy", remove=True, places=places).applied
    assert api.connect("toy", remove=True, places=places).applied
    assert not config.exists()


def test_a_program_knows_it_by_the_variable_alone(model: Loopback):
    def abreast(*words: str) -> str:
        argv = [sys.executable, "-m", "abreast", *words]
        return subprocess.run(argv, text=True, check=True, capture_output=True).stdout

    assert "a toy belongs to everybody" in abreast("agents")
    assert "|toy" in abreast("connect", "--help")
    assert "|toy" in abreast("handoff", "--help")


def test_without_the_variable_there_is_none(monkeypatch):
    monkeypatch.delenv("ABREAST_AGENTS", raising=False)
    assert "toy" not in AGENTS
