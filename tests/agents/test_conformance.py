"""Every adapter passes one suite, and with the real CLI does one small piece of work."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.agents.conformance")

from abreast.agents import (  # noqa: E402
    AGENTS,
    DEFAULT,
    agent_named,
    connectable,
    hooked,
    modelled,
)
from abreast.agents.base import Agent  # noqa: E402
from abreast.errors import NotFoundError  # noqa: E402
from abreast.loopback.server import Loopback  # noqa: E402
from abreast.model.events import EventKind, Outcome  # noqa: E402
from abreast.model.moves import Say, Scenario, Spend, Write  # noqa: E402
from abreast.model.task import AgentChoice  # noqa: E402
from tests.agents.conformance import AgentConformance, damaged, judge  # noqa: E402
from tests.support.clis import PINNED, Ran, cli_environ, make_launch, run_cli  # noqa: E402
from tests.support.repos import make_repo  # noqa: E402

MOVES = (
    Spend(900, 100, 40),
    Write("made.txt", "by hand\n"),
    Spend(1000, 200, 30),
    Say("All is done."),
)


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
class TestConformance(AgentConformance):
    """All of the suite, for all agents."""


def test_agents_are_known_by_name() -> None:
    assert list(AGENTS) == ["claude", "codex", "gemini", "command", "scripted"]
    assert all(agent_named(name).name == name for name in AGENTS)


def test_those_that_ask_a_model_have_every_part_and_are_known_without_looking() -> None:
    assert modelled() == tuple(n for n, agent in AGENTS.items() if agent.capabilities.model)
    assert connectable() == tuple(n for n, agent in AGENTS.items() if agent.connection)
    assert hooked() == tuple(n for n, agent in AGENTS.items() if agent.ending_hook)
    assert next(iter(AGENTS)) == DEFAULT  # as plans take it


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(NotFoundError) as near:
        agent_named("Cluade")
    assert near.value.hint == "did you mean `claude`?"
    with pytest.raises(NotFoundError) as far:
        agent_named("zzz")
    assert far.value.hint == "agents are: claude, codex, gemini, command, scripted"


def test_importing_the_agents_is_light() -> None:
    code = "import abreast.agents, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {"pydantic", "sqlalchemy", "asyncio", "dbos", "typer", "rich", "psutil"}
    assert not heavy & set(loaded.stdout.split())


@pytest.fixture(scope="module", params=[*PINNED, "scripted"])
def stream(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Agent, Ran]:
    """One real session of each agent: a file written, a last word, usage stated."""
    agent = agent_named(request.param)
    folder = tmp_path_factory.mktemp(agent.name)
    repo = make_repo(folder / "repo")
    with Loopback([Scenario("small-piece-of-work", MOVES)]) as loopback:
        environ = cli_environ(agent, loopback.url, folder / "home")
        choice = AgentChoice(agent.name, moves=MOVES if agent.name == "scripted" else ())
        launch = make_launch(
            agent,
            environ,
            folder / "session",
            repo.path,
            prompt="small-piece-of-work",
            choice=choice,
        )
        done = run_cli(agent, launch)
    assert (repo.path / "made.txt").exists(), (done.verdict, done.lines, done.stderr)
    assert (repo.path / "made.txt").read_text() == "by hand\n"
    return agent, done


@pytest.mark.clis
class TestRealStream:
    """What a real CLI printed, whole and damaged."""

    def test_success_is_read_from_it(self, stream: tuple[Agent, Ran]) -> None:
        _, done = stream
        verdict = done.verdict
        assert (verdict.outcome, verdict.reason, verdict.denials) == (Outcome.OK, "", ())
        assert verdict.final_message == "All is done."
        assert verdict.cli_session == done.of(EventKind.STARTED)[0].text
        assert verdict.turns == sum(event.turns for event in done.events) == 2
        assert any(Path(name).name == "made.txt" for event in done.events for name in event.files)
        assert done.reader.skipped == 0

    def test_usage_is_what_the_model_server_stated(self, stream: tuple[Agent, Ran]) -> None:
        _, done = stream
        usage = done.verdict.usage
        assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (1900, 300, 70)

    def test_a_killed_process_is_no_success(self, stream: tuple[Agent, Ran]) -> None:
        agent, done = stream
        assert judge(agent, done.lines, -9).outcome is not Outcome.OK

    def test_a_torn_stream_is_no_success(self, stream: tuple[Agent, Ran]) -> None:
        agent, done = stream
        for kept in range(len(done.lines)):
            whole, torn = done.lines[:kept], done.lines[kept]
            assert judge(agent, [*whole, torn[: len(torn) // 2]], -9).outcome is not Outcome.OK

    def test_a_stream_without_its_end_is_no_success(self, stream: tuple[Agent, Ran]) -> None:
        agent, done = stream
        assert judge(agent, done.lines[:-1], 0).outcome is not Outcome.OK

    def test_noise_between_the_lines_changes_nothing(self, stream: tuple[Agent, Ran]) -> None:
        agent, done = stream
        reader = agent.reader()
        for line in done.lines:
            for part in (b"npm warn: noise\n", line, b'{"type": "not.yet.invented"}\n'):
                list(reader.feed(part))
        assert reader.verdict(0, "") == done.verdict
        assert reader.skipped == 2 * len(done.lines)

    def test_no_damaged_field_breaks_the_reader(self, stream: tuple[Agent, Ran]) -> None:
        """Vendors change their formats: any part of any line may go or change its type."""
        agent, done = stream
        for number, line in enumerate(done.lines):
            for wrong in damaged(json.loads(line)):
                changed = json.dumps(wrong).encode() + b"\n"
                lines = [*done.lines[:number], changed, *done.lines[number + 1 :]]
                verdict = judge(agent, lines, 0)
                assert isinstance(verdict.final_message, str), changed
                assert isinstance(verdict.reason, str), changed
