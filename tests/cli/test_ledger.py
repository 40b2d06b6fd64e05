"""`abreast ledger` at a terminal of 80 columns, and as JSON."""

import json
import os
import shutil

import pytest

from abreast.cli.edge import guard
from tests.cli.test_door import OURS, screen  # noqa: F401 (a fixture)
from tests.support.recorded_homes import install


@pytest.fixture
def home(tmp_path, monkeypatch, set_zone):
    set_zone("UTC")
    for name in [name for name in os.environ if name.startswith(("CLAUDE", "CODEX", "GEMINI"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ABREAST_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("ABREAST_DB", raising=False)
    for agent in ("claude", "codex", "gemini"):
        install(tmp_path, agent, "subagents")
        install(tmp_path, agent, "plain")
    return tmp_path


def test_a_terminal_of_80_columns(home, screen):  # noqa: F811
    screen.resize(80)
    for by in ("day", "session", "run", "agent", "model"):
        lines = OURS.sub("", screen.run("ledger", "--by", by)).splitlines()
        assert screen.code == 0
        assert max(map(len, lines)) <= 80
        assert lines[0].startswith(by)
        assert lines[1].endswith("█")
        assert "6 delegations: 6 loss; net -18k tokens" in lines
        assert lines[-1] == "~ estimate by price lists of 2026-11-22; + models without a price"


def test_agents(home, capsys):
    assert guard(["ledger", "--by", "agent"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:6] for line in lines[1:5]] == [
        ["claude", "2", "16", "35k", "22k", "746"],
        ["codex", "2", "17", "35k", "25k", "614"],
        ["gemini", "2", "15", "34k", "20k", "728"],
        ["total", "6", "48", "104k", "67k", "2.1k"],
    ]
    costs = {line.split()[0]: line.split()[6] for line in lines[1:5]}
    assert costs["claude"].startswith("$"), "stated by the CLI itself"
    assert costs["gemini"].startswith("~$")
    assert costs["codex"].startswith("~$")
    assert costs["codex"].endswith("+"), "the house's own model has no price"


def test_json(home, capsys):
    assert guard(["ledger", "--by", "session", "--since", "2026-11-22", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == 1
    assert (told["by"], len(told["rows"]), len(told["delegations"])) == ("session", 6, 6)
    assert told["total"]["input_tokens"] == sum(row["input_tokens"] for row in told["rows"])
    assert {one["worth"] for one in told["delegations"]} == {"loss"}
    assert all(
        one["net"] == one["kept_out"] - one["start_up"] - one["summary"]
        for one in told["delegations"]
    )
    assert told["prices"] == "2026-11-22"


def test_nothing_and_nonsense(home, capsys):
    assert guard(["ledger", "--since", "2099-01-01"]) == 0
    assert capsys.readouterr() == ("", "no session has used anything since 2099-01-01 00:00\n")
    assert guard(["ledger", "--since", "soon"]) == 1
    assert capsys.readouterr().err == (
        "abreast: `soon` is not a time or a span\nhint: such as 12h, 7d, 2w or 2026-11-01\n"
    )
    assert guard(["ledger", "--by", "colour"]) == 2
    capsys.readouterr()
    for folder in (".claude", ".codex", ".gemini"):
        shutil.rmtree(home / folder)
    shutil.rmtree(home / "state")
    assert guard(["ledger"]) == 0
    assert capsys.readouterr() == (
        "",
        "there is no record of a session of Claude Code, Codex CLI or Gemini CLI\n",
    )


def test_a_net_that_is_not_known_is_none(home, capsys):
    shutil.rmtree(home / ".codex")
    shutil.rmtree(home / ".gemini")
    for parent in (home / ".claude/projects").glob("*/*.jsonl"):
        parent.unlink()
    assert guard(["ledger"]) == 0
    assert "2 delegations: 2 unknown; net - tokens" in capsys.readouterr().out
