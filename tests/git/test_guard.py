"""What an agent can write is neither configuration nor hook, filter or pointer for our git."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from abreast.git.changes import changed_since, commits_since, head_at, untracked, worktree_diff
from abreast.git.commit import (
    commit_tree,
    left_in,
    restore_tree,
    seal,
    switch_detached,
    tree_of,
    wants_signature,
)
from abreast.git.differing import ignored_since
from abreast.git.guard import guard_repository, guard_worktree
from abreast.git.guarded import Guarded
from abreast.git.repository import find_repository, identity
from abreast.git.snapshot import build_tree, keep_submodules, snapshot
from abreast.git.status import checkout_marks, current_branch, dirty_summary, find_commit
from abreast.git.worktree import worktree_health
from tests.git.conftest import Bench
from tests.support.repos import Repo

REF = "refs/abreast/snap/run/one"


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that no test writes: whatever an agent has planted does."""
    return tmp_path / "canary"


def script(canary: Path, folder: Path) -> Path:
    file = folder / "evil.sh"
    file.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{canary}'\ncat\n")
    file.chmod(0o755)
    return file


def poison(config: Path, evil: Path) -> None:
    """Write into a configuration all that would make git run `evil`."""
    names = {
        "core": ["fsmonitor", "pager", "editor", "sshCommand", "gitProxy", "alternateRefsCommand"],
        'filter "evil"': ["clean", "smudge", "process"],
        'diff "evil"': ["command", "textconv"],
        'merge "evil"': ["driver"],
        "gpg": ["program"],
        "sequence": ["editor"],
        "alias": ["status", "diff", "ls-files"],
        "uploadpack": ["packObjectsHook"],
    }
    lines = [
        f"[{section}]\n" + "".join(f'\t{key} = "{evil} {section} {key}"\n' for key in keys)
        for section, keys in names.items()
    ]
    hooks = f'[core]\n\thooksPath = "{evil.parent}/hooks"\n[diff]\n\texternal = "{evil} diff"\n'
    with config.open("a") as file:
        file.write("\n" + "".join(lines) + hooks + "[commit]\n\tgpgSign = true\n")


def plant_hooks(folder: Path, evil: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in (
        "post-checkout",
        "reference-transaction",
        "post-index-change",
        "fsmonitor-watchman",
        "pre-commit",
        "commit-msg",
        "post-commit",
        "pre-auto-gc",
    ):
        shutil.copy(evil, folder / name)


ATTRIBUTES = "* filter=evil diff=evil merge=evil\n"


def in_a_submodule(bench: Bench, tree: Repo, evil: Path) -> None:
    lib = Repo(tree.path / "lib")
    lib.git("init", "-q", ".")
    lib.commit("made here", {"f": "1"})
    lib.write({".gitattributes": ATTRIBUTES, "f": "2", "g": "3"})
    poison(lib.path / ".git/config", evil)
    plant_hooks(lib.path / ".git/hooks", evil)


def in_the_shared_configuration(bench: Bench, tree: Repo, evil: Path) -> None:
    poison(bench.found.common_dir / "config", evil)
    plant_hooks(bench.found.common_dir / "hooks", evil)
    (bench.found.common_dir / "info/attributes").write_text(ATTRIBUTES)


def in_the_users_configuration(bench: Bench, tree: Repo, evil: Path) -> None:
    poison(Path(os.environ["GIT_CONFIG_GLOBAL"]), evil)


def in_the_worktrees_configuration(bench: Bench, tree: Repo, evil: Path) -> None:
    tree.git("config", "extensions.worktreeConfig", "true")
    poison(bench.found.common_dir / "worktrees/one/config.worktree", evil)


def behind_another_pointer(bench: Bench, tree: Repo, evil: Path) -> None:
    fake = Repo(evil.parent / "fake")
    fake.path.mkdir()
    fake.git("init", "-q", ".")
    fake.commit("x", {"y": "z"})
    poison(fake.path / ".git/config", evil)
    (tree.path / ".git").write_text(f"gitdir: {fake.path}/.git\n")


def as_a_repository_of_its_own(bench: Bench, tree: Repo, evil: Path) -> None:
    (tree.path / ".git").unlink()
    tree.git("init", "-q", ".")
    poison(tree.path / ".git/config", evil)


PLANTED = [
    in_a_submodule,
    in_the_shared_configuration,
    in_the_users_configuration,
    in_the_worktrees_configuration,
    behind_another_pointer,
    as_a_repository_of_its_own,
]


def with_submodule(bench: Bench, tmp_path: Path) -> Bench:
    bench.repo.git("clone", "-q", ".", str(tmp_path / "lib"))
    local = ("-c", "protocol.file.allow=always")
    bench.repo.git(*local, "submodule", "--quiet", "add", str(tmp_path / "lib"), "lib")
    bench.repo.git("commit", "-qm", "with a submodule")
    return bench.later()


def every_call(bench: Bench, tree: Guarded) -> None:
    """Do all that abreast ever does with a worktree that an agent has been in."""
    repo, head = bench.found, bench.head
    worktree_health(repo, bench.spec("one"))
    dirty_summary(tree)
    checkout_marks(tree)
    left_in(tree)
    find_commit(tree, "HEAD")
    current_branch(tree)
    head_at(tree, 9e9)
    commits_since(tree, head)
    changed_since(tree, head)
    untracked(tree)
    ignored_since(tree, 0.0)
    worktree_diff(repo, tree, head)
    keep_submodules(repo, tree, head, "refs/abreast/submodule/x")
    identity(repo)
    snapshot(repo, tree, REF, "turn")
    built = build_tree(tree)
    commit = commit_tree(repo, built.tree, [head], "message\n\nKey: value", env=tree.objects)
    bench.publish(tree, commit, REF)
    seal(
        repo,
        tree,
        commit=commit,
        branch="abreast/run/one",
        base=head,
        keep_ref="refs/abreast/agent/run/one",
    )
    restore_tree(repo, tree, tree_of(repo, head))
    switch_detached(repo, tree, commit)


@pytest.mark.parametrize("plant", PLANTED)
def test_nothing_that_an_agent_plants_is_run(
    bench: Bench, tmp_path: Path, canary: Path, plant: Callable[[Bench, Repo, Path], None]
):
    bench = with_submodule(bench, tmp_path)
    tree = bench.worktree("one")
    guarded = bench.guarded(tree)
    tree.write({"README.md": "edited", "new.txt": "n", ".gitattributes": ATTRIBUTES})
    (tmp_path / "evil").mkdir()
    evil = script(canary, tmp_path / "evil")
    plant_hooks(evil.parent / "hooks", evil)
    plant(bench, tree, evil)
    every_call(bench, guarded)
    assert not canary.exists(), canary.read_text()


@pytest.mark.parametrize("plant", PLANTED)
def test_what_is_planted_would_be_run_by_plain_git(
    bench: Bench, tmp_path: Path, canary: Path, plant: Callable[[Bench, Repo, Path], None]
):
    """The test above could not fail otherwise."""
    bench = with_submodule(bench, tmp_path)
    tree = bench.worktree("one")
    tree.write({"README.md": "edited", ".gitattributes": ATTRIBUTES})
    (tmp_path / "evil").mkdir()
    evil = script(canary, tmp_path / "evil")
    plant_hooks(evil.parent / "hooks", evil)
    plant(bench, tree, evil)
    tree.git("add", "--update", check=False)
    tree.git("status", check=False)
    assert canary.exists()


def test_no_variable_that_opens_a_door_reaches_git_on_a_worktree(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    told = tmp_path / "told"
    bench.repo.git("config", "filter.tell.clean", f"env >> {told}; cat")
    bench.repo.commit("attributes", {".gitattributes": "*.txt filter=tell\n"})
    bench = bench.later()
    tree = bench.worktree("one")
    tree.write({"a.txt": "a"})
    for name in ("GH_TOKEN", "SSH_AUTH_SOCK", "ANTHROPIC_API_KEY", "GIT_SSH_COMMAND"):
        monkeypatch.setenv(name, "secret-of-the-user")
    build_tree(bench.guarded(tree))
    text = told.read_text()
    assert "PATH=" in text
    assert "secret-of-the-user" not in text


def test_a_filter_of_the_user_still_runs_and_one_of_the_repository_runs_as_the_user_has_it(
    bench: Bench, canary: Path
):
    bench.repo.git("config", "filter.shout.clean", "tr a-z A-Z")
    bench.repo.git("config", "filter.strip.clean", "sh ./strip.sh")
    files = {
        ".gitattributes": "*.up filter=shout\n*.strip filter=strip\n",
        "strip.sh": "sed s/secret/public/\n",
    }
    bench.repo.commit("filters", files)
    bench = bench.later()
    tree = bench.worktree("one")
    tree.write({"a.up": "loud", "b.strip": "a secret"})
    tree.write({"strip.sh": f"echo run > {canary}; cat\n"})
    shot = snapshot(bench.found, bench.guarded(tree), REF, "turn")
    assert bench.repo.git("show", f"{shot.commit}:a.up") == "LOUD"
    assert bench.repo.git("show", f"{shot.commit}:b.strip") == "a public"
    assert not canary.exists()


def test_marks_in_the_agents_index_hide_nothing(bench: Bench):
    bench.repo.commit("ignore", {".gitignore": "*.log\n", "a": "1", "b": "1", "c": "1"})
    bench.repo.write({"kept.log": "x"})
    bench.repo.git("add", "-f", "kept.log")
    bench.repo.git("commit", "-qm", "a log that is tracked")
    tree = bench.worktree("one")
    tree.write({"a": "2", "b": "2", "forced.log": "f", "noise.log": "n"})
    tree.git("update-index", "--assume-unchanged", "a")
    tree.git("update-index", "--skip-worktree", "b")
    tree.git("add", "-f", "forced.log")
    tree.git("rm", "-q", "--cached", "kept.log", "c")
    assert tree.git("status", "--porcelain") == "D  c\nA  forced.log\nD  kept.log\n?? c"
    shot = snapshot(bench.found, bench.guarded(tree), REF, "turn")
    assert bench.repo.git("show", f"{REF}:a", f"{REF}:b") == "22"
    changed = bench.repo.git("diff", "--name-status", bench.head, shot.commit).split("\n")
    # What the agent tells git to track or not is its to say; c lies there and is not ignored.
    assert changed == ["M\ta", "M\tb", "A\tforced.log", "D\tkept.log"]


def test_an_index_that_is_damaged_or_gone_costs_nothing(bench: Bench):
    tree = bench.worktree("one")
    tree.write({"new.txt": "n"})
    index = bench.guarded(tree).admin / "index"
    index.write_bytes(b"garbage")
    first = build_tree(bench.guarded(tree)).tree
    index.unlink()
    assert build_tree(bench.guarded(tree)).tree == first
    assert "new.txt" in bench.repo.git(
        "ls-tree", "--name-only", snapshot(bench.found, bench.guarded(tree), REF, "turn").commit
    )


def test_a_worktree_of_an_older_abreast_is_guarded_when_it_is_met(bench: Bench):
    tree = bench.worktree("one")
    tree.write({"README.md": "edited"})
    shutil.rmtree(bench.guarded(tree).git_dir)
    again = guard_worktree(bench.found, tree.path)
    assert not again.start.exists()
    assert left_in(again).tracked == ("README.md",)
    shot = snapshot(bench.found, again, REF, "turn")
    assert bench.repo.git("diff", "--name-only", bench.head, shot.commit) == "README.md"


def test_a_folder_in_a_guarded_worktree_is_never_read_by_its_own_git(
    bench: Bench, tmp_path: Path, canary: Path
):
    tree = bench.worktree("one")
    bench.guarded(tree)
    tree.write({"deep/down/f": "x"})
    (tmp_path / "evil").mkdir()
    behind_another_pointer(bench, tree, script(canary, tmp_path / "evil"))
    found = find_repository(tree.path / "deep/down", worktrees=bench.state / "worktrees")
    assert (found.common_dir, found.toplevel) == (bench.found.common_dir, tree.path)
    assert dirty_summary(found.where).untracked == ("deep/",)
    child = guard_repository(found, tmp_path / "child")
    assert find_commit(child.where, "HEAD") == bench.head
    assert not canary.exists()


def test_refs_that_only_git_reads_are_asked_for(bench: Bench):
    """Stands in for reftable, which git 2.39 does not know: git answers from files instead."""
    tree = bench.worktree("one")
    (bench.found.common_dir / "reftable").mkdir()
    guarded = guard_worktree(bench.found, tree.path, fresh=True)
    assert not (guarded.git_dir / "refs").is_symlink()
    assert current_branch(guarded) == "abreast/run/one"
    assert find_commit(guarded, "refs/heads/main") == bench.head
    made = tree.commit("by the agent", {"a": "1"})
    tree.write({"b": "2"})
    shot = snapshot(bench.found, guarded, REF, "turn")
    assert bench.repo.git("rev-parse", f"{shot.commit}^") == made
    tree.git("checkout", "-q", "--detach", bench.head)
    assert (current_branch(guarded), find_commit(guarded, "HEAD")) == (None, bench.head)


def test_each_run_is_asked_whether_it_signs(bench: Bench, tmp_path: Path):
    mine = find_repository(bench.repo.path)
    first = guard_repository(mine, tmp_path / "first")
    bench.repo.git("config", "commit.gpgSign", "yes")
    second = guard_repository(mine, tmp_path / "second")
    assert [wants_signature(one) for one in (first, second, mine)] == [False, True, True]
    bench.repo.git("config", "commit.gpgSign", "off")
    assert [wants_signature(one) for one in (first, second, mine)] == [False, True, False]
    assert second.guard
    shutil.rmtree(second.guard)
    again = guard_repository(mine, second.guard)
    assert not wants_signature(again)
