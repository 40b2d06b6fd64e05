"""Objects come into the store so that no `git gc --prune=now` takes them on the way."""

import os
import time
from pathlib import Path

import pytest

from abreast.errors import GitError
from abreast.git.commit import anchor, commit_tree
from abreast.git.packs import MANY
from abreast.git.publish import pack, pack_made, published
from abreast.git.snapshot import build_tree, snapshot
from tests.git.conftest import Bench
from tests.support.repos import Repo

REF = "refs/abreast/snap/run/one"


def packs(bench: Bench) -> list[Path]:
    return sorted((bench.found.common_dir / "objects/pack").glob("pack-*.pack"))


def collect(bench: Bench) -> None:
    bench.repo.git("reflog", "expire", "--expire=now", "--all")
    bench.repo.git("gc", "-q", "--prune=now")


def made(bench: Bench, tree: Repo) -> str:
    where = bench.guarded(tree)
    found = build_tree(where).tree
    return commit_tree(bench.found, found, [bench.head], "work", env=where.objects)


def test_a_gc_at_any_moment_takes_nothing(bench: Bench):
    tree = bench.worktree("one")
    tree.write({"new.txt": "work", "staged.txt": "by the agent"})
    tree.git("add", "staged.txt")  # in the store, and found there
    tree.git("rm", "-q", "--cached", "staged.txt")
    tries = []

    def make(again: bool) -> str:
        commit = made(bench, tree)
        if not again:
            collect(bench)  # takes what was found there
        tries.append(again)
        return commit

    where, known = bench.guarded(tree), [bench.head]
    packed = pack_made(where, make, known)
    assert tries == [False, True]
    collect(bench)
    with published(bench.found, where, packed, known=known) as commit:
        collect(bench)
        anchor(bench.found, REF, commit, reason="kept")
        collect(bench)
    collect(bench)
    assert bench.repo.git("show", f"{REF}:new.txt", f"{REF}:staged.txt") == "workby the agent"
    bench.repo.git("fsck", "--connectivity-only")
    assert list((bench.found.common_dir / "objects/pack").glob("*.keep")) == []


def test_what_is_not_whole_is_an_error(bench: Bench):
    tree = bench.worktree("one")
    tree.write({"new.txt": "work"})
    commit, where, known = made(bench, tree), bench.guarded(tree), [bench.head]
    coming = published(bench.found, where, (commit, pack(where, [commit], known)), known=known)
    coming.__enter__()
    for file in packs(bench):  # as if somebody had deleted it by hand
        for part in file.parent.glob(f"{file.stem}.*"):
            part.unlink()
    with pytest.raises(GitError):
        coming.__exit__(None, None, None)


def test_marks_of_a_killed_process_go_and_those_of_others_stay(bench: Bench):
    store = bench.found.common_dir / "objects/pack"
    store.mkdir(exist_ok=True)
    old, young, foreign = (store / f"pack-{name}.keep" for name in ("old", "young", "foreign"))
    old.write_text("abreast 1\n")
    young.write_text("abreast 2\n")
    foreign.write_text("somebody's\n")
    hours = time.time() - 7200
    for keep in (old, foreign):
        os.utime(keep, (hours, hours))
    tree = bench.worktree("one")
    tree.write({"new.txt": "work"})
    snapshot(bench.found, bench.guarded(tree), REF, "turn")
    assert not old.exists()
    assert young.exists()
    assert foreign.exists()


class Publisher:
    """Brings commits with a file each into the store, each in a pack and under a ref of its own."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.where = bench, bench.guarded(bench.worktree("one"))
        self.refs: list[str] = []

    def publish(self, count: int) -> None:
        found, objects = self.bench.found, self.where.objects
        for number in range(len(self.refs), len(self.refs) + count):
            blob = found.call("hash-object", "-w", "--stdin", env=objects, stdin=f"{number}\n")
            row = f"100644 blob {blob.stdout.strip()}\tnew.txt\n"
            tree = found.call("mktree", env=objects, stdin=row).stdout.strip()
            commit = commit_tree(found, tree, [self.bench.head], f"no. {number}", env=objects)
            self.bench.publish(self.where, commit, f"{REF}{number}")
            self.refs.append(f"{REF}{number}")

    def require_whole(self) -> None:
        self.bench.repo.git("fsck", "--connectivity-only")
        shown = [self.bench.repo.git("show", f"{ref}:new.txt") for ref in self.refs[:: MANY - 1]]
        assert shown == [f"{number}" for number in range(0, len(self.refs), MANY - 1)]


def test_many_small_packs_become_one(bench: Bench):
    many = Publisher(bench)
    many.publish(MANY - 1)
    kept = packs(bench)[-1]
    kept.with_suffix(".keep").write_text("somebody's\n")
    assert len(packs(bench)) == MANY - 1
    many.publish(1)
    assert len(packs(bench)) == 2
    assert kept in packs(bench)
    parts = {file.suffix for file in kept.parent.iterdir() if file.stem != kept.stem}
    assert parts <= {".idx", ".pack", ".rev"}
    many.require_whole()
    many.publish(MANY - 1)  # with the one from before, that is many again
    assert len(packs(bench)) == 2
    collect(bench)
    many.require_whole()


def test_packs_that_git_has_listed_stay_as_they_are(bench: Bench):
    many = Publisher(bench)
    many.publish(2)
    bench.repo.git("multi-pack-index", "write")
    many.publish(MANY - 2)
    assert len(packs(bench)) == MANY
    many.require_whole()
