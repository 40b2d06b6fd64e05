"""Worktrees of ours, brought to a commit or a tree whatever was left in them."""

import shutil

import pytest

from abreast.errors import GitError
from abreast.git.commit import restore_tree, switch_detached
from abreast.git.snapshot import build_tree
from abreast.git.status import dirty_summary
from tests.git.conftest import Bench
from tests.support.repos import Repo


def disturb(tree: Repo) -> None:
    tree.write({"README.md": "edited", "junk/x": "x", "cache/kept": "built"})
    shutil.rmtree(tree.path / "src")
    (tree.path / "src").symlink_to("/tmp")
    tree.git("add", "-A")
    tree.write({"inner/f": "x"})
    tree.git("init", "-q", "inner")


def test_a_scratch_worktree_shows_the_commit_and_keeps_ignored_files(bench: Bench):
    bench.repo.commit("ignore", {".gitignore": "cache/\n"})
    new = bench.branch("one", {"a": "1"})
    tree = Repo(bench.ensure(bench.spec("scratch", branch="")).path)
    disturb(tree)
    switch_detached(bench.found, bench.guarded(tree), new)
    assert tree.git("rev-parse", "HEAD") == new
    assert tree.git("branch", "--show-current") == ""
    assert dirty_summary(tree.path).clean
    assert (tree.path / "cache/kept").read_text() == "built"
    assert not (tree.path / "inner").exists()


def test_a_tree_is_put_back_without_moving_head(bench: Bench):
    bench.repo.commit("ignore", {".gitignore": "cache/\n"})
    tree = bench.worktree("one")
    tree.write({"new": "n", "README.md": "work"})
    wanted = build_tree(bench.guarded(tree)).tree
    disturb(tree)
    restore_tree(bench.found, bench.guarded(tree), wanted)
    assert build_tree(bench.guarded(tree)).tree == wanted
    assert (tree.path / "README.md").read_text() == "work"
    assert (tree.path / "src/app.py").is_file()
    assert not (tree.path / "junk").exists()
    assert tree.git("rev-parse", "HEAD") == bench.head


def test_a_lock_that_a_killed_git_left_is_no_obstacle(bench: Bench):
    new = bench.branch("one", {"a": "1"})
    tree = Repo(bench.ensure(bench.spec("scratch", branch="")).path)
    lock = bench.found.common_dir / "worktrees" / "scratch" / "index.lock"
    lock.touch()
    switch_detached(bench.found, bench.guarded(tree), new)
    assert not lock.exists()
    assert tree.git("rev-parse", "HEAD") == new


def test_a_commit_that_is_gone_leaves_head_where_it_was(bench: Bench):
    """At one that `git gc --prune=now` has taken, git would fail in the whole repository."""
    tree = Repo(bench.ensure(bench.spec("scratch", branch="")).path)
    with pytest.raises(GitError):
        switch_detached(bench.found, bench.guarded(tree), "1" * 40)
    assert tree.git("rev-parse", "HEAD") == bench.head
    bench.repo.git("gc", "-q", "--prune=now")
