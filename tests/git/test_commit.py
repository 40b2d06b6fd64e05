"""One session, one commit: whatever the agent committed itself is kept and squashed."""

import pytest

from abreast.errors import GitError
from abreast.git.changes import commits_since
from abreast.git.commit import (
    Sealed,
    anchor,
    commit_tree,
    seal,
    tree_of,
)
from abreast.git.repository import delete_ref, identity, move_branch, read_ref, swap_ref
from abreast.git.snapshot import build_tree
from abreast.git.status import Dirty, dirty_summary
from tests.git.conftest import Bench
from tests.support.repos import Repo

KEEP = "refs/abreast/agent/run/one"
SNAP = "refs/abreast/snap/run/one"
TRAILERS = (("Abreast-Run", "run"), ("Abreast-Session", "run/one"))


def seal_it(bench: Bench, tree: Repo, made: str = "", **more: int) -> Sealed:
    where = bench.guarded(tree)
    built = build_tree(where, **more).tree
    commit = made or bench.head
    if built != tree_of(bench.found, commit):
        commit = commit_tree(
            bench.found,
            built,
            [bench.head],
            "The thing works.",
            trailers=TRAILERS,
            env=where.objects,
        )
        bench.publish(where, commit, SNAP)
    return seal(
        bench.found,
        where,
        commit=commit,
        branch="abreast/run/one",
        base=bench.head,
        keep_ref=KEEP,
    )


def test_uncommitted_work_becomes_one_commit_and_a_clean_worktree(bench: Bench):
    tree = bench.worktree("one")
    tree.write({"new.txt": "n", "README.md": "edited"})
    tree.git("add", "README.md")
    (tree.path / "src/app.py").unlink()
    sealed = seal_it(bench, tree)
    assert sealed.commit
    assert (sealed.own, sealed.strayed, sealed.left) == ((), False, Dirty())
    assert tree.git("status", "--porcelain") == ""
    assert tree.git("rev-parse", "HEAD", "HEAD^").split() == [sealed.commit, bench.head]
    assert tree.git("branch", "--show-current") == "abreast/run/one"
    assert tree.git("log", "-1", "--format=%B").splitlines() == [
        "The thing works.",
        "",
        "Abreast-Run: run",
        "Abreast-Session: run/one",
    ]
    assert seal_it(bench, tree, sealed.commit).commit == sealed.commit
    assert read_ref(bench.found, KEEP) is None


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "SHIFT_JIS"])
@pytest.mark.parametrize("setting", ["i18n.commitEncoding", "i18n.logOutputEncoding"])
def test_messages_are_what_was_said_whatever_the_users_encoding(
    bench: Bench, encoding: str, setting: str
):
    said = "Grüße, さしすせ"
    bench.repo.git("config", "user.name", "Ädä")
    bench.repo.git("config", setting, encoding)
    bench = bench.later()
    tree = bench.worktree("one")
    tree.write({"new.txt": "n"})
    built = build_tree(bench.guarded(tree)).tree
    trailers = [("Abreast-Session", "さ")]
    objects = bench.guarded(tree).objects
    commit = commit_tree(bench.found, built, [bench.head], said, trailers=trailers, env=objects)
    bench.publish(bench.guarded(tree), commit, SNAP)
    assert seal_it(bench, tree, commit).commit == commit
    raw = bench.repo.git("cat-file", "commit", commit)
    assert raw.endswith(f"\n\n{said}\n\nAbreast-Session: さ")
    assert "author Ädä" in raw
    assert "encoding" not in raw
    assert read_ref(bench.found, KEEP) is None
    assert commits_since(bench.guarded(tree), bench.head) == [f"{commit[:12]} {said}"]


def test_commits_in_another_encoding_are_read_as_they_were_meant(bench: Bench):
    bench.repo.git("config", "i18n.commitEncoding", "ISO-8859-1")
    base = bench.head
    message = bench.repo.path / ".git/message"
    message.write_bytes("Grüße".encode("latin-1"))
    bench.repo.git("commit", "-q", "--allow-empty", "-F", str(message))
    encoded = bench.repo.git("log", "-1", "--format=%e")
    assert encoded == "ISO-8859-1"
    assert [line[13:] for line in commits_since(bench.repo.path, base)] == ["Grüße"]


def test_commits_of_the_agent_are_kept_and_squashed(bench: Bench):
    tree = bench.worktree("one")
    first = tree.commit("wip", {"a.txt": "1"})
    second = tree.commit("more", {"a.txt": "2"})
    tree.write({"b.txt": "uncommitted"})
    sealed = seal_it(bench, tree)
    assert sealed.own == (second, first)
    assert bench.repo.git("rev-list", "--count", f"{bench.head}..{sealed.commit}") == "1"
    assert tree.git("show", "HEAD:b.txt") == "uncommitted"
    assert read_ref(bench.found, KEEP) == second
    assert seal_it(bench, tree, sealed.commit).commit == sealed.commit


def test_commits_on_a_branch_of_the_agents_own_are_kept_too(bench: Bench):
    tree = bench.worktree("one")
    mine = tree.commit("on ours", {"a.txt": "1"})
    tree.git("checkout", "-qb", "agents-own", bench.head)
    theirs = tree.commit("on its own", {"b.txt": "2"})
    sealed = seal_it(bench, tree)
    assert tree.git("branch", "--show-current") == "abreast/run/one"
    assert bench.repo.git("ls-tree", "--name-only", sealed.commit or "").split() == [
        "README.md",
        "b.txt",
        "src",
    ]
    bench.repo.git("branch", "-D", "agents-own")
    for commit in (mine, theirs):
        holding = ("for-each-ref", f"--contains={commit}", "--format=%(refname)")
        assert bench.repo.git(*holding) == KEEP


def test_work_that_amounts_to_nothing_has_no_commit(bench: Bench):
    tree = bench.worktree("one")
    assert seal_it(bench, tree) == Sealed(None)
    tree.commit("there", {"a.txt": "1"})
    tree.git("revert", "--no-edit", "HEAD")
    sealed = seal_it(bench, tree)
    assert sealed.commit is None
    assert len(sealed.own) == 2
    assert tree.git("rev-parse", "HEAD") == bench.head


def test_a_history_that_left_the_base_is_told(bench: Bench):
    tree = bench.worktree("one")
    tree.git("checkout", "-q", "--orphan", "fresh")
    tree.commit("unrelated", {"a.txt": "1"})
    sealed = seal_it(bench, tree)
    assert sealed.strayed
    assert bench.repo.git("rev-parse", f"{sealed.commit}^") == bench.head


@pytest.mark.parametrize("operation", ["merge", "rebase", "cherry-pick"])
def test_an_unfinished_operation_is_ended(bench: Bench, operation: str):
    theirs = bench.branch("theirs", {"README.md": "theirs"})
    tree = bench.worktree("one")
    tree.commit("ours", {"README.md": "ours"})
    tree.git(operation, theirs, check=False)
    assert dirty_summary(tree.path).operation == operation
    tree.write({"README.md": "settled"})
    sealed = seal_it(bench, tree)
    assert sealed.left == Dirty()
    assert tree.git("show", "HEAD:README.md") == "settled"
    assert tree.git("branch", "--show-current") == "abreast/run/one"


def test_locks_of_a_killed_agent_are_no_obstacle(bench: Bench):
    tree = bench.worktree("one")
    tree.write({"a.txt": "1"})
    (bench.found.common_dir / "worktrees/one/index.lock").write_text("")
    (bench.found.common_dir / "refs/heads/abreast/run/one.lock").write_text("")
    assert seal_it(bench, tree).left == Dirty()


def test_what_was_left_out_stays_and_is_told(bench: Bench):
    tree = bench.worktree("one")
    tree.write({"a.txt": "1", "big.bin": "x" * 100})
    sealed = seal_it(bench, tree, max_untracked=50)
    assert sealed.left == Dirty(untracked=("big.bin",))
    assert (tree.path / "big.bin").exists()


def test_hooks_do_not_run_and_trailers_of_the_message_are_joined(bench: Bench):
    hook = bench.repo.path / ".git/hooks/commit-msg"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    message = "Subject\n\n--- a line of dashes\n\nCo-authored-by: X <x@y>"
    tree = tree_of(bench.found, bench.head)
    commit = commit_tree(bench.found, tree, [bench.head], message, trailers=(("Key", "a\nb"),))
    body = bench.repo.git("log", "-1", "--format=%B", commit)
    assert body == f"{message}\nKey: a b"


def test_a_user_without_a_name_can_still_commit(bench: Bench):
    assert identity(bench.found) == ()
    bench.repo.git("config", "--unset", "user.name")
    bench.repo.git("config", "--unset", "user.email")
    bench.repo.git("config", "--global", "--unset", "user.name")
    bench.repo.git("config", "--global", "--unset", "user.email")
    bench = bench.later()
    commit = commit_tree(bench.found, tree_of(bench.found, bench.head), [], "message")
    assert (
        bench.repo.git("log", "-1", "--format=%an <%ae>", commit) == "abreast <abreast@localhost>"
    )
    assert "abreast" not in bench.repo.git("config", "--list")


def test_refs_move_by_comparison_only(bench: Bench):
    new = bench.branch("other", {"a": "b"})
    assert swap_ref(bench.found, "refs/heads/x", bench.head, None, reason="made")
    assert not swap_ref(bench.found, "refs/heads/x", new, None, reason="again")
    assert not move_branch(bench.found, "x", new, new, reason="wrong old")
    assert move_branch(bench.found, "x", new, bench.head, reason="right old")
    assert bench.repo.git("reflog", "x", "--format=%gs").splitlines() == ["right old", "made"]
    assert not delete_ref(bench.found, "refs/heads/x", bench.head)
    assert delete_ref(bench.found, "refs/heads/x", new)
    assert delete_ref(bench.found, "refs/heads/x", new)
    assert read_ref(bench.found, "refs/heads/x") is None


def test_a_branch_name_in_the_way_is_explained(bench: Bench):
    with pytest.raises(GitError) as caught:
        swap_ref(bench.found, "refs/heads/main/x", bench.head, None, reason="made")
    assert "rename it" in (caught.value.hint or "")


def test_an_anchor_only_ever_grows(bench: Bench):
    one, two = bench.branch("one", {"a": "1"}), bench.branch("two", {"b": "2"})
    assert anchor(bench.found, KEEP, one, reason="x") == one
    joined = anchor(bench.found, KEEP, two, reason="x")
    assert bench.repo.git("rev-parse", f"{joined}^1", f"{joined}^2").split() == [two, one]
    assert anchor(bench.found, KEEP, bench.head, one, reason="x") == joined
