"""A worktree that somebody has removed: what git still has of it is kept before that goes too."""

import shutil
from pathlib import Path

import pytest

from abreast.git.apart import set_apart
from abreast.git.behind import keep_modules, left_behind, take_from
from abreast.git.reflog import commits_left
from tests.git.conftest import Bench
from tests.git.test_apart import commit_apart
from tests.git.test_submodules import LOCAL, REF
from tests.support.repos import Repo


@pytest.fixture
def lib(bench: Bench, tmp_path: Path) -> tuple[Bench, Repo, Repo]:
    """A repository with a submodule, a worktree in which it is checked out, and it there."""
    bench.repo.git("clone", "-q", ".", str(tmp_path / "upstream"))
    bench.repo.git(*LOCAL, "submodule", "--quiet", "add", str(tmp_path / "upstream"), "lib")
    bench.repo.git("commit", "-qm", "with a submodule")
    bench = bench.later()
    tree = bench.worktree("one")
    bench.guarded(tree)
    tree.git(*LOCAL, "submodule", "--quiet", "update", "--init")
    inner = Repo(tree.path / "lib")
    inner.git("config", "user.name", "Ada")
    inner.git("config", "user.email", "ada@example.com")
    return bench, tree, inner


def removed(bench: Bench, tree: Repo) -> None:
    """Remove all that is there of a worktree, in the end."""
    shutil.rmtree(bench.found.common_dir / "worktrees" / tree.path.name)


@pytest.mark.parametrize("gone", ["the worktree", "its guard too", "git's folder too"])
def test_commits_of_a_sandbox_are_brought_in(bench: Bench, gone: str):
    tree = bench.worktree("one")
    guarded = bench.guarded(tree)
    set_apart(guarded, rejoins=True)
    head = commit_apart(guarded, "a", "b")
    shutil.rmtree(tree.path)
    if gone == "its guard too":  # with all that was made in the sandbox: nothing can be kept
        shutil.rmtree(guarded.git_dir)
    if gone == "git's folder too":
        removed(bench, tree)
    left = left_behind(bench.found, tree.path)
    assert left is not None
    admin = take_from(bench.found, left)
    found = commits_left(bench.found, admin, bench.head, branch="abreast/run/one")
    assert found == (() if gone == "its guard too" else (head,))
    if gone == "the worktree":
        assert bench.repo.git("rev-parse", "abreast/run/one") == head


def test_nothing_is_left_where_both_folders_are_gone(bench: Bench):
    tree = bench.worktree("one")
    shutil.rmtree(bench.guarded(tree).git_dir)
    shutil.rmtree(tree.path)
    removed(bench, tree)
    assert left_behind(bench.found, tree.path) is None


def test_commits_of_a_submodule_are_kept_amended_ones_too(
    lib: tuple[Bench, Repo, Repo], tmp_path: Path
):
    bench, tree, inner = lib
    amended = inner.commit("first", {"new.txt": "1"})
    inner.git("commit", "-q", "--amend", "-m", "second")
    head = inner.git("rev-parse", "HEAD")
    shutil.rmtree(tree.path)
    left = left_behind(bench.found, tree.path)
    assert left is not None
    take_from(bench.found, left)
    notes = keep_modules(bench.found, left, bench.head, REF, tmp_path / "aside")
    assert notes == keep_modules(bench.found, left, bench.head, REF, tmp_path / "aside")
    removed(bench, tree)
    store = Repo(bench.found.common_dir / "modules/lib")
    store.git("gc", "-q", "--prune=now")
    other = REF.replace("/submodule/", f"/submodule-{amended[:12]}/")
    assert store.git("rev-parse", REF, other).split() == [head, amended]
    store.git("fsck", "--connectivity-only", REF, other)
    assert sorted(notes) == sorted(
        f"submodule lib, at {commit[:12]}: kept as {ref} of {store.path}"
        for commit, ref in ((head, REF), (amended, other))
    )
    assert not (tmp_path / "aside").exists()


def test_one_without_work_is_not_mentioned(lib: tuple[Bench, Repo, Repo], tmp_path: Path):
    bench, tree, _ = lib
    shutil.rmtree(tree.path)
    left = left_behind(bench.found, tree.path)
    assert left is not None
    assert keep_modules(bench.found, left, bench.head, REF, tmp_path / "aside") == ()


@pytest.mark.parametrize("damage", ["no other has it", "its objects are gone"])
def test_a_repository_that_cannot_be_kept_otherwise_is_moved(
    lib: tuple[Bench, Repo, Repo], tmp_path: Path, damage: str
):
    bench, tree, inner = lib
    head = inner.commit("first", {"new.txt": "1"})
    admin = bench.found.common_dir / "worktrees/one/modules/lib"
    if damage == "no other has it":
        shutil.rmtree(bench.found.common_dir / "modules/lib")
    else:
        blob = inner.git("rev-parse", "HEAD:new.txt")
        (admin / "objects" / blob[:2] / blob[2:]).unlink()
    shutil.rmtree(tree.path)
    left = left_behind(bench.found, tree.path)
    assert left is not None
    notes = keep_modules(bench.found, left, bench.head, REF, tmp_path / "aside")
    assert notes == (f"the repository of submodule lib: moved to {tmp_path / 'aside/lib'}",)
    assert not admin.exists()
    assert (tmp_path / "aside/lib/HEAD").read_text().strip() == head
