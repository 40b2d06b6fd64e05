"""What counts as landed: nothing but what is in the target, byte for byte."""

from collections.abc import Callable

import pytest

from abreast.git.commit import commit_tree, tree_of
from abreast.git.merge import Landed, is_landed, merge_trees
from abreast.git.repository import find_repository
from tests.git.conftest import Bench
from tests.support.repos import Repo


def landed(bench: Bench, commit: str) -> Landed | None:
    before = bench.repo.git("count-objects", "-v")
    how = is_landed(bench.found, commit, "refs/heads/main")
    assert bench.repo.git("count-objects", "-v") == before
    return how


def squash(bench: Bench, branch: str) -> None:
    bench.repo.git("merge", "-q", "--squash", branch)
    bench.repo.git("commit", "-qm", f"squashed {branch}")


def test_how_work_landed_is_said(bench: Bench):
    merged = bench.branch("merged", {"a": "1"})
    picked = bench.branch("picked", {"b": "1"})
    bench.repo.git("checkout", "-qb", "squashed")
    bench.repo.commit("first", {"c": "1"})
    squashed = bench.repo.commit("second", {"c": "2"})
    bench.repo.git("checkout", "-q", "main")
    open_ = bench.branch("open", {"e": "1"})
    bench.repo.git("merge", "-q", "--no-ff", "-m", "m", "merged")
    bench.repo.git("cherry-pick", "picked")
    squash(bench, "squashed")
    bench.repo.commit("on top", {"z": "z"})
    assert is_landed(bench.found, merged, "refs/heads/main") is Landed.CONTAINED
    assert is_landed(bench.found, picked, "refs/heads/main") is Landed.NOTHING_TO_ADD
    assert is_landed(bench.found, squashed, "refs/heads/main") is Landed.NOTHING_TO_ADD
    assert is_landed(bench.found, open_, "refs/heads/main") is None
    bench.repo.git("revert", "--no-edit", "HEAD~1")
    assert is_landed(bench.found, squashed, "refs/heads/main") is None
    orphan = commit_tree(bench.found, tree_of(bench.found, bench.head), [], "root")
    assert is_landed(bench.found, orphan, "refs/heads/main") is None


def test_white_space_is_work(bench: Bench):
    old = "def f():\n    one()\n"
    bench.repo.commit("f", {"f.py": old})
    session = bench.branch("session", {"f.py": f"{old}        two()\n"})
    bench.repo.commit("by hand", {"f.py": f"{old}    two()\n"})
    assert bench.repo.git("cherry", "main", "session").startswith("-")  # the same, says git
    assert landed(bench, session) is None
    bench.repo.commit("as it was", {"f.py": f"{old}        two()\n"})
    assert landed(bench, session) is Landed.NOTHING_TO_ADD


def test_what_was_picked_and_then_reverted_has_not_landed(bench: Bench):
    session = bench.branch("session", {"a": "1\n"})
    bench.repo.commit("on top", {"z": "z"})
    bench.repo.git("cherry-pick", "session")
    assert landed(bench, session) is Landed.NOTHING_TO_ADD
    bench.repo.git("revert", "--no-edit", "HEAD")
    assert landed(bench, session) is None


def driver(bench: Bench, name: str) -> None:
    bench.repo.git("config", f"merge.{name}.driver", "true")


def by_file(bench: Bench) -> None:
    driver(bench, "ours")
    bench.repo.write({".gitattributes": "* merge=ours\n"})


def by_info(bench: Bench) -> None:
    driver(bench, "ours")
    (bench.found.common_dir / "info").mkdir(exist_ok=True)
    (bench.found.common_dir / "info/attributes").write_text("* merge=ours\n")


def by_user(bench: Bench) -> None:
    driver(bench, "ours")
    (bench.found.common_dir / "mine").write_text("* merge=ours\n")
    bench.repo.git("config", "core.attributesFile", str(bench.found.common_dir / "mine"))


def by_default(bench: Bench) -> None:
    driver(bench, "text")  # a driver may bear the name of a built-in one
    bench.repo.git("config", "merge.default", "text")


def by_line_ends(bench: Bench) -> None:
    bench.repo.git("config", "merge.renormalize", "true")
    bench.repo.write({".gitattributes": "* text\n"})


@pytest.mark.parametrize("ask", [by_file, by_info, by_user, by_default, by_line_ends])
def test_no_driver_or_setting_has_a_say(bench: Bench, ask: Callable[[Bench], None]):
    bench.repo.commit("lines", {"lines": "a\nb\nc\n"})
    theirs = "a\r\nb\r\nc\r\n" if ask is by_line_ends else "A\nb\nc\n"
    session = bench.branch("session", {"lines": theirs})
    bench.repo.commit("meanwhile", {"lines": "a\nb\nC\n" if ask is not by_line_ends else "a\n"})
    ask(bench)
    bench = bench.later()
    if ask is not by_line_ends:
        merged = merge_trees(bench.found, bench.head, session)
        assert merged.tree == tree_of(bench.found, bench.head)  # so the driver has decided
    assert landed(bench, session) is None


def test_shallow_clones_and_long_ids_are_judged_alike(bench: Bench, tmp_path):
    bench.repo.commit("more", {"more": "x"})
    bench.repo.git("clone", "-q", "--depth=1", f"file://{bench.repo.path}", str(tmp_path / "s"))
    long = Repo(tmp_path / "long")
    long.path.mkdir()
    long.git("init", "-q", "-b", "main", "--object-format=sha256")
    for repo in (Repo(tmp_path / "s"), long):
        repo.git("config", "user.name", "Ada")
        repo.git("config", "user.email", "ada@example.com")
        repo.commit("start", {"start": "x"})
        repo.git("checkout", "-qb", "session")
        session = repo.commit("work", {"a": "1"})
        repo.git("checkout", "-q", "main")
        repo.commit("on top", {"z": "z"})
        found = find_repository(repo.path)
        assert is_landed(found, session, "refs/heads/main") is None
        repo.git("cherry-pick", "session")
        assert is_landed(found, session, "refs/heads/main") is Landed.NOTHING_TO_ADD
