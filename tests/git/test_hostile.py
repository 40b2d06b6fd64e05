"""What an agent puts in the place of files and folders neither stops us nor leads us elsewhere."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from abreast.errors import GitError
from abreast.git.aside import move_aside
from abreast.git.call import git
from abreast.git.checkout import point_back, switch_detached
from abreast.git.commit import left_in, seal
from abreast.git.guarded import Guarded
from abreast.git.pipes import unblocked
from abreast.git.refs import delete_ref, swap_ref
from abreast.git.snapshot import build_tree, snapshot
from abreast.git.status import own_git_dir
from abreast.git.worktree import Health, worktree_health
from tests.git.conftest import Bench
from tests.support.repos import Repo

REF = "refs/abreast/snap/run/one"


def a_pipe(file: Path) -> None:
    os.mkfifo(file)


def a_link_to_itself(file: Path) -> None:
    file.symlink_to(file.name)


def no_path(file: Path) -> None:
    file.write_bytes(b"gitdir: a\0b\n")


def more_than_a_path(file: Path) -> None:
    with file.open("wb") as opened:
        opened.truncate(10**11)


@pytest.mark.parametrize("plant", [a_pipe, a_link_to_itself, no_path, more_than_a_path])
def test_whatever_is_in_the_place_of_the_pointer_is_no_pointer(
    bench: Bench, tmp_path: Path, plant: Callable[[Path], None]
):
    tree = bench.worktree("one")
    guarded = bench.guarded(tree)
    tree.write({"new.txt": "n"})
    (tree.path / ".git").unlink()
    plant(tree.path / ".git")
    assert own_git_dir(tree.path) != guarded.admin
    assert worktree_health(bench.found, bench.spec("one"))[0] is Health.FOREIGN
    shot = snapshot(bench.found, guarded, REF, "turn")
    assert bench.repo.git("show", f"{shot.commit}:new.txt") == "n"
    assert point_back(guarded, tmp_path / "aside")
    assert own_git_dir(tree.path) == guarded.admin


@pytest.mark.parametrize("name", [".gitignore", ".gitattributes", "src/.gitignore"])
def test_git_passes_a_pipe_that_it_would_read(bench: Bench, name: str):
    tree = bench.worktree("one")
    guarded = bench.guarded(tree)
    tree.write({"new.txt": "n"})
    os.mkfifo(tree.path / name)
    with unblocked(guarded, patience=0.01):
        built = build_tree(guarded)
    assert "new.txt" in bench.repo.git("--git-dir", str(guarded.git_dir), "ls-tree", built.tree)


def test_a_pipe_in_the_place_of_head_is_passed(bench: Bench):
    tree = bench.worktree("one")
    guarded = bench.guarded(tree)
    tree.write({"new.txt": "n"})
    (guarded.admin / "HEAD").unlink()
    os.mkfifo(guarded.admin / "HEAD")
    shot = snapshot(bench.found, guarded, REF, "turn")
    seal(
        bench.found,
        guarded,
        commit=shot.commit,
        branch="abreast/run/one",
        base=bench.head,
        keep_ref="refs/abreast/agent/run/one",
    )
    assert tree.git("symbolic-ref", "HEAD") == "refs/heads/abreast/run/one"


def emptied(bench: Bench, guarded: Guarded) -> None:
    switch_detached(bench.found, guarded, bench.head)


def pointed_back(bench: Bench, guarded: Guarded) -> None:
    point_back(guarded, bench.state / "aside")


def looked_at(bench: Bench, guarded: Guarded) -> None:
    left_in(guarded)


@pytest.mark.parametrize("act", [emptied, pointed_back, looked_at])
def test_a_link_to_the_users_checkout_is_no_worktree(
    bench: Bench, act: Callable[[Bench, Guarded], None]
):
    tree = bench.worktree("one")
    guarded = bench.guarded(tree)
    bench.repo.write({"untracked.txt": "u", "README.md": "edited"})
    shutil.rmtree(tree.path)
    tree.path.symlink_to(bench.repo.path)
    with pytest.raises(GitError, match="is a link to"):
        act(bench, guarded)
    assert bench.repo.git("status", "--porcelain") == "M README.md\n?? untracked.txt"


def test_nothing_outside_is_moved_aside(tmp_path: Path):
    top, outside = tmp_path / "tree", tmp_path / "outside"
    top.mkdir()
    Repo(outside).write({"precious.txt": "p", "deep/precious.txt": "p"})
    (top / "link").symlink_to(outside)
    paths = ["link/precious.txt", "link/deep/", "../outside/precious.txt", str(outside / "deep")]
    assert move_aside(top, paths, tmp_path / "aside") == []
    (tmp_path / "linked").symlink_to(outside)
    assert move_aside(tmp_path / "linked", ["precious.txt"], tmp_path / "aside") == []
    assert (outside / "precious.txt").exists()
    assert (outside / "deep/precious.txt").exists()


def test_a_ref_of_ours_that_was_made_to_name_another_moves_only_itself(bench: Bench):
    old, tree = bench.head, bench.worktree("one")
    bench.repo.git("symbolic-ref", REF, "refs/heads/main")
    tree.write({"new.txt": "n"})
    shot = snapshot(bench.found, bench.guarded(tree), REF, "turn")
    assert (bench.head, bench.repo.git("rev-parse", REF)) == (old, shot.commit)
    bench.repo.git("symbolic-ref", REF, "refs/heads/main")
    assert delete_ref(bench.found, REF, old)
    assert bench.head == old
    assert bench.repo.git("for-each-ref", REF) == ""


def test_a_branch_of_the_users_may_name_another(bench: Bench):
    old = bench.head
    new = bench.branch("work", {"w": "w"})
    bench.repo.git("symbolic-ref", "refs/heads/trunk", "refs/heads/main")
    assert swap_ref(bench.found, "refs/heads/trunk", new, old, reason="landed")
    assert bench.head == new
    assert bench.repo.git("symbolic-ref", "refs/heads/trunk") == "refs/heads/main"


def test_a_submodules_repository_may_hold_pipes(bench: Bench):
    tree = bench.worktree("one")
    guarded = bench.guarded(tree)
    os.mkfifo(guarded.admin / "sharedindex.pipe")
    with unblocked(guarded, patience=0.01):
        assert git(guarded, "hash-object", str(guarded.admin / "sharedindex.pipe"))
