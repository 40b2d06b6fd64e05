"""The session-end hook: put into a CLI's own configuration and taken out, to the last byte."""

import json
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from abreast import api
from abreast.agents.parts import told
from abreast.engine.client.connect.ending_hook import ended
from abreast.errors import AgentError, NotFoundError, StateError
from abreast.handoff.page import read_header
from abreast.places import Places
from tests.support.handoffs import RECORDED
from tests.support.users import tree

CLAUDE = """\
{
    "model": "opus",
  "hooks": {
      "SessionEnd": [
          // mine
          {"hooks": [{"type": "command", "command": "TOKEN=s3cret mine"}]}
      ], "Stop": []
  }
}
"""
CODEX = """\
# my config
model   = "gpt-5.5"   # fav

[[hooks.SessionEnd]]
hooks = [ { type = "command", command = "TOKEN=s3cret mine" } ]   # mine

[projects."/x"]
trust_level = "trusted"
"""
CONFIGS = {
    "claude": (".claude/settings.json", CLAUDE),
    "codex": (".codex/config.toml", CODEX),
    "gemini": (".gemini/settings.json", CLAUDE.replace("\n", "\r\n")),
}


@dataclass(frozen=True)
class User:
    """Somebody with one CLI and a HOME."""

    agent: str
    home: Path
    places: Places

    @property
    def config(self) -> Path:
        return self.home / CONFIGS[self.agent][0]

    @property
    def environ(self) -> dict[str, str]:
        return {"HOME": str(self.home), "PATH": "/usr/bin:/bin"}

    def hook(self, **more):
        return api.hook_handoff(self.agent, environ=self.environ, places=self.places, **more)

    def has(self, text: str) -> None:
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_bytes(text.encode())
        self.config.chmod(0o640)

    def groups(self) -> list:
        text = self.config.read_text()
        if self.agent == "codex":
            return tomllib.loads(text)["hooks"]["SessionEnd"]
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("//")]
        return json.loads("\n".join(lines))["hooks"]["SessionEnd"]

    def ours(self) -> list[dict]:
        found = [group["hooks"][0] for group in self.groups()]
        return [one for one in found if "--hooked" in one["command"]]


@pytest.fixture(params=list(CONFIGS))
def ada(request, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return User(request.param, home, Places(tmp_path / "state", ""))


def test_it_is_added_and_taken_out_exactly(ada):
    ada.has(CONFIGS[ada.agent][1])
    before = tree(ada.home)
    done = ada.hook()
    assert done.applied
    assert [change.action for change in done.changes] == ["change"]
    [ours] = ada.ours()
    assert len(ada.groups()) == 2
    assert shlex.split(ours["command"])[-3:] == ["handoff", "--hooked", ada.agent]
    assert Path(shlex.split(ours["command"])[0]).is_absolute()
    assert ada.config.stat().st_mode & 0o777 == 0o640
    assert ada.hook(remove=True).applied
    assert tree(ada.home) == before
    assert not (ada.places.state / "connections").exists()


def test_without_a_configuration_there_is_none_afterwards(ada):
    before = tree(ada.home)
    assert ada.hook().changes[0].action == "create"
    assert len(ada.ours()) == 1
    assert ada.hook(remove=True).changes[0].action == "remove"
    assert tree(ada.home) == before


def test_doing_it_twice_changes_nothing(ada):
    ada.has(CONFIGS[ada.agent][1])
    ada.hook()
    once = tree(ada.home)
    again = ada.hook()
    assert (again.changes, again.applied) == ((), False)
    assert tree(ada.home) == once
    ada.hook(remove=True)
    assert ada.hook(remove=True).changes == ()


def test_what_is_shown_is_the_change_and_no_foreign_value(ada):
    ada.has(CONFIGS[ada.agent][1])
    shown = []
    refused = ada.hook(confirm=lambda asked: bool(shown.append(asked)))
    assert not refused.applied
    assert ada.config.read_bytes().decode() == CONFIGS[ada.agent][1]
    [change] = shown[0].changes
    assert f"handoff --hooked {ada.agent}" in change.diff
    assert "s3cret" not in change.diff
    assert all(line[0] in "+- @" for line in change.diff.splitlines())


def test_what_was_edited_since_stays(ada):
    ada.has(CONFIGS[ada.agent][1])
    ada.hook()
    text = ada.config.read_bytes().decode().replace("opus", "haiku").replace("gpt-5.5", "o9")
    ada.config.write_bytes(text.encode())
    ada.hook(remove=True)
    left = ada.config.read_bytes().decode()
    wanted = CONFIGS[ada.agent][1].replace("opus", "haiku").replace("gpt-5.5", "o9")
    assert left == wanted


def test_an_older_one_of_ours_is_replaced(ada):
    ada.has(CONFIGS[ada.agent][1])
    ada.hook()
    old = ada.ours()[0]["command"]
    text = ada.config.read_text().replace(old, f"/old/bin/abreast handoff --hooked {ada.agent}")
    ada.config.write_text(text)
    assert ada.hook().applied
    assert [one["command"] for one in ada.ours()] == [old]
    ada.hook(remove=True)
    assert ada.ours() == []
    assert len(ada.groups()) == 1  # theirs


def test_ours_is_known_without_a_receipt(ada):
    ada.has(CONFIGS[ada.agent][1])
    ada.hook()
    for file in (ada.places.state / "connections").iterdir():
        file.unlink()
    assert ada.hook().changes == ()
    ada.hook(remove=True)
    assert ada.ours() == []
    assert len(ada.groups()) == 1


def test_a_file_that_cannot_be_edited_is_left_alone(ada):
    broken = "hooks = 3\n[" if ada.agent == "codex" else '{"hooks": {"SessionEnd": {}}}'
    ada.has(broken)
    with pytest.raises(StateError):
        ada.hook()
    assert ada.config.read_text() == broken


def test_inline_hooks_of_codex_are_left_alone(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    ada = User("codex", home, Places(tmp_path / "state", ""))
    ada.has("hooks = { SessionEnd = [] }\n")
    with pytest.raises(StateError, match="cannot be edited safely"):
        ada.hook()


def test_codex_gets_the_trust_of_ours_alone(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    ada = User("codex", home, Places(tmp_path / "state", ""))
    ada.has(CODEX)
    ada.hook()
    state = tomllib.loads(ada.config.read_text())["hooks"]["state"]
    assert list(state) == [f"{ada.config}:session_end:1:0"]  # the second group is ours
    assert state.popitem()[1]["trusted_hash"].startswith("sha256:")


def test_an_agent_without_hooks_is_refused(tmp_path):
    places = Places(tmp_path, "")
    with pytest.raises(AgentError):
        api.hook_handoff("scripted", environ={"HOME": "/x"}, places=places)
    with pytest.raises(NotFoundError):
        api.hook_handoff("clod", environ={"HOME": "/x"}, places=places)


# What the hook does when it is run.


@pytest.fixture
def claude_home(tmp_path):
    """A HOME with a transcript in it, and a checkout in which it was made."""
    import shutil

    home = tmp_path / "adas"
    shutil.copytree(RECORDED / "claude/killed/projects", home / ".claude/projects")
    [file] = (home / ".claude/projects").rglob("*.jsonl")
    return home, file


def test_it_writes_where_git_does_not_look(claude_home, repo, tmp_path):
    home, file = claude_home
    places = Places(tmp_path / "state", f"sqlite:///{tmp_path}/none.db")
    payload = json.dumps({"transcript_path": str(file), "cwd": str(repo.path), "x": 1})
    written = ended(payload, places, {"HOME": str(home)})
    assert written == places.handoff_of(repo.path)
    assert read_header(written.read_text()).session == file.stem
    assert repo.git("status", "--porcelain") == ""
    repo.commit("ignore", {".gitignore": "CURRENT_WORK.md\n"})
    written = ended(payload, places, {"HOME": str(home)})
    assert written == repo.path / "CURRENT_WORK.md"
    assert repo.git("status", "--porcelain") == ""


def test_a_file_of_somebodys_own_is_not_written_over(claude_home, repo, tmp_path):
    home, file = claude_home
    repo.commit("ignore", {".gitignore": "CURRENT_WORK.md\n"})
    (repo.path / "CURRENT_WORK.md").write_text("mine\n")
    payload = json.dumps({"transcript_path": str(file), "cwd": str(repo.path)})
    with pytest.raises(StateError):
        ended(payload, Places(tmp_path / "state", ""), {"HOME": str(home)})
    assert (repo.path / "CURRENT_WORK.md").read_text() == "mine\n"


def test_a_session_of_our_own_has_one_already(claude_home, repo, tmp_path):
    home, file = claude_home
    payload = json.dumps({"transcript_path": str(file), "cwd": str(repo.path)})
    environ = {"HOME": str(home), "ABREAST_SESSION": "run/a"}
    assert ended(payload, Places(tmp_path / "state", ""), environ) is None
    assert not (tmp_path / "state").exists()


def test_only_transcripts_are_read(claude_home, repo, tmp_path):
    home, _ = claude_home
    payload = json.dumps({"transcript_path": "/etc/passwd", "cwd": str(repo.path)})
    with pytest.raises(NotFoundError):
        ended(payload, Places(tmp_path / "state", ""), {"HOME": str(home)})


@pytest.mark.parametrize("payload", ["", "no", "[]", "3", "{}", '{"transcript_path": 3}'])
def test_what_tells_of_no_session(payload, tmp_path):
    assert told(payload)[0] is None
    with pytest.raises(StateError):
        ended(payload, Places(tmp_path / "state", ""), {"HOME": "/x"})


@pytest.mark.parametrize(
    ("agent", "settings", "off"),
    [
        ("claude", '{"disableAllHooks": true}', "disableAllHooks"),
        ("codex", "[features]\nhooks = false\n", "features.hooks"),
        ("gemini", '{"hooksConfig": {"enabled": false}}', "hooksConfig.enabled"),
    ],
)
def test_it_says_when_the_user_has_hooks_turned_off(agent, settings, off, tmp_path):
    places = Places(tmp_path / "state", f"sqlite:///{tmp_path}/none.db")
    user = User(agent, tmp_path / "home", places)
    user.has(settings)
    assert user.hook().notes[0].startswith(f"`{off}` in {user.config} has it run no hook at all")
    assert user.hook().notes[0].startswith(f"`{off}`")  # also when nothing is to change
    user.has(settings.replace("true", "null").replace("false", "true"))
    assert not user.hook().notes[0].startswith("`")
