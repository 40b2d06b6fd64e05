"""Every hint is a command that works in the state that it is printed in."""

import re
import shlex
from collections.abc import Iterator

import pytest

from abreast.model.moves import Fail, Say
from abreast.model.session import SessionState
from abreast.model.task import AgentChoice
from abreast.places import find_places
from tests.cli.test_door import Screen, screen  # noqa: F401 (a fixture)
from tests.support.repos import Repo
from tests.support.stage import Stage, scripted, task, writes

# A verb, options, a name, an option, a text: what follows in the sentence is none of these.
COMMAND = re.compile(
    r"abreast ((?:attach|answer|clean|collect|diff|doctor|edit|land|logs|path|rescue|resume|retry"
    r"|run|settings|show|status|stop|tell|watch)\b(?: --?[a-z-]+)*(?: [a-z0-9]{5}(?:/[\w.#-]*\w)?)?"
    r'(?: --?[a-z-]+)*(?: "…")?)'
)


VERBS = ("attach", "edit", "path", "diff", "show", "land", "collect")


@pytest.fixture
def stage(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.chdir(repo.path)
    monkeypatch.setenv("SHELL", "true")
    monkeypatch.setenv("EDITOR", "true")
    with Stage(find_places().make(), repo) as made:
        yield made


def command(line: str) -> AgentChoice:
    return AgentChoice("command", command=line)


def test_every_hint_of_a_session_works(
    stage: Stage,
    screen: Screen,  # noqa: F811
) -> None:
    run = stage.run(
        task("said-no", scripted(Fail("no"))),
        task("exited", command("exit 3")),
        task("red", writes("red.txt"), verify="false"),
        task("red-command", command("echo x > x.txt"), verify="false"),
        task("setup", writes("setup.txt"), setup="false"),
        task("asks", scripted(Say("Should I use tabs or spaces?"))),
        task("asks-command", command("echo 'Tabs or spaces?'")),
        task("idle", command("true")),
        task("skipped", writes("next.txt"), needs=("said-no",)),
    )
    states = {session.task: session.state for session in run.sessions}
    assert states.pop("skipped") is SessionState.SKIPPED
    assert states.pop("asks") is states.pop("asks-command") is SessionState.BLOCKED
    assert {*states.values()} == {SessionState.FAILED}

    assert "Should I use tabs or spaces?" in screen.run("answer", f"{run.id}/asks", keys="s\n")
    refused, tried = {}, set()
    for session in run.sessions:
        texts = [session.hint, *(screen.run(verb, session.id) for verb in VERBS)]
        for found in {line for text in texts for line in COMMAND.findall(text)}:
            keys = "s\n" if found.startswith("answer") else ""
            said = screen.run(*shlex.split(found), keys=keys)
            stage.wait(run.id)
            tried.add(found.split()[0])
            if "abreast: " in said:  # how an error begins
                refused[found] = said
    assert refused == {}
    assert "is a run, not a session" in (wrong := screen.run("show", run.id))
    assert f"abreast status {run.id} lists its sessions" in wrong
    assert tried >= {"answer", "logs", "resume", "attach", "status"}
    asked = stage.session(f"{run.id}/asks")
    assert asked.attempt > 1, "it was answered"
