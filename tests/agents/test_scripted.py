"""The built-in agent does what its moves say, and tells it as any CLI would."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from abreast.agents.base import Launch
from abreast.agents.scripted import AGENT
from abreast.errors import AgentError
from abreast.model.events import EventKind, Outcome
from abreast.model.moves import (
    Call,
    Drop,
    Edit,
    Fail,
    Hang,
    HttpError,
    Move,
    Read,
    Say,
    Shell,
    Sleep,
    Spend,
    Write,
)
from abreast.model.task import AgentChoice
from abreast.model.usage import Usage
from tests.support.clis import Ran, base_environ, make_launch, run_cli, run_command
from tests.support.repos import Repo

Start = Callable[..., Launch]


@pytest.fixture
def launch(tmp_path: Path, repo: Repo) -> Start:
    def start(*moves: Move, **more: Any) -> Launch:
        environ = base_environ(tmp_path / "home")
        choice = AgentChoice("scripted", moves=moves)
        return make_launch(AGENT, environ, tmp_path / "session", repo.path, choice=choice, **more)

    return start


def texts(done: Ran, kind: EventKind) -> list[str]:
    return [event.text for event in done.of(kind)]


def test_moves_are_done_and_told(launch: Start, repo: Repo) -> None:
    moves = (
        Say("to work"),
        Write("new/a.txt", "ä\r\n"),
        Edit("src/app.py", "hello", "hi"),
        Read("README.md"),
        Shell("cat README.md && echo out > made"),
        Sleep(0),
        Say("all done"),
    )
    done = run_cli(AGENT, launch(*moves, prompt="do it", cli_session="id-1"))
    assert (done.verdict.outcome, done.verdict.final_message) == (Outcome.OK, "all done")
    assert (done.verdict.cli_session, done.verdict.turns, done.reader.skipped) == ("id-1", 5, 0)
    assert (repo.path / "new/a.txt").read_bytes() == "ä\r\n".encode()
    assert "return 'hi'" in (repo.path / "src/app.py").read_text()
    assert (repo.path / "made").read_text() == "out\n"
    assert texts(done, EventKind.TEXT) == ["to work", "all done"]
    assert texts(done, EventKind.TOOL) == [
        "write new/a.txt",
        "edit src/app.py",
        "read README.md",
        "shell cat README.md && echo out > made",
    ]
    assert texts(done, EventKind.TOOL_DONE) == ["", "", "# demo\n", "# demo\n"]
    assert [e.files for e in done.of(EventKind.TOOL)] == [("new/a.txt",), ("src/app.py",), (), ()]


def test_usage_is_a_running_total_and_unknown_when_unstated(launch: Start) -> None:
    moves = (Spend(100, 40, 5), Write("a", ""), Spend(10, 0, 1), Say("x"))
    done = run_cli(AGENT, launch(*moves))
    assert [e.usage and e.usage.input_tokens for e in done.events if e.turns] == [100, 110]
    assert done.verdict.usage == Usage(110, 40, 6, None, "stream")
    assert run_cli(AGENT, launch(Say("x"))).verdict.usage == Usage()


def test_a_tool_that_fails_is_told_and_the_script_goes_on(launch: Start) -> None:
    moves = (Edit("README.md", "absent", ""), Read("absent"), Shell("exit 3"), Say("went on"))
    done = run_cli(AGENT, launch(*moves))
    assert [e.failed for e in done.of(EventKind.TOOL_DONE)] == [True, True, True]
    assert (done.verdict.outcome, done.verdict.final_message) == (Outcome.OK, "went on")


@pytest.mark.parametrize("path", ["../escape", "/dev/shm/escape", "link/escape"])
def test_a_path_outside_the_worktree_is_denied_and_blocks(
    launch: Start, repo: Repo, path: str
) -> None:
    (repo.path / "link").symlink_to(repo.path.parent)
    done = run_cli(AGENT, launch(Write(path, "x")))
    assert done.verdict.outcome is Outcome.BLOCKED
    assert done.verdict.denials == (f"{path} is outside the worktree",)
    assert not (repo.path / path).exists()


def test_a_failure_has_its_message_as_reason(launch: Start, repo: Repo) -> None:
    done = run_cli(AGENT, launch(Write("a", ""), Fail("out of luck"), Write("b", "")))
    assert (done.code, done.verdict.outcome, done.verdict.reason) == (
        1,
        Outcome.FAILED,
        "out of luck",
    )
    assert (repo.path / "a").exists()
    assert not (repo.path / "b").exists()


def test_without_words_it_says_done(launch: Start) -> None:
    assert run_cli(AGENT, launch()).verdict.final_message == "Done."


def test_a_killed_script_is_unknown_and_resumes_after_its_last_move(
    launch: Start, repo: Repo
) -> None:
    moves = (Shell("echo x >> log"), Shell("test -e go || kill -9 $PPID"), Shell("echo y >> log"))
    killed = run_cli(AGENT, launch(*moves, cli_session="id-1"))
    assert (killed.code, killed.verdict.outcome) == (-9, Outcome.UNKNOWN)
    (repo.path / "go").touch()
    resumed = run_cli(AGENT, launch(*moves, cli_session="id-1", resume=True))
    assert (resumed.verdict.outcome, resumed.verdict.cli_session) == (Outcome.OK, "id-1")
    assert (repo.path / "log").read_text() == "x\ny\n"


def test_a_fresh_start_begins_again(launch: Start, repo: Repo) -> None:
    for _ in range(2):
        run_cli(AGENT, launch(Shell("echo x >> log")))
    assert (repo.path / "log").read_text() == "x\nx\n"


def test_at_a_terminal_it_speaks_plainly_and_asks_for_no_prompt(launch: Start) -> None:
    start = launch(Say("hello"), Write("a", ""), Say("bye"))
    done = run_command(AGENT, AGENT.interactive(start), start)
    assert b"".join(done.lines) == b"hello\nwrite a\nbye\n"


@pytest.mark.parametrize("move", [HttpError(500), Drop(), Hang(), Call("x", {})])
def test_moves_of_the_loopback_are_refused(launch: Start, move: Move) -> None:
    with pytest.raises(AgentError, match=f"cannot play {type(move).__name__}"):
        AGENT.headless(launch(move))


def test_a_death_after_the_result_is_no_success() -> None:
    reader = AGENT.reader()
    reader.feed(b'{"type": "result", "ok": true, "text": "done", "usage": null}\n')
    assert reader.verdict(0, "").outcome is Outcome.OK
    assert reader.verdict(-9, "").outcome is Outcome.FAILED


def test_the_player_starts_with_next_to_no_imports(launch: Start) -> None:
    """1,000 of them are started: each of these modules costs as much as the whole script."""
    start = launch(Write("a", ""), Say("x"))
    command = AGENT.headless(start)
    python, *rest = command.argv
    timed = replace(command, argv=(python, "-X", "importtime", *rest))
    done = run_command(AGENT, timed, start)
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert {"json", "os"} <= imported
    assert not imported & {"site", "typing", "dataclasses", "subprocess", "pathlib", "abreast"}
