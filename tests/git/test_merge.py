"""Merging without a checkout, and moving a target without touching what the user has there."""

import hashlib
import threading
from itertools import combinations
from pathlib import Path

import pytest

from abreast.errors import GitError, StateError
from abreast.git.advance import Advance, AdvanceOutcome, advance
from abreast.git.commit import commit_tree, tree_of
from abreast.git.merge import (
    Clash,
    fast_forwardable,
    merge_trees,
    predict_conflicts,
)
from abreast.git.repository import Repository
from tests.git.conftest import Bench
from tests.support.repos import Repo


def contents(checkout: Path) -> dict[str, str]:
    """Every file of a checkout and its index, by digest."""
    files = [f for f in checkout.rglob("*") if f.is_file() and ".git" not in f.parts]
    return {
        str(file): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in [*files, checkout / ".git/index", checkout / ".git/HEAD"]
    }


def aside(bench: Bench) -> None:
    """Leave `main`, so that it is checked out nowhere."""
    bench.repo.git("checkout", "-q", "--detach")


def land(bench: Bench, new: str, *, old: str) -> Advance:
    journals = bench.state / "forwards"
    return advance(bench.found, "main", new=new, old=old, reason="land", journals=journals)


def test_a_clean_merge_is_a_tree_and_nothing_else(bench: Bench):
    one, two = bench.branch("one", {"a": "1"}), bench.branch("two", {"b": "2"})
    merged = merge_trees(bench.found, one, two)
    assert merged.clean
    assert set(bench.repo.git("ls-tree", "--name-only", merged.tree).split()) >= {"a", "b"}
    assert bench.repo.git("status", "--porcelain") == ""


def test_conflicts_are_listed_by_path(bench: Bench):
    names = ["README.md", "new\nline", "-dash", "bad\udcffbyte"]
    one = bench.branch("one", dict.fromkeys(names, "1\n"))
    two = bench.branch("two", dict.fromkeys(names, "2\n"))
    merged = merge_trees(bench.found, one, two)
    assert not merged.clean
    assert sorted(merged.conflicts) == sorted(names)


def test_unrelated_histories_are_an_error(bench: Bench):
    other = commit_tree(bench.found, tree_of(bench.found, bench.head), [], "root")
    with pytest.raises(GitError, match="unrelated histories"):
        merge_trees(bench.found, bench.head, other)


def test_predictions_are_exact_and_leave_nothing(bench: Bench):
    base = bench.repo.commit("more", {"d/x": "x\n" * 9, "d/y": "y\n" * 9, "f": "f"})
    commits = {
        "edit x": bench.branch("b1", {"d/x": "1\n" + "x\n" * 8}),
        "edit x too": bench.branch("b2", {"d/x": "2\n" + "x\n" * 8}),
        "edit end of x": bench.branch("b3", {"d/x": "x\n" * 8 + "3\n"}),
        "edit y": bench.branch("b4", {"d/y": "other\n" + "y\n" * 8}),
        "add in d": bench.branch("b5", {"d/z": "z"}),
    }
    bench.repo.git("checkout", "-qb", "b6")
    bench.repo.git("mv", "d", "e")
    bench.repo.git("commit", "-qm", "rename d")
    commits["rename d"] = bench.repo.git("rev-parse", "HEAD")
    bench.repo.git("checkout", "-qb", "b7", "main")
    bench.repo.git("rm", "-q", "f")
    commits["f a folder"] = bench.repo.commit("folder", {"f/g": "g"})
    bench.repo.git("checkout", "-q", "main")
    commits["edit f"] = bench.branch("b8", {"f": "f2"})
    before = bench.repo.git("count-objects", "-v")
    clashes = predict_conflicts(bench.found, base, commits)
    assert bench.repo.git("count-objects", "-v") == before
    assert {(clash.one, clash.other) for clash in clashes} == {
        ("edit x", "edit x too"),
        ("add in d", "rename d"),
        ("f a folder", "edit f"),
    }
    assert clashes[0] == Clash("edit x", "edit x too", ("d/x",))
    for one, other in combinations(commits.items(), 2):  # what is not named merges cleanly
        named = any((c.one, c.other) == (one[0], other[0]) for c in clashes)
        assert merge_trees(bench.found, one[1], other[1]).clean is not named


def test_a_target_that_nobody_has_checked_out_moves(bench: Bench):
    old, new = bench.head, bench.branch("one", {"a": "1"})
    aside(bench)
    assert land(bench, new, old=old) == Advance(AdvanceOutcome.ADVANCED, new)
    assert bench.repo.git("reflog", "-1", "--format=%gs", "main") == "land"
    assert land(bench, new, old=old) == Advance(AdvanceOutcome.ADVANCED, new)


def test_a_checked_out_target_comes_along_and_keeps_unrelated_edits(bench: Bench):
    old, new = bench.head, bench.branch("one", {"a": "1"})
    bench.repo.write({"README.md": "edited", "untracked": "u", "src/app.py": "staged"})
    bench.repo.git("add", "src/app.py")
    bench.repo.git("config", "merge.autoStash", "true")
    assert land(bench, new, old=old) == Advance(AdvanceOutcome.ADVANCED, new, bench.repo.path)
    assert (bench.repo.path / "a").read_text() == "1"
    status = bench.repo.git("status", "--porcelain", "-z")
    assert status.split("\0")[:-1] == ["M README.md", "M  src/app.py", "?? untracked"]  # stripped
    assert bench.repo.git("stash", "list") == ""


@pytest.mark.parametrize("kind", ["edited", "staged", "untracked", "ignored", "merging"])
def test_a_refusal_leaves_every_byte_as_it_was(bench: Bench, kind: str):
    bench.repo.commit("ignore", {".gitignore": "secret\n"})
    old = bench.head
    bench.repo.git("checkout", "-qb", "one")
    bench.repo.write({"README.md": "theirs\n", "new": "theirs\n", "secret": "theirs\n"})
    bench.repo.git("add", "-Af", ".")
    bench.repo.git("commit", "-qm", "theirs")
    new = bench.repo.git("rev-parse", "HEAD")
    bench.repo.git("checkout", "-q", "main")
    if kind == "merging":
        other = bench.branch("other", {"src/app.py": "x"})
        bench.repo.git("merge", "-q", "--no-ff", "--no-commit", other)
    names = {"edited": "README.md", "staged": "README.md", "untracked": "new", "ignored": "secret"}
    if kind in names:
        bench.repo.write({names[kind]: "mine\n"})
    if kind == "staged":
        bench.repo.git("add", "README.md")
    bench.repo.git("config", "merge.autoStash", "true")
    before = contents(bench.repo.path)
    end = land(bench, new, old=old)
    assert (end.outcome, end.at, end.checkout) == (AdvanceOutcome.BLOCKED, old, bench.repo.path)
    assert end.words
    assert contents(bench.repo.path) == before
    assert bench.head == old
    assert bench.repo.git("stash", "list") == ""


def test_a_target_in_the_middle_of_a_rebase_is_left_alone(bench: Bench):
    base = bench.branch("base", {"README.md": "base"})
    bench.repo.commit("mine", {"README.md": "mine"})
    old, new = bench.head, bench.branch("one", {"a": "1"})
    bench.repo.git("rebase", base, check=False)
    end = land(bench, new, old=old)
    assert (end.outcome, end.checkout) == (AdvanceOutcome.BLOCKED, bench.repo.path)
    assert "rebase" in end.words
    assert bench.head == old


def test_no_session_has_its_worktree_moved_by_a_landing(bench: Bench):
    """An agent that checks the target out could have its own hooks and filters run by us."""
    old, new = bench.head, bench.branch("one", {"a": "1"})
    aside(bench)
    tree = bench.worktree("agent")
    tree.git("checkout", "-q", "main")
    tree.git("config", "core.hooksPath", str(tree.path))
    tree.write({"reference-transaction": "#!/bin/sh\ntouch executed\n"})
    (tree.path / "reference-transaction").chmod(0o755)
    end = land(bench, new, old=old)
    assert (end.outcome, end.checkout) == (AdvanceOutcome.BLOCKED, tree.path)
    assert end.words == f"{tree.path} is a session's worktree"
    assert not (tree.path / "executed").exists()


def test_a_checkout_that_leads_elsewhere_blocks(bench: Bench, tmp_path: Path):
    old, new = bench.head, bench.branch("one", {"a": "1"})
    aside(bench)
    linked, other = tmp_path / "linked", tmp_path / "other"
    bench.repo.git("worktree", "add", "-q", str(linked), "main")
    bench.repo.git("clone", "-q", "--bare", str(bench.repo.path), str(other))
    (linked / ".git").write_text(f"gitdir: {other}\n")
    end = land(bench, new, old=old)
    assert (end.outcome, end.at) == (AdvanceOutcome.BLOCKED, old)
    assert end.words == f"{linked}/.git does not lead to {bench.found.common_dir}"


def test_a_checkout_that_is_gone_blocks(bench: Bench, tmp_path: Path):
    old, new = bench.head, bench.branch("one", {"a": "1"})
    aside(bench)
    bench.repo.git("worktree", "add", "-q", str(tmp_path / "gone"), "main")
    (tmp_path / "gone").rename(tmp_path / "moved")
    end = land(bench, new, old=old)
    assert (end.outcome, end.checkout) == (AdvanceOutcome.BLOCKED, tmp_path / "gone")


def test_a_target_that_has_moved_is_said_so(bench: Bench):
    old, new = bench.head, bench.branch("one", {"a": "1"})
    now = bench.repo.commit("meanwhile", {"b": "2"})
    assert land(bench, new, old=old) == Advance(AdvanceOutcome.MOVED, now)
    aside(bench)
    assert land(bench, new, old=old) == Advance(AdvanceOutcome.MOVED, now)


def test_what_would_drop_commits_or_has_no_target_is_refused(bench: Bench):
    old, sideways = bench.head, bench.branch("one", {"a": "1"})
    later = bench.repo.commit("later", {"b": "2"})
    assert fast_forwardable(bench.found, old, later)
    with pytest.raises(StateError, match="does not contain"):
        land(bench, sideways, old=later)
    with pytest.raises(StateError, match="no branch"):
        advance(bench.found, "nope", new=later, old=old, reason="x", journals=bench.state)


def commits_on(repo: Repository, base: str, count: int) -> list[str]:
    tree = tree_of(repo, base)
    return [commit_tree(repo, tree, [base], f"lander {n}") for n in range(count)]


@pytest.mark.parametrize("checked_out", [True, False])
def test_of_several_landers_exactly_one_wins(bench: Bench, *, checked_out: bool):
    if not checked_out:
        aside(bench)
    for _ in range(5):
        old = bench.head
        ends: list[Advance] = []
        start = threading.Barrier(3)

        def race(new: str, old: str = old, start: threading.Barrier = start) -> None:
            start.wait()
            ends.append(land(bench, new, old=old))  # noqa: B023

        racers = [
            threading.Thread(target=race, args=(new,)) for new in commits_on(bench.found, old, 3)
        ]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        outcomes = sorted(end.outcome for end in ends)
        assert outcomes == [AdvanceOutcome.ADVANCED, AdvanceOutcome.MOVED, AdvanceOutcome.MOVED]
        assert {end.at for end in ends} == {bench.head}


def test_a_checkout_may_be_a_linked_worktree(bench: Bench, tmp_path: Path):
    old, new = bench.head, bench.branch("one", {"a": "1"})
    aside(bench)
    linked = Repo(tmp_path / "linked")
    bench.repo.git("worktree", "add", "-q", str(linked.path), "main")
    assert land(bench, new, old=old) == Advance(AdvanceOutcome.ADVANCED, new, linked.path)
    assert linked.git("status", "--porcelain") == ""
