"""`abreast land --review` at a terminal: pages one by one, and what a person answers."""

import os
import sys
from pathlib import Path

import pytest

from abreast import api
from abreast.agents.base import Command
from abreast.model.moves import EndTurn, Say, Shell
from abreast.model.session import LandMode, LandState, RunState, SessionState
from abreast.model.task import AgentChoice
from tests.cli.test_edge import abreast
from tests.support.stage import Stage, scripted, task, writes
from tests.support.terminal import AtTerminal


@pytest.fixture
def environ(shared_stage: Stage, tmp_path: Path) -> dict[str, str]:
    places = shared_stage.places
    own = {"ABREAST_STATE_DIR": str(places.state), "ABREAST_DB": places.database, "PAGER": "cat"}
    return {**os.environ, **own, "TERM": "xterm", "PATH": "/usr/bin:/bin"}


def test_each_is_shown_and_done_with_as_the_person_says(
    shared_stage: Stage, environ: dict[str, str]
) -> None:
    stage = shared_stage
    names = ("first", "second", "third", "fourth")
    run = stage.run(*(task(name, writes(f"{name}.txt")) for name in names))
    argv = (sys.executable, "-m", "abreast", "land", run.id, "--review")
    with AtTerminal(Command(argv, env=environ), stage.repo.path) as person:
        person.until("---1of4---")
        person.until("firstisthere.")
        person.until("[q]uit")
        person.type("x\r")
        person.until("answerwithoneoftheletters")
        person.type("leave it\r")  # no letter, although it begins with one
        person.until("answerwithoneoftheletters")
        person.type("diff\r")
        person.until("+new")
        person.type("l\r")
        person.until(f"{run.id}/first:landed")
        person.until("---2of4---")
        person.type("b\r")
        person.until("Whatshoulditdo")
        person.type("Say more.\r")
        person.until("---3of4---")
        person.type("s\r")
        person.until("---4of4---")
        person.type("q\r")
        person.until(f"{run.id}/secondgoesonwithyourremark")
        assert person.ended() == 1
    after = {s.task: s for s in stage.wait(run.id).sessions}
    assert [after[name].landing for name in names] == [LandState.LANDED, *[LandState.NONE] * 3]
    assert [after[name].attempt for name in names] == [1, 2, 1, 1]
    assert after["second"].state is SessionState.DONE
    assert "first.txt" in stage.repo.git("ls-tree", "--name-only", "main").splitlines()
    assert "Say more." in (stage.directory(f"{run.id}/second") / "prompt.md").read_text()


def test_what_one_cannot_do_does_not_end_the_review_nor_lose_a_remark(
    shared_stage: Stage, environ: dict[str, str]
) -> None:
    stage = shared_stage
    by_command = AgentChoice("command", command="echo 1 > made.txt")
    run = stage.run(
        task("top", writes("top.txt"), needs=("base",)),
        task("base", writes("base.txt")),
        task("made", by_command),
    )
    argv = (sys.executable, "-m", "abreast", "land", run.id, "--review")
    with AtTerminal(Command(argv, env=environ), stage.repo.path) as person:
        person.until(f"---1of3---{run.id}/base")  # before what needs it
        person.until("[q]uit")
        stage.repo.git("checkout", "-q", "--detach")
        stage.repo.git("branch", "-q", "-m", "main", "gone")
        person.type("l\r")
        person.until("abreast:thereisnolocalbranchmain")
        person.until(f"---2of3---{run.id}/top")
        person.type("s\r")
        person.until("---3of3---")
        person.type("b\r")
        person.until("Whatshoulditdo")
        person.type("More.\r")
        person.until(f"{run.id}/madewasnotsentback.abreast:Command(anyprogram)hasno")
        person.until(f"hint:abreastretry{run.id}/made")
        assert person.ended() == 1


def test_interrupted_it_names_the_remarks_that_were_not_sent(
    shared_stage: Stage, environ: dict[str, str]
) -> None:
    stage = shared_stage
    run = stage.run(task("one", writes("one.txt")), task("two", writes("two.txt")))
    argv = (sys.executable, "-m", "abreast", "land", run.id, "--review")
    with AtTerminal(Command(argv, env=environ), stage.repo.path) as person:
        person.until("[q]uit")
        person.type("b\r")
        person.until("Whatshoulditdo")
        person.type("It's wrong.\r")
        person.until("---2of2---")
        person.until("[q]uit")
        person.press("\x04", f"notsent:abreastresume{run.id}/one-m'It'\"'\"'swrong.'")
        assert person.ended() == 130
    assert api.find_session(f"{run.id}/one", places=stage.places).attempt == 1


def test_without_a_terminal_it_asks_nobody(shared_stage: Stage, monkeypatch) -> None:
    stage = shared_stage
    run = stage.run(task("one", writes("one.txt")))
    monkeypatch.setenv("ABREAST_STATE_DIR", str(stage.places.state))
    monkeypatch.setenv("ABREAST_DB", stage.places.database)
    done = abreast("land", run.id, "--review")
    assert done.returncode == 2
    assert "`abreast show` prints the same pages" in done.stderr
    assert abreast("land", run.id, "--review", "--json").returncode == 2
    [session] = api.find_run(run.id, places=stage.places).sessions
    assert session.landing is LandState.NONE


def test_a_plan_can_wait_for_the_review(
    shared_stage: Stage, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing lands by itself; what was approved and then repaired is looked at again."""
    stage = shared_stage
    stage.repo.commit("notes", {"notes.txt": "first\n"})
    both = "printf 'first\\ntheirs\\nmine\\n' > notes.txt"
    agent = scripted(Shell("echo mine >> notes.txt"), EndTurn("done"), Shell(both), Say("solved"))
    plain = task("plain", writes("a.txt"))
    run = stage.run(task("one", agent, repairs=1), plain, land=LandMode.REVIEW)
    assert run.state is RunState.DONE
    assert {s.landing for s in run.sessions} == {LandState.NONE}
    for name in ("ABREAST_STATE_DIR", "ABREAST_DB"):
        monkeypatch.setenv(name, environ[name])
    said = " ".join(abreast("status", run.id).stdout.split())
    assert "2 tasks wait for your review; what you approve is merged into main" in said
    assert f"next: abreast land {run.id} --review to look at them and decide" in said
    stage.repo.commit("theirs", {"notes.txt": "first\ntheirs\n"})
    [one, other] = api.land(f"{run.id}/one", places=stage.places).sessions
    assert (one.state, one.landing, one.repairs) == (SessionState.DONE, LandState.NONE, 1)
    assert other.landing is LandState.NONE
    again = api.land(run.id, places=stage.places)
    assert {s.landing for s in again.sessions} == {LandState.LANDED}
    assert stage.repo.git("show", "main:notes.txt") == "first\ntheirs\nmine"
