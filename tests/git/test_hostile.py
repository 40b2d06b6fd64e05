"""What an agent puts in the place of files and folders neither stops us nor leads us elsewhere."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from abreast.errors import GitError
from abreast.git.aside import move_aside
from abreast.git.call import git
from abreast.git.commit import left_in, point_back, seal, switch_detached
from abreast.git.guarded import Guarded
from abreast.git.merge import markers_in
from abreast.git.pipes import unblocked
from abreast.git.repository import delete_ref, swap_ref
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


def committed(bench: Bench, tree: Repo) -> list[str]:
    shot = snapshot(bench.found, bench.guarded(tree), REF, "turn")
    return bench.repo.git("ls-tree", "-r", "--name-only", shot.commit).split("\n")


def test_what_lies_behind_a_link_is_not_in_the_worktree(bench: Bench, tmp_path: Path):
    tree = bench.worktree("one")
    Repo(tmp_path / "outside").write({"app.py": "theirs"})
    shutil.rmtree(tree.path / "src")
    (tree.path / "src").symlink_to(tmp_path / "outside")
    assert build_tree(bench.guarded(tree)).skipped == ()
    assert committed(bench, tree) == ["README.md", "src"]


def test_a_repository_in_the_place_of_a_file_is_told(bench: Bench):
    tree = bench.worktree("one")
    (tree.path / "README.md").unlink()
    inner = Repo(tree.path / "README.md")
    inner.path.mkdir()
    inner.git("init", "-q", ".")
    inner.git(
        "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"
    )
    built = build_tree(bench.guarded(tree))
    assert built.skipped == (("README.md", "a repository of its own"),)


def test_what_a_sparse_checkout_of_the_agents_leaves_out_is_not_deleted(bench: Bench):
    tree = bench.worktree("one")
    tree.write({"docs/new.txt": "n"})
    tree.git("sparse-checkout", "set", "docs")
    assert not (tree.path / "src").exists()
    built = build_tree(bench.guarded(tree))
    assert built.skipped == (("src/app.py", "a sparse checkout leaves it out"),)
    assert committed(bench, tree) == ["README.md", "docs/new.txt", "src/app.py"]


def test_an_index_written_by_hand_names_nothing_outside(bench: Bench):
    tree = bench.worktree("one")
    (tree.path.parent / "xx.txt").write_text("outside")
    tree.write({"new.txt": "n"})
    written = tree.git("hash-object", "-w", "new.txt")
    tree.git("update-index", "--add", "--cacheinfo", f"100644,{written},AA/xx.txt")
    index = bench.guarded(tree).admin / "index"
    content = index.read_bytes()[:-20].replace(b"AA/xx.txt", b"../xx.txt")
    index.write_bytes(content + hashlib.sha1(content, usedforsecurity=False).digest())
    assert "../xx.txt" in tree.git("ls-files")
    assert committed(bench, tree) == ["README.md", "new.txt", "src/app.py"]


@pytest.mark.parametrize("attribute", ["filter=bad", "working-tree-encoding=UTF-16"])
def test_a_file_that_cannot_be_converted_keeps_no_other_one_out(bench: Bench, attribute: str):
    bench.repo.git("config", "filter.bad.clean", "false")
    bench.repo.git("config", "filter.bad.required", "true")
    bench = bench.later()
    tree = bench.worktree("one")
    names = [f"{letter}.{kind}" for letter in "abcde" for kind in ("bad", "txt")]
    tree.write({".gitattributes": f"*.bad {attribute}\n", **dict.fromkeys(names, "x")})
    built = build_tree(bench.guarded(tree))
    assert [path for path, _ in built.skipped] == [name for name in names if "bad" in name]
    assert all(reason.startswith("git refuses it: ") for _, reason in built.skipped)
    kept = committed(bench, tree)
    assert [name for name in names if name in kept] == [name for name in names if "txt" in name]


MARKED = "<<<<<<< a\n1\n=======\n2\n>>>>>>> b\n"
ODD = ["new\nline", ":colon", "*.star", '"q"', "tab\tx", "ff\fx", "x:3: leftover conflict marker"]


def marked(bench: Bench, tree: Repo) -> tuple[str, ...]:
    guarded = bench.guarded(tree)
    return markers_in(bench.found, guarded, bench.head, build_tree(guarded).tree)


def test_markers_are_found_whatever_a_file_is_called(bench: Bench):
    tree = bench.worktree("one")
    tree.write({**dict.fromkeys(ODD, MARKED), "star": "<<<<<<< a\n"})
    assert marked(bench, tree) == tuple(sorted(ODD))


def test_a_session_may_say_that_markers_are_meant(bench: Bench):
    tree = bench.worktree("one")
    tree.write({"manual.md": MARKED, "code.py": MARKED})
    assert marked(bench, tree) == ("code.py", "manual.md")
    tree.write({".gitattributes": "*.md conflict-marker-size=32\n"})
    assert marked(bench, tree) == ("code.py",)


def test_a_ref_of_ours_that_names_no_commit_any_more_is_written_anew(bench: Bench):
    tree = bench.worktree("one")
    tree.write({"new.txt": "n"})
    (bench.repo.path / ".git" / REF).parent.mkdir(parents=True)
    (bench.repo.path / ".git" / REF).write_text("1" * 40 + "\n")
    assert "new.txt" in committed(bench, tree)
    bench.repo.git("update-ref", REF, bench.repo.git("hash-object", "-w", "README.md"))
    assert "new.txt" in committed(bench, tree)
