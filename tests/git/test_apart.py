"""What is committed apart comes into the repository, whenever abreast was killed."""

import os
import shutil
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from abreast.git.apart import apart_admin, apart_folder, rejoin, set_apart
from abreast.git.guard import guard_repository, guard_worktree
from abreast.git.guarded import Guarded
from abreast.git.repository import Repository, find_repository
from tests.support.repos import Repo, make_repo


@pytest.fixture
def session(repo: Repo, tmp_path: Path) -> tuple[Repository, Guarded]:
    repo.git("worktree", "add", "-q", "-b", "own", str(tmp_path / "tree"))
    found = guard_repository(find_repository(repo.path), tmp_path / "guard")
    return found, guard_worktree(found, tmp_path / "tree", fresh=True)


def commit_apart(tree: Guarded, *names: str, written: bool = True) -> str:
    """Commit a file of each name as an agent in a sandbox does, `written` here; return HEAD."""
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
        if written:
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


def test_what_is_committed_need_not_fit_into_memory(
    session: tuple[Repository, Guarded], repo: Repo
) -> None:
    found, tree = session
    set_apart(tree, rejoins=True)
    (tree.path / "large").write_bytes(os.urandom(16 * 2**20))
    head = commit_apart(tree, "large", written=False)
    tracemalloc.start()
    rejoin(found, tree)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**20
    assert repo.git("cat-file", "-s", f"{head}:large") == str(16 * 2**20)


def pipe_as_object(objects: Path, _admin: Path) -> None:
    (objects / "ab").mkdir(exist_ok=True)
    os.mkfifo(objects / "ab" / ("c" * 38))


def pipe_as_list_of_packs(objects: Path, _admin: Path) -> None:
    os.mkfifo(objects / "pack/multi-pack-index")


def pipe_as_alternates(objects: Path, _admin: Path) -> None:
    (objects / "info/alternates").unlink()
    os.mkfifo(objects / "info/alternates")


def link_to_no_pack(objects: Path, _admin: Path) -> None:
    (objects / "pack/pack-x.idx").symlink_to("/nowhere")


def file_as_logs(_objects: Path, admin: Path) -> None:
    shutil.rmtree(admin / "logs")
    (admin / "logs").write_text("no folder")


def folder_as_index(_objects: Path, admin: Path) -> None:
    (admin / "index").unlink()
    (admin / "index").mkdir()
    (admin / "index/file").touch()


def long_name(_objects: Path, admin: Path) -> None:
    (admin / ("n" * 250)).touch()


def file_of_holes(_objects: Path, admin: Path) -> None:
    (admin / "holes").touch()
    os.truncate(admin / "holes", 2**30 + 1)


SPOILERS = (
    *(pipe_as_object, pipe_as_list_of_packs, pipe_as_alternates, link_to_no_pack),
    *(file_as_logs, folder_as_index, long_name, file_of_holes),
)


@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda spoil: spoil.__name__)
def test_whatever_an_agent_leaves_there_its_commits_come_back(
    session: tuple[Repository, Guarded], repo: Repo, spoil: Callable[[Path, Path], None]
) -> None:
    found, tree = session
    set_apart(tree, rejoins=True)
    head = commit_apart(tree, "a")
    spoil(apart_folder(tree), apart_admin(tree))
    rejoin(found, tree)
    assert repo.git("rev-parse", "own") == head
    status = ["git", "-C", str(tree.path), "status", "--porcelain"]
    assert subprocess.run(status, capture_output=True, check=True).returncode == 0
    assert not (tree.admin / "holes").exists()
    set_apart(tree, rejoins=True)
    assert (apart_admin(tree) / "HEAD").read_text() == f"{head}\n"


@pytest.mark.parametrize("packed", [False, True])
def test_objects_behind_a_link_stay_where_they_are(
    session: tuple[Repository, Guarded], repo: Repo, tmp_path: Path, packed: bool
) -> None:
    found, tree = session
    other = make_repo(tmp_path / "other")
    (other.path / "secret").write_text("of somebody else")
    other.git("add", "secret")
    secret = other.git("rev-parse", ":secret")
    if packed:
        other.git("commit", "-qm", "secret")
        other.git("repack", "-qad")
    set_apart(tree, rejoins=True)
    commit_apart(tree, "a")
    for folder in (other.path / ".git/objects").iterdir():
        own = apart_folder(tree) / folder.name
        if folder.name != "info":
            shutil.rmtree(own, ignore_errors=True)
            own.symlink_to(folder)
    rejoin(found, tree)
    assert secret not in repo.git("cat-file", "--batch-all-objects", "--batch-check")


def test_nothing_is_written_where_a_link_leads(
    session: tuple[Repository, Guarded], tmp_path: Path
) -> None:
    _, tree = session
    set_apart(tree, rejoins=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    info = apart_folder(tree) / "info"
    shutil.rmtree(info)
    info.symlink_to(elsewhere)
    set_apart(tree, rejoins=True)
    assert list(elsewhere.iterdir()) == []
    assert (info / "alternates").is_file()
