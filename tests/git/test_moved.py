"""Whose doing it was that a branch has moved is told from reflogs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from abreast.git.branches import Moved, branch_tips, head_branch, moved_branches
from tests.git.conftest import Bench
from tests.support.repos import Repo

BRANCH = "abreast/run/one"


class Watched:
    """A worktree, and where all branches were when it was begun."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        bench.branch("feature", {"f.txt": "1"})
        self.tree = bench.worktree("one")
        self.admin = bench.found.common_dir / "worktrees/one"
        self.heads = branch_tips(bench.found)
        self.since = (self.admin / "logs/HEAD").stat().st_size

    def found(self) -> tuple[list[Moved], list[Moved]]:
        return moved_branches(
            self.bench.found, self.admin, self.heads, branch=BRANCH, since=self.since
        )

    def moved(self) -> set[str]:
        return {one.branch for one in self.found()[0]}


@pytest.fixture
def watched(bench: Bench) -> Watched:
    return Watched(bench)


def commit(tree: Repo) -> str:
    tree.git("commit", "-q", "--allow-empty", "-m", "made here")
    return tree.git("rev-parse", "HEAD")


def test_branches_are_read_as_git_reads_them(bench: Bench):
    bench.branch("a/b", {"x": "1"})
    bench.repo.git("pack-refs", "--all")
    bench.branch("c", {"y": "1"})
    bench.repo.git("branch", "-f", "a/b", "c")
    bench.repo.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    bench.repo.git("tag", "t")
    listed = bench.repo.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads")
    known = dict(line.split() for line in listed.splitlines())
    del known["alias"]
    assert branch_tips(bench.found) == known
    (bench.found.common_dir / "reftable").mkdir()
    assert branch_tips(bench.found) == known | {"alias": known["main"]}
    assert head_branch(bench.found.common_dir) == "main"
    bench.repo.git("checkout", "-q", "--detach")
    assert head_branch(bench.found.common_dir) is None


HERE: dict[str, Callable[[Repo], object]] = {
    "commit on it": lambda t: (t.git("checkout", "-q", "feature"), commit(t)),
    "and come back": lambda t: (
        t.git("checkout", "-q", "feature"),
        commit(t),
        t.git("checkout", "-q", BRANCH),
    ),
    "reset it": lambda t: (
        t.git("checkout", "-q", "feature"),
        t.git("reset", "-q", "--hard", "HEAD~1"),
    ),
    "rebase it": lambda t: (
        commit(t),
        t.git("rebase", "-q", BRANCH, "feature"),
        t.git("checkout", "-q", BRANCH),
    ),
    "rename it": lambda t: (t.git("checkout", "-q", "feature"), t.git("branch", "-m", "mine")),
    "by symbolic-ref": lambda t: (
        t.git("symbolic-ref", "HEAD", "refs/heads/feature"),
        commit(t),
        t.git("symbolic-ref", "HEAD", f"refs/heads/{BRANCH}"),
    ),
    "by symbolic-ref, and leave": lambda t: (
        t.git("symbolic-ref", "HEAD", "refs/heads/feature"),
        t.git("reset", "-q", "--hard", "HEAD~1"),
        t.git("checkout", "-q", BRANCH),
    ),
    "branch -f": lambda t: (commit(t), t.git("branch", "-f", "feature")),
    "push": lambda t: (commit(t), t.git("push", "-q", "-f", ".", "HEAD:feature")),
    "update-ref": lambda t: (commit(t), t.git("update-ref", "refs/heads/feature", "HEAD")),
    "without reflogs": lambda t: (
        t.git("config", "core.logAllRefUpdates", "false"),
        Path(t.git("rev-parse", "--git-dir"), "logs/HEAD").unlink(),
        t.git("checkout", "-q", "feature"),
        commit(t),
    ),
}


@pytest.mark.parametrize("how", HERE)
def test_a_branch_moved_in_the_worktree_is_seen(watched: Watched, how: str):
    HERE[how](watched.tree)
    assert watched.moved() == {"feature"}
    [one], gone = watched.found()
    assert (one.old, gone) == (watched.heads["feature"], [])
    assert one.new == branch_tips(watched.bench.found).get("feature")


def test_the_branch_of_a_checkout_is_seen_to_move_under_it(watched: Watched):
    made = commit(watched.tree)
    watched.tree.git("update-ref", "refs/heads/main", made)
    watched.bench.repo.git("reset", "-q", "--hard")
    commit(watched.bench.repo)  # the user goes on from there
    assert watched.moved() == {"main"}


def test_what_others_do_meanwhile_is_theirs(watched: Watched):
    user, tree = watched.bench.repo, watched.tree
    made = commit(tree)
    user.commit("user's", {"u.txt": "1"})
    user.git("merge", "-q", "--no-edit", BRANCH)  # the session's commit, by the user's own merge
    user.git("checkout", "-q", "feature")
    user.git("reset", "-q", "--hard", made)
    user.git("checkout", "-q", "-b", "newer")
    commit(user)
    tree.git("merge", "-q", "--no-edit", "main")
    tree.git("checkout", "-q", "--detach", "newer")
    tree.git("checkout", "-q", "-b", "agents-own")
    commit(tree)
    tree.git("branch", "-m", "agents-other")
    tree.git("checkout", "-q", "feature", check=False)
    assert watched.found() == ([], [])


@pytest.mark.parametrize(
    "how",
    [
        "merge --ff-only newer",
        "cherry-pick --ff newer",
        "reset --hard newer",
        "rebase newer",
        "pull -q --rebase . newer",
        "pull -q --ff-only . newer",
        "checkout -B mine newer",
    ],
)
def test_going_to_what_the_user_made_is_no_making(watched: Watched, how: str):
    new = watched.bench.branch("newer", {"n.txt": "1"})
    watched.tree.git(*how.split())
    assert watched.tree.git("rev-parse", "HEAD") == new
    watched.bench.repo.git("branch", "-f", "feature", new)
    assert watched.found() == ([], [])


def test_a_commit_whose_subject_is_like_a_fast_forward_is_made(watched: Watched):
    watched.tree.git("commit", "-q", "--allow-empty", "-m", "Fast-forward")
    watched.tree.git("branch", "-f", "feature")
    assert watched.moved() == {"feature"}


def test_moved_and_put_back_is_not_moved(watched: Watched):
    old = watched.heads["feature"]
    watched.tree.git("checkout", "-q", "feature")
    commit(watched.tree)
    watched.tree.git("reset", "-q", "--hard", old)
    assert watched.found() == ([], [])


def test_a_branch_that_is_gone_is_told_and_not_blamed(watched: Watched):
    watched.bench.repo.git("branch", "-D", "feature")
    assert watched.found() == ([], [Moved("feature", watched.heads["feature"], None)])
