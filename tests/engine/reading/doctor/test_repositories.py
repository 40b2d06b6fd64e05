"""Housekeeping on real repositories: the damage that git and agents do, and its mending."""

import os
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from abreast.engine.reading.doctor.repositories import checkout_of, state_of
from abreast.errors import NotFoundError
from tests.support.deadlines import eventually
from tests.support.repos import make_repo


@pytest.fixture
def look(tmp_path, diagnose):
    (tmp_path / "empty").mkdir()

    def run(folder):
        return {one.id: one for one in diagnose(tmp_path / "empty", folder).findings}

    return run


def mend(finding):
    """Do what each piece of evidence says."""
    for one in finding.evidence:
        done = subprocess.run(
            ["sh", "-c", one.command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (one.command, done.stderr)


def test_a_healthy_repository_with_worktrees_has_no_finding(repo, tmp_path, look):
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side tree"))
    assert look(repo.path) == {}
    assert look(tmp_path / "side tree" / "src") == {}


def test_a_bare_repository_and_its_worktree_have_no_finding(repo, tmp_path, look):
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare" / ".git"))
    bare = str(tmp_path / "bare" / ".git")
    repo.git("--git-dir", bare, "worktree", "add", "-q", "-b", "one", str(tmp_path / "bare/one"))
    assert look(tmp_path / "bare" / "one") == {}


def test_a_submodule_has_no_finding(repo, tmp_path, look):
    make_repo(tmp_path / "lib")
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "lib"))
    assert state_of(checkout_of(repo.path / "lib")[1]).worktree  # git itself sets it there
    assert look(repo.path / "lib") == {}


def test_core_bare_in_a_checkout(repo, look):
    repo.git("config", "core.bare", "true")
    found = look(repo.path)
    assert list(found) == ["damaged-config"]
    assert found["damaged-config"].severity == "severe"
    mend(found["damaged-config"])
    assert look(repo.path) == {}
    assert repo.git("status", "--porcelain") == ""


@pytest.mark.parametrize("lines", ["bare", "bare = yes", "bare = true\n\tbare = true"])
def test_core_bare_in_any_form(lines, repo, look):
    with (repo.path / ".git" / "config").open("a") as config:
        config.write(f"[core]\n\t{lines}\n")
    [found] = look(repo.path).values()
    mend(found)
    assert look(repo.path) == {}


@pytest.mark.parametrize("same", ["..", "."])
def test_core_worktree_that_names_the_checkout_itself(same, repo, look):
    repo.git("config", "core.worktree", same if same == ".." else str(repo.path))
    assert look(repo.path) == {}


@pytest.mark.parametrize("target", ["elsewhere", "gone"])
def test_core_worktree_that_points_elsewhere(target, repo, tmp_path, look):
    (tmp_path / "elsewhere").mkdir()
    repo.git("config", "core.worktree", str(tmp_path / target))
    [found] = look(repo.path).values()
    assert found.id == "damaged-config"
    assert str(tmp_path / target) in found.evidence[0].text
    mend(found)
    assert look(repo.path) == {}


@pytest.mark.parametrize("locked", [False, True])
def test_a_worktree_whose_folder_is_gone(locked, repo, tmp_path, look):
    path = tmp_path / "it's gone"
    repo.git("worktree", "add", "-q", "-b", "side", str(path))
    if locked:
        repo.git("worktree", "lock", "--reason", "an agent", str(path))
    subprocess.run(["rm", "-r", path], check=True)
    [found] = look(repo.path).values()
    assert found.id == "gone-worktrees"
    assert ("locked (an agent)" in found.evidence[0].text) is locked
    mend(found)
    assert look(repo.path) == {}


def test_a_worktree_within_the_checkout(repo, look):
    (repo.path / ".git" / "info" / "exclude").write_text(".claude\n")
    repo.git("worktree", "add", "-q", "-b", "side", str(repo.path / ".claude/worktrees/side"))
    [found] = look(repo.path).values()
    assert found.id == "nested-worktrees"
    mend(found)
    assert look(repo.path) == {}
    assert (repo.path.parent / f"{repo.path.name}-side" / "README.md").exists()


def test_a_repository_is_one_by_whatever_way_it_was_reached(repo, tmp_path, look):
    repo.git("worktree", "add", "-q", "-b", "side", str(repo.path / "side"))
    (tmp_path / "way").symlink_to(repo.path.parent)
    [found] = look(tmp_path / "way" / repo.path.name).values()
    [one] = found.evidence
    assert one.path == str(repo.path / "side")


def test_worktrees_that_are_locked_or_called_alike_can_be_moved_too(repo, look):
    for name in ("one", "two"):
        repo.git("worktree", "add", "-q", "-b", name, str(repo.path / name / "side"))
    repo.git("worktree", "lock", "--reason", "an agent (pid 1)", str(repo.path / "one" / "side"))
    (repo.path.parent / f"{repo.path.name}-side").mkdir()  # git would move it in there
    [found] = look(repo.path).values()
    assert "locked (an agent (pid 1))" in found.evidence[0].text
    mend(found)
    assert look(repo.path) == {}
    assert not [*(repo.path.parent / f"{repo.path.name}-side").iterdir()]


def test_a_worktree_that_git_does_not_move(repo, tmp_path, look):
    make_repo(tmp_path / "lib")
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "lib"))
    repo.git("commit", "-qm", "with a library")
    repo.git("worktree", "add", "-q", "-b", "side", str(repo.path / "side"))
    [found] = look(repo.path).values()
    assert found.evidence[0].text.endswith("; git moves none with submodules")
    assert found.evidence[0].command == ""


def test_from_within_a_bare_repository(repo, tmp_path, look):
    bare = tmp_path / "bare.git"
    repo.git("clone", "-q", "--bare", str(repo.path), str(bare))
    for name in ("one", "one/two"):
        path = str(bare / name)
        repo.git("--git-dir", str(bare), "worktree", "add", "-q", "-b", name[-3:], path)
    assert [*look(bare)] == ["nested-worktrees"]
    assert look(repo.path / ".git") == {}


def test_a_lock_that_was_left_behind(repo, look):
    lock = repo.path / ".git" / "index.lock"
    lock.touch()
    assert look(repo.path) == {}  # some git may be at work
    old = time.time() - 11 * 60
    os.utime(lock, (old, old))
    [found] = look(repo.path).values()
    assert found.id == "stale-locks"
    assert found.evidence[0].numbers == {"minutes": 11}
    mend(found)
    assert look(repo.path) == {}


def test_the_lock_of_a_commit_that_waits_for_an_editor(repo, look):
    lock = repo.path / ".git" / "index.lock"
    repo.write({"README.md": "more\n"})
    editor = {**os.environ, "GIT_EDITOR": "read line; false"}
    with subprocess.Popen(
        ["git", "commit", "-qa"], cwd=repo.path, env=editor, stdin=-1, stderr=-1, text=True
    ) as commit:
        eventually(lock.exists)
        os.utime(lock, (1.0, 1.0))
        assert look(repo.path) == {}
        commit.communicate("done\n")
    lock.touch()
    os.utime(lock, (1.0, 1.0))
    assert [*look(repo.path)] == ["stale-locks"]


def test_the_lock_of_a_branch(repo, look):
    lock = repo.path / ".git" / "refs" / "heads" / "side.lock"
    lock.touch()
    os.utime(lock, (1.0, 1.0))
    [found] = look(repo.path).values()
    mend(found)
    assert look(repo.path) == {}


def test_the_lock_of_a_worktree_too(repo, tmp_path, look):
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    lock = repo.path / ".git" / "worktrees" / "side" / "index.lock"
    lock.touch()
    os.utime(lock, (1.0, 1.0))
    assert [*look(tmp_path / "side")] == ["stale-locks"]


def test_no_repository_at_all(tmp_path, look):
    assert look(None) == {}
    (tmp_path / "nowhere" / ".git").write_text("nonsense\n")
    assert look(None) == {}
    for named in (tmp_path, tmp_path / "none", Path("none")):
        with pytest.raises(NotFoundError, match="is not in a git repository"):
            look(named)


def test_a_repository_that_git_cannot_read_is_told(repo, tmp_path, diagnose):
    (repo.path / ".git" / "config").write_text("[core\n")
    (tmp_path / "empty").mkdir()
    found = diagnose(tmp_path / "empty", repo.path)
    assert found.findings == ()
    [warning] = found.warnings
    assert warning.startswith(f"{repo.path}/.git: its worktrees cannot be listed: ")


def test_commands_can_be_pasted(repo, look):
    path = repo.path / "a b; c"
    repo.git("worktree", "add", "-q", "-b", "side", str(path))
    [found] = look(repo.path).values()
    assert shlex.split(found.evidence[0].command)[-2] == str(path)
