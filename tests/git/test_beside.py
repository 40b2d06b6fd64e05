"""The user's checkout, looked at while sessions work beside it."""

from pathlib import Path

import pytest

from abreast.git.beside import changed_since, checkouts, uncommitted
from abreast.git.configuration import steering
from abreast.git.guard import guard_repository
from abreast.git.repository import Repository, find_repository
from tests.support.repos import Repo


def guarded(repo: Repo, tmp_path: Path) -> Repository:
    return guard_repository(find_repository(repo.path), tmp_path / "guard")


def test_only_what_was_written_since_is_told(repo: Repo, tmp_path: Path) -> None:
    here = guarded(repo, tmp_path)
    repo.write({"README.md": "dirty\n", "new/one.txt": "1\n", ".gitignore": "*.log\n"})
    before = dict(uncommitted(here))
    assert set(before) == {"README.md", "new/", ".gitignore"}
    assert changed_since(here, before) == []
    repo.write({"src/app.py": "edited\n", "out.log": "noise\n", "README.md": "dirtier\n"})
    assert changed_since(here, before) == ["README.md", "src/app.py"]
    repo.git("checkout", "-q", "--", "README.md", "src/app.py")
    assert changed_since(here, before) == ["README.md"]


def test_looking_runs_nothing_and_takes_no_lock(repo: Repo, tmp_path: Path) -> None:
    here, trap = guarded(repo, tmp_path), tmp_path / "trap"
    for key in ("core.fsmonitor", "filter.x.clean", "diff.external"):
        repo.git("config", key, f"touch {trap}; cat")
    repo.write({".gitattributes": "* filter=x\n", "README.md": "x\n"})
    index = (repo.path / ".git/index").stat()
    (repo.path / ".git/index.lock").touch()
    assert "README.md" in uncommitted(here)
    assert not trap.exists()
    assert (repo.path / ".git/index").stat().st_mtime_ns == index.st_mtime_ns


def test_a_repository_without_a_checkout_has_nothing_to_tell(repo: Repo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare"))
    bare = guard_repository(find_repository(tmp_path / "bare"), tmp_path / "guard")
    assert uncommitted(bare) == {}
    assert changed_since(bare, {"a": "1"}) == []


def test_the_checkouts_are_told_without_git(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    assert list(checkouts(repo.path / ".git")) == [repo.path, tmp_path / "linked"]


@pytest.mark.parametrize(
    "key",
    [
        "hook.x.command",
        "tar.x.command",
        "imap.tunnel",
        "instaweb.httpd",
        "lfs.url",
        "lfs.https://x.example.locksverify.url",
        "lfs.customtransfer.x.path",
        "lfs.extension.x.clean",
        "sendemail.smtpserver",
        "sendemail.x.smtpserver",
    ],
)
def test_keys_that_name_programs(repo: Repo, key: str) -> None:
    repo.git("config", key, "x")
    assert {name for _, name in steering(repo.path / ".git")} == {key}


def test_the_configuration_of_the_users_other_worktrees(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "extensions.worktreeConfig", "true")
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    common = repo.path / ".git"
    before = steering(common)
    repo.git("-C", str(tmp_path / "linked"), "config", "--worktree", "core.editor", "evil")
    assert {name for _, name in steering(common).keys() - before.keys()} == {"core.editor"}
