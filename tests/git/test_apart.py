"""What is committed apart comes into the repository, whenever abreast was killed."""

import os
import subprocess
from pathlib import Path

import pytest

from abreast.git.apart import apart_admin, apart_folder, rejoin, set_apart
from abreast.git.guard import guard_repository, guard_worktree
from abreast.git.guarded import Guarded
from abreast.git.repository import Repository, find_repository
from tests.support.repos import Repo


@pytest.fixture
def session(repo: Repo, tmp_path: Path) -> tuple[Repository, Guarded]:
    repo.git("worktree", "add", "-q", "-b", "own", str(tmp_path / "tree"))
    found = guard_repository(find_repository(repo.path), tmp_path / "guard")
    return found, guard_worktree(found, tmp_path / "tree", fresh=True)


def commit_apart(tree: Guarded, *names: str) -> str:
    """Commit a file of each name as an agent in a sandbox does; return HEAD."""
    variables = {
        "GIT_DIR": str(apart_admin(tree)),
        "GIT_COMMON_DIR": str(tree.shared),
        "GIT_WORK_TREE": str(tree.path),
        "GIT_OBJECT_DIRECTORY": str(apart_folder(tree)),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(tree.shared / "objects"),
    }

    def git(*args: str) -> str:
        environ = {**os.environ, **variables}
        done = subprocess.run(
            ["git", *args], cwd=tree.path, env=environ, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    for name in names:
        (tree.path / name).write_text(name)
        git("add", name)
        git("commit", "-qm", name)
    return git("rev-parse", "HEAD")


@pytest.mark.parametrize("killed", ["", "with its objects taken", "with its branch moved"])
def test_it_rejoins_whenever_it_was_interrupted(
    session: tuple[Repository, Guarded], repo: Repo, killed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, tree = session
    set_apart(tree, rejoins=True)
    set_apart(tree, rejoins=True)  # a step may be repeated
    base = repo.git("rev-parse", "own")
    head = commit_apart(tree, "a", "b")
    assert repo.git("rev-parse", "own") == base
    assert repo.git("fsck", "--strict") == ""
    repo.git("gc", "-q", "--prune=now")
    if killed:
        fails = "read_ref" if "objects" in killed else "_bring_back"

        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(f"abreast.git.apart.{fails}", stop)
            with pytest.raises(KeyboardInterrupt):
                rejoin(found, tree)
    rejoin(found, tree)
    rejoin(found, tree)
    assert repo.git("rev-parse", "own") == head
    assert (tree.admin / "HEAD").read_text() == "ref: refs/heads/own\n"
    status = ["git", "-C", str(tree.path), "status", "--porcelain"]
    assert subprocess.run(status, capture_output=True, check=True).stdout == b""
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert repo.git("log", "--format=%s", "own").splitlines()[:2] == ["b", "a"]


def test_many_objects_come_as_a_pack(session: tuple[Repository, Guarded], repo: Repo) -> None:
    found, tree = session
    set_apart(tree, rejoins=True)
    head = commit_apart(tree, *(f"file-{number}" for number in range(40)))
    rejoin(found, tree)
    assert repo.git("rev-parse", "own") == head
    assert len(list((repo.path / ".git/objects/pack").glob("*.pack"))) == 1


def test_an_object_that_is_not_what_its_name_says_stays_outside(
    session: tuple[Repository, Guarded], repo: Repo
) -> None:
    found, tree = session
    set_apart(tree, rejoins=True)
    head = commit_apart(tree, "a")
    folder = apart_folder(tree) / "ab"
    folder.mkdir()
    (folder / ("c" * 38)).write_bytes(b"no object at all")
    whole = next(one for one in apart_folder(tree).glob("??/*") if one.parent != folder)
    (folder / ("d" * 38)).write_bytes(whole.read_bytes())  # another object's content
    rejoin(found, tree)
    assert repo.git("rev-parse", "own") == head
    assert not (repo.path / ".git/objects/ab" / ("d" * 38)).exists()
    assert repo.git("fsck", "--strict", "--no-dangling") == ""


def test_a_branch_that_others_moved_meanwhile_stays(
    session: tuple[Repository, Guarded], repo: Repo
) -> None:
    found, tree = session
    set_apart(tree, rejoins=True)
    head = commit_apart(tree, "a")
    repo.git("commit", "-q", "--allow-empty", "-m", "theirs")
    theirs = repo.git("rev-parse", "HEAD")
    repo.git("update-ref", "refs/heads/own", theirs)
    rejoin(found, tree)
    assert repo.git("rev-parse", "own") == theirs
    assert repo.git("cat-file", "-t", head) == "commit"
