"""Any program as an agent: its exit code is its word."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from abreast.agents.base import Launch
from abreast.agents.command import AGENT
from abreast.errors import AgentError
from abreast.model.cause import Cause
from abreast.model.events import EventKind, Outcome
from abreast.model.task import AgentChoice
from tests.support.clis import base_environ, make_launch, run_cli
from tests.support.repos import Repo

Start = Callable[..., Launch]


@pytest.fixture
def launch(tmp_path: Path, repo: Repo) -> Start:
    def start(command: str, **more: Any) -> Launch:
        environ = base_environ(tmp_path / "home")
        choice = AgentChoice("command", command)
        return make_launch(AGENT, environ, tmp_path / "session", repo.path, choice=choice, **more)

    return start


def test_the_prompt_is_on_stdin_and_in_a_file(launch: Start, repo: Repo) -> None:
    prompt = "write ünïcode\nin two lines\n"
    done = run_cli(
        AGENT, launch('cat > a; cat "$ABREAST_PROMPT_FILE" > b; echo made', prompt=prompt)
    )
    assert (done.verdict.outcome, done.verdict.final_message) == (Outcome.OK, "made")
    assert (repo.path / "a").read_text() == (repo.path / "b").read_text() == prompt


def test_lines_become_events_and_the_last_ones_the_final_message(launch: Start) -> None:
    done = run_cli(AGENT, launch("seq 1 50; echo; echo end"))
    assert [e.text for e in done.of(EventKind.TEXT)][:2] == ["1", "2"]
    assert done.verdict.final_message.splitlines()[0] == "33"
    assert done.verdict.final_message.splitlines()[-1] == "end"


def test_a_failure_says_its_code_and_what_the_program_said(launch: Start) -> None:
    verdict = run_cli(AGENT, launch("echo no such thing >&2; exit 3")).verdict
    assert (verdict.outcome, verdict.cause) == (Outcome.FAILED, Cause.OTHER)
    assert verdict.reason == "the command exited with 3: no such thing"


def test_a_signal_is_named(launch: Start) -> None:
    verdict = run_cli(AGENT, launch("echo half; kill -TERM $$")).verdict
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason == "the command was ended by SIGTERM: half"


def test_a_lost_command_is_unknown() -> None:
    assert AGENT.reader().verdict(None, "").outcome is Outcome.UNKNOWN


def test_a_command_past_its_deadline_is_killed_with_what_it_started(launch: Start) -> None:
    done = run_cli(AGENT, launch("setsid sleep 3600 & sleep 3600"), deadline=0.3)
    assert (done.late, done.code, done.verdict.outcome) == (True, -9, Outcome.FAILED)


def test_a_very_long_line_is_cut(launch: Start) -> None:
    done = run_cli(AGENT, launch("head -c 3000000 /dev/zero | tr '\\0' x"))
    assert len(done.verdict.final_message) == 2000
    assert max(len(e.text) for e in done.events) == 2000


def test_there_is_nothing_to_resume(launch: Start) -> None:
    with pytest.raises(AgentError, match="no session to continue"):
        AGENT.headless(launch("true", resume=True))


def test_without_a_command_it_says_so(launch: Start) -> None:
    with pytest.raises(AgentError, match="no command"):
        AGENT.headless(launch(""))
