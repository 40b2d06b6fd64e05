"""The verb: it shows, asks and tells."""

import json

import pytest

from abreast.agents.base import Command
from tests.support.terminal import AtTerminal
from tests.support.users import PROGRAM, tree, user

pytestmark = pytest.mark.clis


@pytest.fixture
def ada(tmp_path):
    ada = user("codex", tmp_path)  # the quickest
    ada.has_config()
    return ada


def test_without_a_terminal_it_only_shows(ada):
    before = tree(ada.home)
    done = ada.abreast()
    assert done.returncode == 1
    assert done.stdout.startswith(f"--- {ada.config}\n+++ {ada.config}\n")
    assert "+[mcp_servers.abreast]" in done.stdout
    assert "s3cret" not in done.stdout
    assert done.stderr == "nothing was changed; `--yes` does it without asking\n"
    assert tree(ada.home) == before
    assert not ada.state.exists()


def test_yes_and_twice_and_back(ada):
    before = tree(ada.home)
    done = ada.abreast("--yes")
    assert (done.returncode, done.stderr) == (
        0,
        "codex is connected (user); its next session has the tools\n",
    )
    assert ada.abreast().stderr == "codex is connected already (user); nothing to change\n"
    gone = ada.abreast("--remove", "--yes")
    assert (gone.returncode, gone.stderr) == (
        0,
        "codex is no longer connected (user); its next session is without the tools\n",
    )
    assert tree(ada.home) == before
    again = ada.abreast("--remove")
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == "codex is not connected (user); nothing to change\n"


def test_json(ada):
    shown = ada.abreast("--json")
    assert shown.returncode == 1
    document = json.loads(shown.stdout)
    assert document["applied"] is False
    assert document["schema"] == 1
    assert [change["action"] for change in document["changes"]] == ["change", "create"]
    done = json.loads(ada.abreast("--json", "--yes").stdout)
    assert (done["agent"], done["scope"], done["applied"]) == ("codex", "user", True)


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_at_a_terminal_it_asks(ada, answer, code):
    argv = (str(PROGRAM), "connect", "codex")
    with AtTerminal(Command(argv, ada.environ), ada.home) as terminal:
        terminal.until("Change your files so? [y/N]:")
        terminal.press(f"{answer}\r", lambda: terminal.process.poll() is not None)
        assert terminal.ended() == code
    assert ada.skill.exists() == (code == 0)


def test_errors_are_told_with_a_hint(ada):
    ada.has_config("a = ")
    done = ada.abreast("--yes")
    assert done.returncode == 1
    assert "cannot be edited" in done.stderr
    assert "hint: nothing was changed" in done.stderr
