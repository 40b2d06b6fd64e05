"""Agents that ABREAST_AGENTS names: what is wrong with a file is said with its name."""

import inspect
from pathlib import Path

import pytest

from abreast.agents import AGENTS
from abreast.errors import AgentError

TOY = Path(__file__).parent / "toy" / "agent.py"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "No such file"),
        ("raise RuntimeError('x')", r"RuntimeError\('x'\)"),
        ("AGENTS = 1", "AGENT"),
        ("from abreast.agents.command import AGENT", "there is an agent `command` already"),
    ],
)
def test_a_file_without_an_agent_is_named(
    text: str | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.py"
    if text is not None:
        file.write_text(text)
    monkeypatch.setenv("ABREAST_AGENTS", str(file))
    with pytest.raises(AgentError, match=f"{file} brings no agent: .*{why}") as wrong:
        list(AGENTS)
    assert "ABREAST_AGENTS names Python files" in (wrong.value.hint or "")


def test_no_two_have_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABREAST_AGENTS", f"{TOY}:{TOY}")
    with pytest.raises(AgentError, match="there is an agent `toy` already"):
        list(AGENTS)


def test_an_unfit_file_leaves_what_another_brought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABREAST_AGENTS", str(TOY))
    toy = AGENTS["toy"]
    monkeypatch.setenv("ABREAST_AGENTS", str(tmp_path / "missing.py"))
    with pytest.raises(AgentError, match="brings no agent"):
        list(AGENTS)
    assert inspect.getfile(type(toy)) == str(TOY)
