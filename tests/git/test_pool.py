"""The warm pool: idle worktrees that keep what git ignores."""

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from abreast.git.pool import Pool, claim, claimant_of, fill, give_back
from abreast.git.repository import read_ref
from abreast.git.status import current_branch
from tests.git.conftest import Bench
from tests.support.repos import Repo


@pytest.fixture
def pool(bench: Bench) -> Pool:
    bench.repo.commit("ignore", {".gitignore": "deps/\n"})
    pool = Pool(bench.found, bench.state / "pool", 2, bench.lock)
    assert fill(pool, bench.head) == 2
    return pool


def take(bench: Bench, pool: Pool, name: str) -> Path | None:
    return claim(pool, name, f"abreast/{name}", bench.head)


def test_a_slot_that_somebody_has_removed_is_idle_again(bench: Bench, pool: Pool):
    first = take(bench, pool, "one")
    assert first
    shutil.rmtree(first)
    give_back(bench.found, first, "one")
    assert claimant_of(first) is None
    assert fill(pool, bench.head) == 1
    assert take(bench, pool, "two") == first


def test_a_slot_is_claimed_clean_and_keeps_its_dependencies(bench: Bench, pool: Pool):
    first = take(bench, pool, "one")
    assert first
    tree = Repo(first)
    tree.write({"deps/lib": "installed", "README.md": "edited", "junk": "x"})
    tree.commit("work", {"a": "1"})
    give_back(bench.found, first, "one")
    give_back(bench.found, first, "one")
    new = bench.repo.commit("meanwhile", {"b": "2"})
    second = take(bench, pool, "two")
    assert second == first
    assert (first / "deps/lib").read_text() == "installed"
    assert not (first / "junk").exists()
    assert (tree.git("rev-parse", "HEAD"), current_branch(first)) == (new, "abreast/two")
    assert tree.git("status", "--porcelain") == ""
    assert read_ref(bench.found, "refs/heads/abreast/one")
    tree.write({"README.md": "of two"})
    give_back(bench.found, first, "one")  # somebody repeats it too late
    assert claimant_of(first) == "two"
    assert (first / "README.md").read_text() == "of two"


@pytest.mark.parametrize("bit", ["--assume-unchanged", "--skip-worktree"])
def test_an_edit_that_no_status_shows_does_not_reach_the_next(bench: Bench, pool: Pool, bit: str):
    slot = take(bench, pool, "one")
    assert slot
    Repo(slot).git("update-index", bit, "README.md")
    (slot / "README.md").write_text("of one\n")
    assert Repo(slot).git("status", "--porcelain") == ""
    give_back(bench.found, slot, "one")
    assert (slot / "README.md").read_text() == "# demo\n"
    assert Repo(slot).git("ls-files", "-v", "README.md") == "H README.md"


def test_a_claim_survives_a_crash(bench: Bench, pool: Pool):
    slot = take(bench, pool, "one")
    assert slot
    (slot / "work").write_text("x")
    assert take(bench, pool, "one") == slot
    assert (slot / "work").exists()
    assert claimant_of(slot) == "one"


def test_no_slot_left_is_none_and_no_slot_has_two_owners(bench: Bench, pool: Pool):
    taken: list[Path | None] = []
    takers = [
        threading.Thread(target=lambda n=n: taken.append(take(bench, pool, f"t{n}")))
        for n in range(6)
    ]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert sorted(slot for slot in taken if slot) == pool.slots
    assert taken.count(None) == 4


def test_a_slot_in_use_by_a_git_command_is_passed_over(bench: Bench, pool: Pool):
    (bench.found.common_dir / "worktrees/slot-1/index.lock").write_text("")
    assert take(bench, pool, "one") == pool.slots[1]
    assert claimant_of(pool.slots[0]) is None


def test_a_branch_that_exists_elsewhere_is_left_to_the_caller(bench: Bench, pool: Pool):
    commit = bench.branch("abreast/one", {"a": "1"})
    assert take(bench, pool, "one") is None
    assert read_ref(bench.found, "refs/heads/abreast/one") == commit
    assert claimant_of(pool.slots[0]) is None


def test_missing_and_half_made_slots_are_filled(bench: Bench, pool: Pool):
    pool.slots[0].with_name(".slot-1.intent").write_text("{}")
    assert take(bench, pool, "one") == pool.slots[1]
    assert take(bench, pool, "two") is None
    assert fill(replace(pool, size=3), bench.head) == 2
    assert take(bench, pool, "two") == pool.slots[0]
