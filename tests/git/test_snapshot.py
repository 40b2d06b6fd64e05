"""Snapshots keep everything and touch nothing."""

import os
import shutil
from pathlib import Path

import pytest

from abreast.errors import GitError
from abreast.git.changes import (
    ChangedPath,
    FileStat,
    changed_files,
    changes_and_stats,
    diff_text,
    diffstat,
    worktree_diff,
)
from abreast.git.snapshot import build_tree, snapshot
from abreast.git.status import own_git_dir
from tests.git.conftest import Bench
from tests.support.repos import Repo

REF = "refs/abreast/snap/run/one"
ODD = ["new\nline", "\"quoted\" 'too'", "-dash", "tab\there", "bad\udcffbyte", "*", " lead"]


def index_bytes(tree: Repo) -> bytes:
    folder = own_git_dir(tree.path)
    assert folder
    return (folder / "index").read_bytes()


def names_in(bench: Bench, commit: str) -> set[str]:
    listed = bench.repo.git("-c", "core.quotePath=off", "ls-tree", "-rz", "--name-only", commit)
    return {name for name in listed.split("\0") if name}


def disturb(tree: Repo) -> None:
    """Leave every kind of change: edited, staged, deleted, new, executable, ignored."""
    tree.write({"README.md": "edited", "staged.txt": "s", ".gitignore": "*.log\n"})
    tree.git("add", "staged.txt")
    tree.write({"staged.txt": "edited after staging", "new/deep.txt": "n", "noise.log": "x"})
    (tree.path / "src/app.py").unlink()
    (tree.path / "new/deep.txt").chmod(0o755)
    (tree.path / "link").symlink_to("README.md")


def test_everything_is_kept_and_the_index_is_left_alone(bench: Bench):
    tree = bench.worktree("one")
    disturb(tree)
    before, status = index_bytes(tree), tree.git("status", "--porcelain")
    shot = snapshot(bench.found, bench.guarded(tree), REF, "turn 1")
    assert index_bytes(tree) == before
    assert tree.git("status", "--porcelain") == status
    kept = {"README.md", ".gitignore", "staged.txt", "new/deep.txt", "link"}
    assert names_in(bench, shot.commit) == kept
    assert bench.repo.git("show", f"{REF}:staged.txt") == "edited after staging"
    assert bench.repo.git("ls-tree", REF, "new/deep.txt").startswith("100755")
    assert bench.repo.git("rev-parse", f"{REF}^") == bench.head
    assert bench.repo.git("branch", "-a", "--contains", shot.commit) == ""


def test_snapshots_survive_gc(bench: Bench):
    tree = bench.worktree("one")
    tree.write({"a.txt": "first"})
    first = snapshot(bench.found, bench.guarded(tree), REF, "turn 1")
    tree.write({"a.txt": "second"})
    second = snapshot(bench.found, bench.guarded(tree), REF, "turn 2")
    bench.repo.git("gc", "-q", "--prune=now")
    assert bench.repo.git("show", f"{first.commit}:a.txt") == "first"
    assert bench.repo.git("show", f"{REF}:a.txt") == "second"
    assert bench.repo.git("rev-parse", f"{second.commit}^2") == first.commit


def test_nothing_new_is_made_when_nothing_has_changed(bench: Bench):
    tree = bench.worktree("one")
    clean = snapshot(bench.found, bench.guarded(tree), REF, "turn 1")
    assert clean.commit == bench.head
    tree.write({"a.txt": "x"})
    shot = snapshot(bench.found, bench.guarded(tree), REF, "turn 2")
    assert snapshot(bench.found, bench.guarded(tree), REF, "turn 3") == shot
    head = tree.commit("the agent's own", {})
    again = snapshot(bench.found, bench.guarded(tree), REF, "turn 4")
    assert again.tree == shot.tree
    for commit in (head, shot.commit):
        bench.repo.git("merge-base", "--is-ancestor", commit, again.commit)
    assert snapshot(bench.found, bench.guarded(tree), REF, "turn 5").commit == again.commit


def test_a_same_size_edit_within_the_clock_tick_is_seen(bench: Bench):
    tree = bench.worktree("one")
    for number in range(20):
        tree.write({"README.md": f"# dem{number % 10}\n"})
        shot = snapshot(bench.found, bench.guarded(tree), REF, "turn")
        assert bench.repo.git("show", f"{shot.commit}:README.md") == f"# dem{number % 10}"


def test_large_files_and_inner_repositories_are_left_out_and_told(bench: Bench):
    tree = bench.worktree("one")
    tree.write({"dump.bin": "x" * 2000, "small.bin": "x" * 10, "inner/f": "x"})
    tree.git("init", "-q", "inner")
    shot = snapshot(bench.found, bench.guarded(tree), REF, "turn", max_untracked=1000)
    assert names_in(bench, shot.commit) == {"README.md", "src/app.py", "small.bin"}
    assert dict(shot.skipped) == {
        "dump.bin": "larger than 0.001 MB (0 MB)",
        "inner/": "a repository of its own",
    }


def test_odd_names_are_kept(bench: Bench):
    tree = bench.worktree("one")
    tree.write(dict.fromkeys(ODD, "x"))
    shot = snapshot(bench.found, bench.guarded(tree), REF, "turn")
    changes = changed_files(bench.found, bench.head, shot.commit)
    assert changes == [ChangedPath(name, "A") for name in sorted(ODD, key=os.fsencode)]
    stats = diffstat(bench.found, bench.head, shot.commit)
    assert stats == [FileStat(name, 1, 0) for name in sorted(ODD, key=os.fsencode)]
    assert changes_and_stats(bench.found, bench.head, shot.commit) == (changes, stats)


def test_an_agent_in_the_middle_of_a_conflict(bench: Bench):
    bench.branch("theirs", {"README.md": "theirs"})
    tree = bench.worktree("one")
    tree.commit("ours", {"README.md": "ours"})
    tree.git("merge", "theirs", check=False)
    before = index_bytes(tree)
    shot = snapshot(bench.found, bench.guarded(tree), REF, "turn")
    assert "<<<<<<<" in bench.repo.git("show", f"{shot.commit}:README.md")
    assert index_bytes(tree) == before
    assert "UU README.md" in tree.git("status", "--porcelain")


def test_a_lost_git_file_does_not_lead_to_the_repository_above(bench: Bench):
    bench.state.mkdir(exist_ok=True)
    Repo(bench.state).git("init", "-q", ".")
    tree = bench.worktree("one")
    tree.write({"README.md": "edited"})
    (tree.path / ".git").unlink()
    shot = snapshot(bench.found, bench.guarded(tree), REF, "turn")
    assert changed_files(bench.found, bench.head, shot.commit) == [ChangedPath("README.md", "M")]
    shutil.rmtree(bench.found.common_dir / "worktrees/one")
    with pytest.raises(GitError, match="no longer has a git folder"):
        build_tree(bench.guarded(tree))


def test_a_tree_shows_uncommitted_work_in_a_diff_and_leaves_no_object(bench: Bench):
    tree = bench.worktree("one")
    disturb(tree)
    objects = bench.repo.git("count-objects", "-v")
    text = worktree_diff(bench.found, bench.guarded(tree), bench.head)
    assert "+edited after staging" in text
    assert "deleted file mode" in text
    assert "noise.log" not in text
    assert "5 files changed" not in text
    short = worktree_diff(bench.found, bench.guarded(tree), bench.head, ("--stat",))
    assert "6 files changed" in short
    assert bench.repo.git("count-objects", "-v") == objects


def test_the_users_diff_settings_do_not_reach_our_diffs(bench: Bench):
    new = bench.branch("b", {"README.md": "# other\n"})
    plain = diff_text(bench.found, bench.head, new)
    for setting in ("color.ui=always", "diff.noprefix=true", "diff.external=false"):
        bench.repo.git("config", *setting.split("="))
    assert diff_text(bench.found, bench.head, new) == plain
    assert plain.startswith("diff --git a/README.md b/README.md\n")


def test_a_submodule_is_recorded_as_a_link(bench: Bench, tmp_path: Path):
    bench.repo.git("clone", "-q", ".", str(tmp_path / "lib"))
    local = ("-c", "protocol.file.allow=always")
    bench.repo.git(*local, "submodule", "--quiet", "add", str(tmp_path / "lib"), "lib")
    bench.repo.git("commit", "-qm", "with a submodule")
    tree = bench.worktree("one")
    assert list((tree.path / "lib").iterdir()) == []
    tree.write({"a.txt": "x"})
    shot = snapshot(bench.found, bench.guarded(tree), REF, "turn")
    assert changed_files(bench.found, bench.head, shot.commit) == [ChangedPath("a.txt", "A")]
