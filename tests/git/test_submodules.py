"""Submodules of a worktree: their work is kept where all worktrees share it, or is told."""

import shutil
from pathlib import Path

import pytest

from abreast.git.snapshot import Submodule, keep_submodules
from tests.git.conftest import Bench
from tests.support.repos import Repo

REF = "refs/abreast/submodule/run/one"
LOCAL = ("-c", "protocol.file.allow=always")


@pytest.fixture
def lib(bench: Bench, tmp_path: Path) -> tuple[Bench, Repo, Repo]:
    """A repository with a submodule `lib`, a worktree in which it is checked out, and `lib` there.

    Both as `git submodule update` leaves them.
    """
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


def look(bench: Bench, tree: Repo) -> tuple[Submodule, ...]:
    return keep_submodules(bench.found, bench.guarded(tree), bench.head, REF)


def shared(bench: Bench) -> Repo:
    return Repo(bench.found.common_dir / "modules/lib")


def test_one_without_work_is_not_mentioned(lib: tuple[Bench, Repo, Repo]):
    bench, tree, _ = lib
    assert look(bench, tree) == ()
    tree.git("submodule", "--quiet", "deinit", "-f", "lib")
    assert look(bench, tree) == ()


def test_a_commit_is_kept_in_the_store_that_worktrees_share(lib: tuple[Bench, Repo, Repo]):
    bench, tree, inner = lib
    first = inner.commit("first", {"new.txt": "1"})
    head = inner.commit("second", {"new.txt": "2"})
    [found] = look(bench, tree)
    assert found == Submodule("lib", head, f"{REF} of {shared(bench).path}")
    assert look(bench, tree) == (found,)
    shutil.rmtree(tree.path)
    shutil.rmtree(bench.found.common_dir / "worktrees/one")
    shared(bench).git("gc", "-q", "--prune=now")
    assert shared(bench).git("rev-parse", REF, f"{REF}^").split() == [head, first]
    assert shared(bench).git("show", f"{REF}:new.txt") == "2"
    shared(bench).git("fsck", "--connectivity-only", REF)


def test_what_an_earlier_attempt_committed_stays_beside_what_a_later_did(
    lib: tuple[Bench, Repo, Repo],
):
    bench, tree, inner = lib
    earlier = inner.commit("earlier", {"new.txt": "1"})
    look(bench, tree)
    inner.git("reset", "-q", "--hard", f"{earlier}^")
    later = inner.commit("later", {"new.txt": "2"})
    look(bench, tree)
    other = REF.replace("/submodule/", f"/submodule-{earlier[:12]}/")
    assert shared(bench).git("rev-parse", REF, other).split() == [later, earlier]


@pytest.mark.parametrize("setting", ["ignore = all", "ignore = dirty", ""])
def test_edits_are_told_whatever_git_is_told_to_ignore(lib: tuple[Bench, Repo, Repo], setting: str):
    bench, tree, inner = lib
    with (tree.path / ".gitmodules").open("a") as file:
        file.write(f"\t{setting}\n")
    tree.git("config", "diff.ignoreSubmodules", "all")
    inner.write({"README.md": "edited in the submodule"})
    inner.git("update-index", "--assume-unchanged", "README.md")
    [found] = look(bench, tree)
    assert found.why == "it has changes that are not committed in it"


def test_a_commit_that_no_shared_store_can_hold_is_told(lib: tuple[Bench, Repo, Repo]):
    bench, tree, inner = lib
    head = inner.commit("first", {"new.txt": "1"})
    shutil.rmtree(shared(bench).path)
    [found] = look(bench, tree)
    assert found == Submodule("lib", head, why=f"its commit {head[:12]} is in no other repository")


def test_a_repository_made_in_its_place_and_loose_files_are_told(bench: Bench, tmp_path: Path):
    bench.repo.git("clone", "-q", ".", str(tmp_path / "upstream"))
    bench.repo.git(*LOCAL, "submodule", "--quiet", "add", str(tmp_path / "upstream"), "lib")
    bench.repo.git("commit", "-qm", "with a submodule")
    bench = bench.later()
    tree = bench.worktree("one")
    tree.write({"lib/loose.txt": "x"})
    [found] = look(bench, tree)
    assert found.why == "files were written into a submodule that is not checked out"
    inner = Repo(tree.path / "lib")
    inner.git("init", "-q", ".")
    assert look(bench, tree)[0].why == "it is a repository of its own, without a commit"
    head = inner.commit("made here", {"f": "1"})
    assert look(bench, tree)[0].why == f"its commit {head[:12]} is in no other repository"


def test_work_in_a_submodule_of_a_submodule_is_told(lib: tuple[Bench, Repo, Repo], tmp_path: Path):
    bench, tree, inner = lib
    inner.git(*LOCAL, "submodule", "--quiet", "add", str(tmp_path / "upstream"), "deep")
    head = inner.commit("with one of its own", {})
    [found] = look(bench, tree)
    assert (found.head, found.why) == (head, "")
    Repo(inner.path / "deep").write({"README.md": "edited"})
    [found] = look(bench, tree)
    assert found.why == "in its submodule deep, it has changes that are not committed in it"
