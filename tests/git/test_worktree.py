"""Worktrees: made at once by many, recovered after a kill, never at the cost of somebody's work."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from abreast.errors import GitError, StateError
from abreast.git.making import Made, Ready, empty_trash, ensure_worktree, remove_worktree
from abreast.git.registering import can_register
from abreast.git.repository import find_repository, read_ref
from abreast.git.worktree import (
    Health,
    WorktreeSpec,
    admin_dirs,
    drop_stale_locks,
    list_worktrees,
    worktree_health,
)
from tests.git.conftest import Bench
from tests.support.repos import Repo

ROOT = Path(__file__).parents[2]


class Maker:
    """Processes that each ensure one worktree (see tests/git/maker.py)."""

    def __init__(self, bench: Bench) -> None:
        argv = [sys.executable, "-m", "tests.git.maker", bench.repo.path, bench.lock]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)

    def ask(self, line: str) -> int:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def start(self, spec: WorktreeSpec) -> int:
        return self.ask(json.dumps(asdict(spec) | {"path": str(spec.path)}))

    def wait(self, pid: int) -> int:
        return self.ask(f"wait {pid}")


@pytest.fixture
def maker(bench: Bench) -> Iterator[Maker]:
    maker = Maker(bench)
    yield maker
    maker.process.communicate()


def assert_whole(bench: Bench, spec: WorktreeSpec) -> None:
    assert worktree_health(bench.found, spec)[0] is Health.HEALTHY
    tree = Repo(spec.path)
    assert tree.git("status", "--porcelain") == ""
    assert tree.git("rev-parse", "HEAD") == spec.base
    assert not list(spec.path.parent.glob(f"{spec.path.name}.*"))


def test_new_worktree_is_clean_locked_and_on_its_branch(bench: Bench):
    spec = bench.spec("one")
    ready = bench.ensure(spec)
    assert ready == Ready(spec.path, bench.head, Made.NEW)
    assert_whole(bench, spec)
    assert (spec.path / "src/app.py").read_text() == (bench.repo.path / "src/app.py").read_text()
    main, one = list_worktrees(bench.found)
    assert (main.path, main.branch, main.locked) == (bench.repo.path, "main", None)
    assert (one.path, one.branch, one.locked) == (spec.path, spec.branch, spec.reason)
    assert bench.repo.git("status", "--porcelain") == ""
    assert bench.ensure(spec).made is Made.REUSED


def test_thirty_two_processes_at_once_all_succeed(bench: Bench, maker: Maker):
    specs = [bench.spec(f"t{n}") for n in range(32)]
    pids = [maker.start(spec) for spec in specs]
    assert [maker.wait(pid) for pid in pids] == [0] * 32
    for spec in specs:
        assert_whole(bench, spec)
    assert len(list_worktrees(bench.found)) == 33


def test_a_kill_at_any_moment_is_recovered_from(bench: Bench, maker: Maker):
    bench.repo.commit("many", {f"d{n % 20}/f{n}": f"{n}\n" * 20 for n in range(400)})
    chance = random.Random(7)  # noqa: S311
    seen = []
    for number in range(25):
        spec = bench.spec(f"k{number}")
        pid = maker.start(spec)
        time.sleep(chance.uniform(0, 0.06))  # the moment of the kill, not a wait for anything
        os.kill(pid, signal.SIGKILL)
        maker.wait(pid)
        seen.append(worktree_health(bench.found, spec)[0])
        bench.ensure(spec)
        assert_whole(bench, spec)
    assert Health.HALF_MADE in seen
    assert len(admin_dirs_of_all(bench)) == 25
    assert list(bench.found.common_dir.glob("abreast-*")) == []
    bench.repo.git("fsck", "--no-dangling")


def told(bench: Bench, path: Path) -> dict[str, str]:
    """Return what is in git's folder for a worktree that a `git worktree add` has just made."""
    (admin,) = (
        one for one in admin_dirs_of_all(bench) if str(path) in (one / "gitdir").read_text()
    )
    files = {str(file.relative_to(admin)): file for file in admin.rglob("*") if file.is_file()}
    found = {name: file.read_text() for name, file in files.items() if name != "index"}
    who = found["logs/HEAD"]
    return found | {"logs/HEAD": f"{who[:82]}…{who[who.index('+') :]}", "folder": admin.name}


@pytest.mark.parametrize("branch", ["abreast/run/one", ""])
def test_it_is_registered_as_git_does_it(bench: Bench, branch: str):
    theirs, ours = bench.state / "theirs/one", bench.spec("one", branch=branch)
    how = ["-b", "their"] if branch else ["--detach"]
    options = ("--no-checkout", "--lock", "--reason", ours.reason)
    bench.repo.git("worktree", "add", "-q", *options, *how, str(theirs), bench.head)
    bench.ensure(ours)
    assert can_register(bench.found, ours)
    expected = {
        name: text.replace(str(theirs), str(ours.path)).replace("heads/their", f"heads/{branch}")
        for name, text in told(bench, theirs).items()
    }
    assert told(bench, ours.path) == expected | {"folder": "one1"}
    pointer = bench.found.common_dir / "worktrees/one1"
    assert (ours.path / ".git").read_text() == f"gitdir: {pointer}\n"
    assert_whole(bench, ours)


def test_what_depends_on_settings_is_registered_by_git(bench: Bench):
    plain, odd = bench.spec("one"), bench.spec("o~ne", branch="odd")
    assert can_register(bench.found, plain)
    assert not can_register(bench.found, odd)
    bench.ensure(odd)
    assert_whole(bench, odd)
    bench.repo.git("config", "core.logAllRefUpdates", "false")
    assert not can_register(bench.found, plain)
    bench.repo.git("config", "core.logAllRefUpdates", "true")
    assert can_register(bench.found, plain)
    bench.repo.git("sparse-checkout", "set", "--no-cone", "*.md")
    bench.ensure(plain)
    assert bench.repo.git("config", "extensions.worktreeConfig") == "true"
    (admin,) = admin_dirs(bench.found, plain)
    assert (admin / "info/sparse-checkout").exists()


def admin_dirs_of_all(bench: Bench) -> list[Path]:
    return sorted((bench.found.common_dir / "worktrees").iterdir())


@pytest.mark.parametrize(
    "stage", ["empty", "stray head", "locked only", "no head", "partly checked out"]
)
def test_leavings_of_git_itself_are_removed(bench: Bench, stage: str):
    """What a `git worktree add` leaves that is killed between two of its own steps."""
    spec = bench.spec("one")
    bench.ensure(spec)
    (admin,) = admin_dirs(bench.found, spec)
    spec.intent.write_text(json.dumps({"branch": spec.branch, "base": spec.base, "marker": "x"}))
    if stage == "partly checked out":
        (spec.path / "README.md").unlink()
        (admin / "index.lock").write_text("")
        (bench.found.common_dir / f"{spec.ref}.lock").write_text("")
    else:
        shutil.rmtree(spec.path)
        keep = {
            "empty": [],
            "stray head": ["HEAD"],
            "locked only": ["locked"],
            "no head": ["locked", "gitdir"],
        }[stage]
        for entry in admin.iterdir():
            if entry.name not in keep:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    assert bench.ensure(spec).made is Made.REPAIRED
    assert_whole(bench, spec)
    assert len(admin_dirs_of_all(bench)) == 1


def test_repair_touches_no_other_worktree(bench: Bench):
    other = bench.worktree("one1")
    other.write({"mine.txt": "work"})
    spec = bench.spec("one")
    spec.intent.write_text(json.dumps({"branch": spec.branch, "base": spec.base}))
    assert bench.ensure(spec).made is Made.REPAIRED
    assert other.git("status", "--porcelain") == "?? mine.txt"


def test_a_deleted_folder_comes_back_from_its_branch(bench: Bench):
    tree = bench.worktree("one")
    commit = tree.commit("work", {"new.txt": "x"})
    shutil.rmtree(tree.path)
    ready = bench.ensure(bench.spec("one"))
    assert (ready.made, ready.head) == (Made.RESTORED, commit)
    assert (tree.path / "new.txt").read_text() == "x"


def test_work_in_a_worktree_is_kept_when_it_is_ensured_again(bench: Bench):
    tree = bench.worktree("one")
    commit = tree.commit("work", {"new.txt": "x"})
    tree.write({"draft.txt": "y", "README.md": "changed"})
    ready = bench.ensure(bench.spec("one"))
    assert (ready.made, ready.head) == (Made.REUSED, commit)
    assert tree.git("status", "--porcelain").splitlines() == ["M README.md", "?? draft.txt"]


@pytest.mark.parametrize("spoil", ["branch", "base", "no git file", "other repository"])
def test_something_else_in_its_place_is_refused_and_kept(bench: Bench, spoil: str):
    tree = bench.worktree("one")
    tree.write({"precious.txt": "x"})
    spec = bench.spec("one")
    if spoil == "branch":
        tree.git("checkout", "-qb", "elsewhere")
    elif spoil == "base":
        spec = replace(spec, base=bench.branch("later", {"a": "b"}))
    else:
        (tree.path / ".git").unlink()
        if spoil == "other repository":
            tree.git("init", "-q")
    with pytest.raises(StateError) as caught:
        bench.ensure(spec)
    assert str(tree.path) in caught.value.message
    assert caught.value.hint
    assert (tree.path / "precious.txt").read_text() == "x"
    assert read_ref(bench.found, spec.ref) == bench.head


def test_no_tasks_name_is_the_intent_of_another(bench: Bench):
    """`.intent` may end a task's id: its worktree must not make the other look half made."""
    names = ("one", "one.intent", "one.intent.intent", "one.writing")
    for name in names:
        assert bench.ensure(bench.spec(name)).made is Made.NEW
        bench.spec(name).path.joinpath("work").write_text(name)
    for name in names:
        assert bench.ensure(bench.spec(name)).made is Made.REUSED
        assert bench.spec(name).path.joinpath("work").read_text() == name


def test_an_intent_of_an_earlier_version_is_heeded(bench: Bench):
    spec = bench.spec("one")
    bench.ensure(spec)
    earlier = spec.path.with_name("one.intent")
    earlier.write_text(json.dumps({"branch": spec.branch, "base": spec.base, "marker": "x"}))
    assert bench.ensure(spec).made is Made.REPAIRED
    assert not earlier.exists()


def test_a_branch_of_that_name_that_is_somebody_elses_is_refused(bench: Bench):
    bench.branch("abreast/run/one", {"a": "b"})
    later = bench.repo.commit("later", {"c": "d"})
    with pytest.raises(StateError, match="does not build on"):
        bench.ensure(bench.spec("one", base=later))
    assert bench.repo.git("branch", "--list", "abreast/*").strip() == "abreast/run/one"
    assert not bench.spec("one").path.exists()


def test_a_branch_checked_out_elsewhere_is_refused_and_not_deleted(bench: Bench):
    spec = bench.spec("one", branch="main")
    with pytest.raises(GitError, match="already checked out"):
        bench.ensure(spec)
    assert bench.repo.git("rev-parse", "main") == spec.base
    assert not spec.intent.exists()
    assert len(list_worktrees(bench.found)) == 1


def test_post_checkout_hook_runs_as_git_worktree_add_runs_it(bench: Bench):
    hook = bench.repo.path / ".git/hooks/post-checkout"
    hook.write_text('#!/bin/sh\necho "$@" > hooked\npwd >> hooked\necho no >&2\nexit 3\n')
    hook.chmod(0o755)
    bench = bench.later()
    spec = bench.spec("one")
    ready = bench.ensure(spec)
    said = (spec.path / "hooked").read_text().splitlines()
    assert said == [f"{'0' * 40} {spec.base} 1", str(spec.path)]
    assert ready.notes == ("the post-checkout hook failed (3): no",)


def test_a_poisoned_environment_reaches_no_git(bench: Bench):
    spec = bench.spec("one")
    with pytest.MonkeyPatch.context() as poison:
        for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
            poison.setenv(name, "/nowhere")
        poison.setenv("GIT_CONFIG_PARAMETERS", "'core.bare'='true'")
        bench.ensure(spec)
    assert_whole(bench, spec)


def test_removal_is_a_rename_that_keeps_the_branch(bench: Bench):
    spec = bench.spec("one")
    tree = bench.worktree("one")
    commit = tree.commit("work", {"new.txt": "x"})
    moved = remove_worktree(bench.found, spec, trash=bench.trash, lock=bench.lock)
    assert moved
    assert (moved / "new.txt").exists()
    assert not spec.path.exists()
    assert len(list_worktrees(bench.found)) == 1
    assert read_ref(bench.found, spec.ref) == commit
    assert remove_worktree(bench.found, spec, trash=bench.trash, lock=bench.lock) is None
    assert empty_trash(bench.trash) == 1
    assert list(bench.trash.iterdir()) == []


def test_a_removal_that_was_cut_short_is_finished_by_the_next(bench: Bench):
    spec = bench.spec("one")
    bench.ensure(spec)
    spec.path.rename(bench.state / "elsewhere")
    remove_worktree(bench.found, spec, trash=bench.trash, lock=bench.lock)
    assert admin_dirs(bench.found, spec) == []
    assert bench.ensure(spec).made is Made.NEW


@pytest.mark.parametrize("commits", [0, 2])
def test_a_branch_that_was_removed_is_made_again_where_head_was(bench: Bench, commits: int):
    tree, spec = bench.worktree("one"), bench.spec("one")
    made = [bench.head, *(tree.commit(f"own {n}", {f"{n}.txt": "own"}) for n in range(commits))]
    tree.write({"half.txt": "half"})
    bench.repo.git("update-ref", "-d", spec.ref)
    ready = bench.ensure(spec)
    assert (ready.made, ready.head) == (Made.REUSED, made[-1])
    assert read_ref(bench.found, spec.ref) == made[-1]
    assert "was removed, by whom is not known" in ready.notes[0]
    assert tree.git("status", "--porcelain") == "?? half.txt"


def test_the_main_checkout_is_never_removed(bench: Bench):
    spec = WorktreeSpec(bench.repo.path, "main", bench.head, "x")
    with pytest.raises(StateError, match="is not a worktree of"):
        remove_worktree(bench.found, spec, trash=bench.trash, lock=bench.lock)
    assert (bench.repo.path / "README.md").exists()


def test_locks_of_a_dead_git_can_be_dropped(bench: Bench):
    tree, spec = bench.worktree("one"), bench.spec("one")
    (admin,) = admin_dirs(bench.found, spec)
    assert drop_stale_locks(bench.found, tree.path, spec.branch) == []
    branch = bench.found.common_dir / f"{spec.ref}.lock"
    locks = [admin / "index.lock", admin / "HEAD.lock", branch]
    for lock in locks:
        lock.write_text("")
    assert drop_stale_locks(bench.found, tree.path, spec.branch) == locks
    tree.commit("works again", {"a": "b"})


def test_detached_bare_and_odd_paths(bench: Bench, tmp_path: Path):
    bench.repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare repo.git"))
    bare = find_repository(tmp_path / "bare repo.git")
    path = tmp_path / "a 'b' \"c\"\n d\udcff"
    spec = WorktreeSpec(path, "", bench.head, "odd")
    ready = ensure_worktree(bare, spec, lock=bench.lock)
    assert (path / "README.md").exists()
    assert ready.head == bench.head
    assert ensure_worktree(bare, spec, lock=bench.lock).made is Made.REUSED
