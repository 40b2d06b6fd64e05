"""Connecting the real CLIs: what changes in a HOME, and that it can be undone to the last byte."""

import json
import os
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from abreast.agents import connectable
from abreast.engine.client.connect import entry as entries
from abreast.engine.client.connect.register import TEXT
from abreast.errors import AgentError, NotFoundError, StateError
from tests.support.repos import make_repo
from tests.support.users import CONFIGS, PROGRAM, PROJECT, SKILLS, OwnCommands, tree, user

pytestmark = pytest.mark.clis


OWN = OwnCommands()


@pytest.fixture(params=connectable())
def ada(request, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setattr(entries, "run", OWN.run)
    return user(request.param, tmp_path)


def entry(agent: str, text: str):
    if agent == "codex":
        return tomllib.loads(text)["mcp_servers"]["abreast"]
    lines = [line for line in text.splitlines() if not line.strip().startswith("//")]
    plain = "\n".join(lines).replace("// last", "").replace("/* block */", "")
    return json.loads(plain)["mcpServers"]["abreast"]


def test_a_fresh_home(ada):
    OWN.forget()  # here it really runs, and in the first of the others
    done = ada.connect()
    assert done.applied
    assert [change.action for change in done.changes] == ["create", "create"]
    found = entry(ada.agent, ada.config.read_text())
    assert (found["command"], found["args"]) == (str(PROGRAM), ["mcp"])
    assert ada.skill.read_text() == TEXT
    assert {path.stat().st_mode & 0o077 for path in (ada.config, ada.skill)} == {0}
    # Nothing but these: the CLI's own command worked elsewhere.
    files = {path for path in ada.home.rglob("*") if path.is_file()}
    assert files == {ada.config, ada.skill}

    undone = ada.remove()
    assert undone.applied
    assert [change.action for change in undone.changes] == ["remove", "remove"]
    assert tree(ada.home) == {}
    assert not ada.state.exists()


def test_a_config_made_by_hand(ada):
    ada.has_config()
    before = tree(ada.home)
    done = ada.connect()
    new = ada.config.read_text()
    old = CONFIGS[ada.agent][1]
    # Every line of it is still there, in its order, but for a comma.
    lines = iter(line.replace("}},", "}}").replace('"}} //', '"}} //') for line in new.splitlines())
    assert all(line in lines for line in old.splitlines())
    assert "s3cret" in new
    assert "s3cret" not in "".join(change.diff for change in done.changes)
    assert "s3cret" not in "".join(path.read_text() for path in ada.state.rglob("*.json"))
    assert ada.config.stat().st_mode & 0o777 == 0o640

    connected = tree(ada.home)
    again = ada.connect()
    assert (again.changes, again.applied, tree(ada.home)) == ((), False, connected)

    undone = ada.remove()
    assert "s3cret" not in "".join(change.diff for change in undone.changes)
    assert tree(ada.home) == before
    assert ada.remove().changes == ()


@pytest.mark.parametrize("existing", [True, False])
def test_removed_after_somebody_edited_the_file(ada, existing):
    if existing:
        ada.has_config()
    ada.connect()
    text = ada.config.read_text()
    if ada.agent == "codex":
        edited, wanted = text + '\n[mcp_servers.late]\ncommand = "y"\n', "[mcp_servers.late]"
    else:
        edited = text.replace('"mcpServers": {', '"mcpServers": {"late": {"command": "y"},', 1)
        wanted = '"late": {"command": "y"}'
    ada.config.write_text(edited)
    ada.remove()
    left = ada.config.read_text()
    assert wanted in left
    assert "abreast" not in left
    if existing:
        assert (
            left.replace('"late": {"command": "y"},', "").replace(
                '\n[mcp_servers.late]\ncommand = "y"\n', ""
            )
            == (CONFIGS[ada.agent][1])
        )
    assert not ada.skill.exists()


def test_removed_after_the_cli_wrote_its_file_anew(ada):
    """As the CLIs do when a server is added: other layout, same content."""
    ada.has_config()
    ada.connect()
    if ada.agent == "codex":
        table = tomllib.loads(ada.config.read_text())["mcp_servers"]["abreast"]
        lines = [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        head = ada.config.read_text().split("[mcp_servers.abreast]")[0]
        ada.config.write_text(head + "[mcp_servers.abreast]\n" + "\n".join(lines))
        ada.remove()
        assert ada.config.read_text().rstrip() == CONFIGS["codex"][1].rstrip()
        return
    whole = {"mcpServers": {"abreast": entry(ada.agent, ada.config.read_text()), "x": {}}}
    ada.config.write_text(json.dumps(whole))
    ada.remove()
    assert ada.config.read_text() == '{"mcpServers": {"x": {}}}'


def test_a_file_of_ours_that_is_empty_without_us_goes_even_if_it_was_written_anew(ada):
    ada.connect()
    text = ada.config.read_text()
    ada.config.write_text(text + "\n" if ada.agent == "codex" else json.dumps(json.loads(text)))
    ada.remove()
    assert tree(ada.home) == {}


def test_a_skill_that_was_edited_stays(ada):
    ada.connect()
    ada.skill.write_text("my own words")
    again = ada.connect()
    assert again.changes == ()
    assert "edited" in again.notes[0]
    undone = ada.remove()
    assert [change.path for change in undone.changes] == [ada.config]
    assert "edited" in undone.notes[0]
    assert ada.skill.read_text() == "my own words"


def test_another_abreast_is_replaced_and_comes_back(ada):
    if ada.agent == "codex":
        ada.has_config('[mcp_servers.abreast]  # old\ncommand = "/old/abreast"\nargs = ["mcp"]\n')
    else:
        ada.has_config('{"mcpServers": {"abreast": {"command": "/old/abreast", "args": ["mcp"]}}}')
    before = tree(ada.home)
    done = ada.connect()
    assert done.changes[0].action == "change"
    assert entry(ada.agent, ada.config.read_text())["command"] == str(PROGRAM)
    ada.config.write_text(ada.config.read_text() + "\n")  # so that it is not as we left it
    ada.remove()
    assert entry(ada.agent, ada.config.read_text())["command"] == "/old/abreast"
    ada.config.write_bytes(before[str(ada.config.relative_to(ada.home))][1] or b"")
    ada.connect()
    ada.remove()
    assert tree(ada.home) == before


def test_without_a_record_ours_is_still_known(ada):
    ada.has_config()
    ada.connect()
    for record in ada.state.rglob("*.json"):
        record.unlink()
    assert ada.connect().changes == ()
    ada.remove()
    assert ada.config.read_text() == CONFIGS[ada.agent][1]
    assert not ada.skill.exists()


def test_what_is_not_ours_is_not_removed(ada):
    if ada.agent == "codex":
        ada.has_config('[mcp_servers.abreast]\ncommand = "something-else"\n')
    else:
        ada.has_config('{"mcpServers": {"abreast": {"command": "something-else"}}}')
    before = tree(ada.home)
    assert ada.remove().changes == ()
    assert tree(ada.home) == before


def test_in_a_project(ada, tmp_path):
    OWN.forget()
    repo = make_repo(tmp_path / "repo").path
    (repo / "sub").mkdir()
    before = tree(repo)
    done = ada.connect(scope="project", repo=repo / "sub")
    config = repo / PROJECT[ada.agent]
    skill = repo / SKILLS[ada.agent] / "skills/abreast-delegate/SKILL.md"
    assert [change.path for change in done.changes] == [config, skill]
    assert entry(ada.agent, config.read_text())["command"] == str(PROGRAM)
    assert {path.stat().st_mode & 0o777 for path in (config, skill)} == {0o644}
    assert tree(ada.home) == {}
    assert "its path on this machine" in done.notes[-1]
    again = ada.connect(scope="project", repo=repo)
    assert (again.changes, again.notes) == ((), ())
    assert ada.remove().changes == ()  # the user's own is another
    ada.remove(scope="project", repo=repo)
    assert tree(repo) == before


def test_outside_of_a_repository_there_is_no_project(ada):
    with pytest.raises(NotFoundError):
        ada.connect(scope="project", repo=ada.home)


def test_a_file_that_changed_meanwhile_is_left_alone(ada):
    ada.has_config()
    other = CONFIGS[ada.agent][1].replace("other", "another")

    def meanwhile(_connection):
        ada.config.write_text(other)
        return True

    with pytest.raises(StateError, match="has changed in the meantime"):
        ada.connect(confirm=meanwhile)
    assert ada.config.read_text() == other
    assert not ada.skill.exists()
    assert not ada.state.exists()


def test_a_broken_file_is_left_alone(ada):
    broken = '{"a": 1,}' if ada.agent != "codex" else "a = "
    ada.has_config(broken)
    with pytest.raises(StateError, match="cannot be edited") as raised:
        ada.connect()
    assert raised.value.hint
    assert ada.config.read_text() == broken


def test_without_the_cli_one_can_only_remove(ada):
    ada.has_config()
    before = tree(ada.home)
    ada.connect()
    without = {**ada.environ, "PATH": "/usr/bin:/bin"}
    with pytest.raises(AgentError, match="not installed") as raised:
        ada.connect(environ=without)
    assert "npm install" in raised.value.hint
    ada.remove(environ=without)
    assert tree(ada.home) == before


def test_a_link_to_the_file_stays_a_link(ada, tmp_path):
    dotfiles = tmp_path / "dotfiles"
    ada.has_config()
    ada.config.rename(dotfiles)
    ada.config.symlink_to(dotfiles)
    ada.connect()
    assert ada.config.is_symlink()
    assert "abreast" in dotfiles.read_text()
    ada.remove()
    assert ada.config.is_symlink()
    assert dotfiles.read_text() == CONFIGS[ada.agent][1]


def test_the_folder_that_a_variable_names(ada, tmp_path):
    variable, file = {
        "claude": ("CLAUDE_CONFIG_DIR", ".claude.json"),
        "codex": ("CODEX_HOME", "config.toml"),
        "gemini": ("GEMINI_CLI_HOME", ".gemini/settings.json"),
    }[ada.agent]
    named = tmp_path / "named"
    done = ada.connect(environ=ada.environ | {variable: str(named)})
    assert done.changes[0].path == named / file
    assert all(named in change.path.parents for change in done.changes)


def test_two_installations_do_not_mix(ada, tmp_path):
    folder = tmp_path / "more"
    folder.mkdir()
    other = replace(user(ada.agent, folder), state=ada.state)
    ada.connect()
    other.connect()
    ada.remove()
    assert tree(ada.home) == {}
    assert other.config.exists()
    other.remove()
    assert tree(other.home) == {}


def test_claude_code_reads_the_older_file_where_there_is_one(tmp_path):
    ada = user("claude", tmp_path)
    older = ada.home / ".claude/.config.json"
    older.parent.mkdir()
    older.write_text("{}")
    done = ada.connect()
    assert done.changes[0].path == older
    ada.remove()
    assert older.read_text() == "{}"
    assert not Path(os.path.commonpath([older, ada.home]), ".claude.json").exists()
