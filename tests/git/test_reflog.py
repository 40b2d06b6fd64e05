"""Commits that only reflogs and pseudo refs hold are found, whatever lies beside them."""

import os
from pathlib import Path

import pytest

from abreast.git.reflog import Entry, commits_left, ids_in, read_log
from tests.git.conftest import Bench

BRANCH = "abreast/run/one"


def admin(bench: Bench) -> Path:
    return bench.found.common_dir / "worktrees/one"


def left(bench: Bench, *known: str) -> set[str]:
    return set(commits_left(bench.found, admin(bench), bench.head, branch=BRANCH, known=known))


def test_a_worktree_without_commits_costs_no_process(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    tree = bench.worktree("one")
    tree.write({"a.txt": "1"})
    calls: list[str] = []
    monkeypatch.setattr("abreast.git.repository.call", lambda *args, **_: calls.append(args[1]))
    assert left(bench) == set()
    assert calls == []


def test_amended_reset_and_rebased_commits_are_found(bench: Bench):
    tree = bench.worktree("one")
    first = tree.commit("first", {"a.txt": "1"})
    tree.git("commit", "-q", "--amend", "-m", "amended")
    amended = tree.git("rev-parse", "HEAD")
    tree.git("reset", "-q", "--hard", "HEAD~1")
    two = tree.commit("two", {"b.txt": "1"})
    three = tree.commit("three", {"c.txt": "1"})
    tree.git("-c", "sequence.editor=sed -i 1d", "rebase", "-q", "-i", "HEAD~2")
    head = tree.git("rev-parse", "HEAD")
    assert left(bench, head) == {first, amended, three}
    assert left(bench) == {first, amended, three, head}
    assert two not in left(bench)  # three contains it


@pytest.mark.parametrize("how", ["rebase", "cherry-pick", "merge", "bisect", "own refs"])
def test_what_a_stopped_operation_holds_is_found(bench: Bench, how: str):
    theirs = bench.branch("theirs", {"README.md": "theirs"})
    tree = bench.worktree("one")
    ours = tree.commit("ours", {"README.md": "ours"})
    later = tree.commit("later", {"b.txt": "1"})
    if how == "rebase":
        tree.write({"b.txt": "edited"})
        tree.git("rebase", "--autostash", theirs, check=False)
        autostash = (admin(bench) / "rebase-merge/autostash").read_text().strip()
        assert left(bench, theirs) == {autostash}  # its parent is `later`
        assert later in bench.repo.git("rev-list", autostash).split()
    elif how in {"cherry-pick", "merge"}:
        tree.git("reset", "-q", "--hard", bench.head)
        other = tree.commit("other", {"README.md": "other"})
        tree.git(how, later if how == "merge" else ours, check=False)
        assert left(bench, theirs) == {later, other}
    elif how == "bisect":
        tree.git("bisect", "start", later, bench.head)
        (admin(bench) / "logs/HEAD").unlink()
        assert left(bench) == {later}
    else:
        tree.git("update-ref", "refs/worktree/mine", later)
        tree.git("checkout", "-q", "-B", BRANCH, bench.head)
        (admin(bench) / "logs/HEAD").unlink()
        bench.repo.git("reflog", "expire", "--expire=all", f"refs/heads/{BRANCH}")
        assert left(bench) == {later}


def test_a_stash_counts_where_it_was_made(bench: Bench):
    tree, other = bench.worktree("one"), bench.worktree("two")
    stashes = []
    for place in (tree, other, tree, bench.repo):
        place.write({"README.md": f"edited {len(stashes)}"})
        place.git("stash", "-q")
        stashes.append(bench.repo.git("rev-parse", "refs/stash"))
    tree.git("checkout", "-q", "--detach")
    tree.write({"README.md": "detached"})
    tree.git("stash", "-q")
    assert left(bench) == {stashes[0], stashes[2], bench.repo.git("rev-parse", "refs/stash")}


def test_what_others_hold_is_not_the_sessions(bench: Bench):
    tree = bench.worktree("one")
    tagged = tree.commit("tagged", {"a.txt": "1"})
    tree.git("tag", "-a", "-m", "x", "kept")
    tree.git("reset", "-q", "--hard", bench.head)
    user = bench.branch("users", {"u.txt": "1"})
    tree.git("merge", "-q", "users")
    tree.git("reset", "-q", "--hard", bench.head)
    assert tagged not in left(bench)
    assert left(bench, user) == set()
    assert left(bench) == {user}


def test_garbage_is_no_obstacle(bench: Bench, tmp_path: Path):
    tree = bench.worktree("one")
    lost = tree.commit("lost", {"a.txt": "1"})
    tree.git("reset", "-q", "--hard", bench.head)
    folder = admin(bench)
    os.mkfifo(folder / "refs-fifo")
    (folder / "ZERO_HEAD").symlink_to("/dev/zero")
    (folder / "LOOP").symlink_to(folder)
    blob = bench.repo.git("hash-object", "-w", "README.md")
    tree_id = bench.repo.git("rev-parse", "HEAD^{tree}")
    (folder / "ODD_HEAD").write_bytes(b"\xff\0" + b"ab" * 20 + f"\n{blob}\n{tree_id}".encode())
    with (folder / "logs/HEAD").open("ab") as log:
        log.write(b"\xffnot an entry\n" + b"a" * 200_000 + b"\n\n" + b"1" * 40)
    assert left(bench) == {lost}
    assert blob in ids_in(folder)


def test_a_commit_with_a_hole_below_it_does_not_hide_the_others(bench: Bench):
    tree = bench.worktree("one")
    gone = tree.commit("gone", {"a.txt": "1"})
    broken = tree.commit("broken", {"b.txt": "1"})
    tree.git("reset", "-q", "--hard", bench.head)
    lost = tree.commit("lost", {"c.txt": "1"})
    (bench.found.common_dir / "objects" / gone[:2] / gone[2:]).unlink()
    found = left(bench)
    assert lost in found
    assert broken not in found


def test_a_reflog_is_read_from_where_one_was(bench: Bench):
    tree = bench.worktree("one")
    log = admin(bench) / "logs/HEAD"
    size = log.stat().st_size
    commit = tree.commit("it: works", {"a.txt": "1"})
    tree.git("checkout", "-q", "--detach", "main")
    made, moved = read_log(log, since=size)
    assert (made.old, made.new, made.message) == (bench.head, commit, "commit: it: works")
    assert (made.checkout, moved.checkout) == (None, (BRANCH, "main"))
    assert isinstance(made, Entry)
    assert len(read_log(log, since=10**9)) == len(read_log(log)) > 2
    assert read_log(log.with_name("none")) == []


def test_git_itself_tells_the_same_where_refs_are_kept_in_tables(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    tree = bench.worktree("one")
    lost = tree.commit("lost", {"a.txt": "1"})
    tree.git("reset", "-q", "--hard", bench.head)
    picked = tree.commit("picked", {"c.txt": "1"})
    tree.git("reset", "-q", "--hard", bench.head)
    monkeypatch.setattr("abreast.git.reflog.ids_in", lambda _: set())
    monkeypatch.setattr("abreast.git.reflog.read_log", lambda *_: [])
    assert left(bench) == set()
    (bench.found.common_dir / "reftable").mkdir()
    assert left(bench) == {lost, picked}
