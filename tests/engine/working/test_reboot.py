"""Everything is killed at once, as by a machine restart: one `resume` goes on with all of it."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from abreast import api
from abreast.cli.edge import guard
from abreast.engine.common.worker_process import ensure_worker
from abreast.errors import StateError
from abreast.model.moves import Say, Shell, Write
from abreast.model.session import LandMode, LandState, Run, RunState, SessionState
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, until, writes


class Gate:
    """What everybody who passes writes into a journal before waiting until it is opened."""

    def __init__(self, folder: Path) -> None:
        self._journal, self._gate = folder / "journal", folder / "gate"

    def line(self, word: str) -> str:
        """Return a command that passes here."""
        return "; ".join(move.command for move in self.moves(word))

    def moves(self, word: str) -> tuple[Shell, Shell]:
        """Return what makes an agent pass here; one that goes on begins with the second."""
        return Shell(f"echo {word} >> {self._journal}"), until(self._gate)

    def passed(self) -> list[str]:
        return self._journal.read_text().splitlines() if self._journal.exists() else []

    def expect(self, word: str) -> None:
        eventually(lambda: word in self.passed(), f"{word} in the journal")

    def open(self) -> None:
        self._gate.touch()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def resumed(stage: Stage, run: str) -> Run:
    """Resume a run once, and return it when it has ended."""
    api.resume(run, places=stage.places)
    ended = stage.wait(run)
    assert ended.state is RunState.DONE, [(s.id, s.state, s.reason) for s in ended.sessions]
    return ended


def test_agents_go_on_in_their_sessions(stage: Stage, gate: Gate) -> None:
    run = stage.start(
        task("one", scripted(Write("half.txt", "h"), *gate.moves("one"), Write("b.txt", "b"))),
        task("two", writes("two.txt"), needs=("one",)),
        max_parallel=1,
    )
    gate.expect("one")
    before = stage.until(f"{run.id}/one", lambda session: session.cli_session)
    stage.kill_everything()
    assert before.state is SessionState.RUNNING
    gate.open()
    one, two = resumed(stage, run.id).sessions
    assert gate.passed() == ["one"], "it went on after what it had done"
    assert (one.attempt, one.cli_session) == (2, before.cli_session)
    assert (two.attempt, two.state) == (1, SessionState.DONE), "nobody skipped it meanwhile"
    assert one.files == ("b.txt", "half.txt")
    states = stage.events(one.id, "state")
    lost = "unknown: its supervisor was killed (machine restart or kill -9)"
    assert states.index(lost) + 1 == states.index("queued: attempt 2")
    assert "failed" not in stage.events(run.id, "state"), "the run has not ended in between"
    kept = stage.repo.git("show", f"refs/abreast/snap/{one.id}:half.txt")
    assert kept == "h"
    assert (stage.places.sessions / one.id / "1" / "handoff.md").exists()


@pytest.fixture
def abreast(
    local_stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """The command line in the stage's own state folder; returns all that it prints."""
    monkeypatch.setenv("ABREAST_STATE_DIR", str(local_stage.places.state))

    def call(*arguments: str) -> str:
        guard(arguments)
        return " ".join("".join(capsys.readouterr()).split())

    return call


def test_until_somebody_resumes_it_every_face_says_that_nobody_works_on_it(
    local_stage: Stage, gate: Gate, abreast: Callable[..., str]
) -> None:
    stage = local_stage
    run = stage.start(task("one", scripted(*gate.moves("one"), Write("a.txt", "a"))))
    gate.expect("one")
    stage.until(f"{run.id}/one", lambda session: session.cli_session)
    assert "nobody" not in abreast("status")
    stage.kill_everything()

    said = abreast("status")
    assert f"run {run.id}: running, but nobody works on it: its worker has died" in said
    assert f"next: abreast resume {run.id} to go on with it" in said
    assert said == abreast("status"), "no time passes for it"
    assert "unattended" in abreast("status", "--all")
    [told] = json.loads(abreast("status", "--json"))["runs"]
    assert (told["state"], told["attendance"]) == ("running", "nobody")
    assert told["created"] < told["last_sign"] < time.time()
    handoff = abreast("handoff", f"{run.id}/one")
    assert "Nobody works on it: it was running when its worker and its processes died" in handoff
    steps = handoff.partition("## Next step")[2]
    assert steps.find(f"`abreast resume {run.id}` continues where it stopped") in range(6), steps

    gate.open()
    done = abreast("resume", run.id)
    assert f"run {run.id}: done" in done
    assert "nobody" not in abreast("status")
    [told] = json.loads(abreast("status", "--json"))["runs"]
    assert (told["attendance"], told["last_sign"]) == ("not needed", None)


def test_what_is_refused_then_names_a_command_that_works(
    local_stage: Stage, gate: Gate, abreast: Callable[..., str]
) -> None:
    """Each hint is followed to the letter, one after another, on the same dead run."""
    stage = local_stage
    run = stage.start(task("one", scripted(*gate.moves("one"), Write("a.txt", "a"))))
    one = f"{run.id}/one"
    gate.expect("one")
    stage.until(one, lambda session: session.cli_session)
    stage.kill_everything()
    gate.open()
    assert f"unattended: abreast resume {run.id}" in abreast("clean")
    with pytest.raises(StateError, match=f"{one} is running, but nobody works on it") as refused:
        api.attach(one, places=stage.places)
    said = abreast("land", run.id)
    assert f"run {run.id} has not ended: it is running, but nobody works on it" in said
    assert stage.session(one).state is SessionState.RUNNING, "to be refused changes nothing"

    stop = commands_in(str(refused.value.hint))
    assert stop == [("stop", one)]
    assert f"{one}: stopped" in abreast(*stop[0])
    api.attach(one, places=stage.places)
    api.close_session(one, places=stage.places)
    [resume] = commands_in(said.partition("hint: ")[2])
    assert resume == ("resume", run.id)
    assert f"run {run.id}: done" in abreast(*resume)
    [land] = commands_in(abreast("status").partition("next: ")[2])
    assert f"{run.id}: done" in abreast(*land)
    assert stage.session(one).landing is LandState.LANDED


def commands_in(hint: str) -> list[tuple[str, ...]]:
    """The commands that a hint names, as the arguments of each."""
    return [tuple(found.split()) for found in re.findall(r"abreast (\w+ [\w/]+)", hint)]


def test_watch_of_what_nobody_works_on_finds_out_what_is_left(
    local_stage: Stage, gate: Gate, abreast: Callable[..., str]
) -> None:
    stage = local_stage
    run = stage.start(task("one", scripted(*gate.moves("one"), Write("a.txt", "a"))))
    gate.expect("one")
    stage.until(f"{run.id}/one", lambda session: session.cli_session)
    stage.kill_everything()
    said = abreast("watch", run.id)
    assert f"run {run.id} has no worker: it has died; another one is started" in said
    assert "one unknown: its supervisor was killed" in said
    assert f"next: abreast resume {run.id}" in said


def test_retry_of_a_session_without_a_process_starts_it_afresh(
    local_stage: Stage, gate: Gate
) -> None:
    stage = local_stage
    run = stage.start(task("one", scripted(Write("a.txt", "a"), *gate.moves("one"))))
    gate.expect("one")
    before = stage.until(f"{run.id}/one", lambda session: session.cli_session)
    stage.kill_everything()
    gate.open()
    api.retry(f"{run.id}/one", places=stage.places)
    ended = stage.wait(run.id)
    assert ended.state is RunState.DONE, ended.sessions[0].reason
    assert gate.passed() == ["one", "one"]
    assert ended.sessions[0].cli_session != before.cli_session


@pytest.mark.parametrize("command", ["setup", "verify"])
def test_a_command_of_the_plan_is_run_again(stage: Stage, gate: Gate, command: str) -> None:
    lines = {command: f"echo left > {command}.txt; {gate.line(command)}; rm {command}.txt"}
    run = stage.start(task("one", writes("new.txt"), **lines))
    gate.expect(command)
    stage.kill_everything()
    gate.open()
    [session] = resumed(stage, run.id).sessions
    assert gate.passed() == [command, command]
    assert session.attempt == 1, "its agent has done its work, and is not asked again"
    assert stage.repo.git("show", "--name-only", "--format=", session.branch) == "new.txt"


def test_a_command_that_is_lost_twice_ends_the_session(local_stage: Stage, gate: Gate) -> None:
    stage = local_stage
    run = stage.start(task("one", writes("new.txt"), verify=gate.line("verify")))
    for count in (1, 2):
        eventually(lambda n=count: len(gate.passed()) == n, f"{count} tries")
        stage.kill_everything()
        ensure_worker(stage.places)
    ended = stage.wait(run.id)
    assert ended.state is RunState.FAILED
    assert ended.sessions[0].state is SessionState.UNKNOWN
    assert ended.sessions[0].reason.startswith("verify failed: its supervisor was killed")
    assert gate.passed() == ["verify", "verify"]
    gate.open()
    assert resumed(stage, run.id).sessions[0].attempt == 2


def test_a_landing_goes_on(stage: Stage, gate: Gate) -> None:
    verify = (
        f"test ! -e two.txt || ! git show-ref -q refs/heads/other || {{ {gate.line('trial')}; }}"
    )
    run = stage.run(task("one", writes("one.txt")), task("two", writes("two.txt"), verify=verify))
    stage.repo.git("branch", "other")
    api.request_landing(run.id, LandMode.MERGE, places=stage.places)
    gate.expect("trial")
    stage.kill_everything()
    assert api.find_run(run.id, places=stage.places).state is RunState.LANDING
    gate.open()
    ended = resumed(stage, run.id)
    assert {session.landing for session in ended.sessions} == {LandState.LANDED}
    assert gate.passed() == ["trial", "trial"]
    assert {"one.txt", "two.txt"} <= set(stage.repo.git("ls-tree", "--name-only", "main").split())


def test_a_delegation_goes_on(stage: Stage, gate: Gate) -> None:
    answer = scripted(*gate.moves("asked"), Say(json.dumps({"text": "It is blue."})))
    run = api.start_delegation(
        "Which colour?",
        returns="text",
        agent=answer,
        repo=stage.repo.path,
        places=stage.places,
    )
    gate.expect("asked")
    stage.until(run.sessions[0].id, lambda s: s.cli_session)  # else it is asked afresh
    stage.kill_everything()
    gate.open()
    resumed(stage, run.id)
    [found] = api.collect(run.id, wait=True, places=stage.places)
    assert (found.outcome, found.text) == ("ok", "It is blue.")
    assert gate.passed() == ["asked"]
