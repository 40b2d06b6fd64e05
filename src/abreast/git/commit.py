"""Commits made from trees, and worktrees brought to a commit: no hook runs, nothing is lost."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from abreast.errors import GitError
from abreast.git.aside import move_aside
from abreast.git.call import OUR_CONFIGURATION, UTF8, environment, failure, git
from abreast.git.differing import differing, start_index
from abreast.git.guarded import Guarded
from abreast.git.repository import (
    Repository,
    identity,
    is_ancestor,
    move_branch,
    read_ref,
    swap_ref,
)
from abreast.git.status import (
    Dirty,
    find_commit,
    find_objects,
    forget_operation,
    head_commit,
    on_branch,
    operation,
    own_git_dir,
    set_head,
)
from abreast.git.worktree import drop_stale_locks

Trailers = Sequence[tuple[str, str]]

_AT_ONCE = 100  # commits joined by one; to find which contain which, git takes the square of it


def tree_of(repo: Repository, commit: str) -> str:
    """Return the id of a commit's tree."""
    return repo.call(
        "rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}"
    ).stdout.strip()


def message_of(repo: Repository, commit: str) -> str:
    """Return the message of a commit, whatever encoding the user's logs are shown in."""
    return repo.call("log", "-1", "--format=%B", commit, config=UTF8).stdout.strip()


def commit_tree(
    repo: Repository,
    tree: str,
    parents: Sequence[str],
    message: str,
    *,
    trailers: Trailers = (),
    sign: bool = False,
    env: Mapping[str, str] | None = None,
) -> str:
    """Make a commit of `tree` and return its id; no ref points to it yet.

    The author is the user as git knows them, else `abreast`. Trailers join those that the message
    has. `sign` signs it as `commit.gpgSign` would (see `wants_signature`). `env` may say which
    object folder it is written to.
    """
    text = _with_trailers(repo, message.replace("\0", "").strip(), trailers)
    lineage = [word for parent in parents for word in ("-p", parent)]
    signature = ["-S"] if sign else []
    make = ("commit-tree", *signature, *lineage, tree)
    # Who the user is costs two processes to ask, so it is asked only where git does not know it.
    settings = ("user.useConfigOnly=true", *UTF8)
    done = repo.call(*make, config=settings, env=env, stdin=text, codes=(0, 128))
    if done.code:
        known = identity(repo)
        if not known:
            raise failure(done, repo.common_dir)
        done = repo.call(*make, config=(*known, *UTF8), env=env, stdin=text)
    return done.stdout.strip()


def _with_trailers(repo: Repository, message: str, trailers: Trailers) -> str:
    lines = [f"{key}: {_one_line(value)}" for key, value in trailers]
    if "\n" not in message and not message.startswith("#"):
        return "\n".join([message, "", *lines] if lines else [message]) + "\n"
    # The message may have trailers of its own. `--no-divider`: a line of dashes is no end of it.
    words = [word for line in lines for word in ("--trailer", line)]
    return repo.call("interpret-trailers", "--no-divider", *words, stdin=message + "\n").stdout


def _one_line(value: str) -> str:
    return " ".join(value.split())


def wants_signature(repo: Repository) -> bool:
    """Return whether the user's configuration asks for signed commits."""
    if repo.guard is None:
        return _asks_to_sign(repo)
    return _guard_asks_to_sign(repo.guard, repo.common_dir, (repo.guard / "config").read_bytes())


@lru_cache(maxsize=64)
def _guard_asks_to_sign(guard: Path, common_dir: Path, _content: bytes) -> bool:
    """Ask a guard once for each content of its configuration: all sessions of a run share it."""
    return _asks_to_sign(Repository(common_dir, common_dir, None, guard))


def _asks_to_sign(repo: Repository) -> bool:
    query = ("config", "--type=bool", "--get", "commit.gpgSign")
    return repo.call(*query, codes=(0, 1)).stdout.strip() == "true"


def anchor(repo: Repository, ref: str, *commits: str, reason: str) -> str:
    """Make `ref` reach all `commits`, and whatever it reached before; return where it points.

    Where no one commit contains the others, a joining commit with the first one's tree is made.
    """
    # Mostly there is no such ref yet, and then one call does it.
    if len(commits) == 1 and swap_ref(repo, ref, commits[0], None, reason=reason):
        return commits[0]
    if len(commits) > _AT_ONCE:
        starts = range(0, len(commits), _AT_ONCE)
        parts = [commits[start : start + _AT_ONCE] for start in starts]
        return [anchor(repo, ref, *part, reason=reason) for part in parts][-1]
    while True:
        old = read_ref(repo, ref)
        tip = _join(repo, [*commits, *([old] if old else [])], reason)
        if tip == old or swap_ref(repo, ref, tip, old, reason=reason):
            return tip


def _join(repo: Repository, commits: list[str], reason: str) -> str:
    distinct = list(dict.fromkeys(commits))
    found = repo.call("merge-base", "--independent", *distinct).stdout.split()
    tips = [one for one in distinct if one in found]
    return tips[0] if len(tips) == 1 else commit_tree(repo, tree_of(repo, tips[0]), tips, reason)


@dataclass(frozen=True)
class Sealed:
    """A session's work as one commit. `commit` is None when its tree equals the base's.

    `own` are the commits that the agent made itself, newest first; `kept` is the ref that holds
    them. `strayed`: HEAD no longer built on the base, so the commit also shows what that lacks.
    `left` is what is still not committed (it was kept out of the tree on purpose).
    """

    commit: str | None
    own: tuple[str, ...] = ()
    kept: str = ""
    strayed: bool = False
    left: Dirty = field(default_factory=Dirty)


def seal(
    repo: Repository,
    worktree: Guarded,
    *,
    commit: str,
    branch: str,
    base: str,
    keep_ref: str,
    line_ref: str = "",
    also: Sequence[str] = (),
) -> Sealed:
    """Put `commit`, made of what is in `worktree`, on `branch` as the one commit after `base`.

    It may be the base itself. Commits that the agent made are kept under `keep_ref` and squashed;
    where HEAD is on a line of them that begins at the base, `line_ref` names the last one.
    `also` are those that only reflogs hold (see `abreast.git.reflog`). Worktree and index are
    brought to the new commit without writing a file. No process may be at work there any more;
    locks that a killed one left are removed. Safe to repeat. Raises `GitError` when the branch
    moves meanwhile.
    """
    drop_stale_locks(repo, worktree.path, branch)
    found, tip = find_objects(worktree, "HEAD", f"refs/heads/{branch}")
    ends = list(dict.fromkeys(end for end in (found, tip) if end and end not in {base, commit}))
    made = list(dict.fromkeys([*ends, *also]))
    own = tuple(repo.call("rev-list", *made, f"^{base}").stdout.split()) if made else ()
    kept = anchor(repo, keep_ref, *made, reason="commits of the agent") if own else ""
    strayed = not all(is_ancestor(repo, base, end) for end in ends)
    if line_ref and found and found in ends and not strayed:
        was = read_ref(repo, line_ref)
        swap_ref(repo, line_ref, found, was, reason="commits of the agent, in their order")
    if commit != tip and not move_branch(repo, branch, commit, tip, reason="commit: by abreast"):
        argv = ("git", "update-ref", f"refs/heads/{branch}", commit)
        raise GitError(
            argv, None, stderr=f"{branch} moved while the session's work was being committed"
        )
    left = checkout_clean(worktree, branch)
    return Sealed(None if commit == base else commit, own, keep_ref if kept else "", strayed, left)


def checkout_clean(worktree: Guarded, branch: str) -> Dirty:
    """Put HEAD of `worktree` on `branch` and its index on that commit; return what still differs.

    No file is written: the files are what the commit was made from. An operation that was under
    way there (a merge, a rebase) is forgotten.
    """
    forget_operation(worktree)
    if not on_branch(worktree, branch):
        set_head(worktree, f"refs/heads/{branch}")
    index = {"GIT_INDEX_FILE": str(worktree.start)}
    # Every file is looked at next; to refresh the index would be to look at all of them twice.
    git(worktree, "reset", "-q", "--mixed", "--no-refresh", "--no-recurse-submodules", env=index)
    worktree.give_index()
    return left_in(worktree)


def left_in(worktree: Guarded) -> Dirty:
    """Return what in a worktree is not as its commit has it, nor as that was checked out."""
    found = differing(worktree, start_index(worktree))
    return replace(found, operation=operation(worktree))


def switch_detached(repo: Repository, worktree: Guarded, commit: str) -> None:
    """Make `worktree` show `commit` with a detached HEAD, writing only files that differ.

    Changes and untracked files there are dropped, ignored ones (build caches) stay: for scratch
    worktrees, which hold nobody's work.

    HEAD keeps the commit from `git gc --prune=now`, so it is moved first. Where the commit had been
    taken before, HEAD goes back: at one that is gone, git would fail in the whole repository.
    """
    drop_stale_locks(repo, worktree.path, "")
    forget_operation(worktree)
    point_back(worktree)
    before = head_commit(worktree)
    set_head(worktree, commit)
    try:
        show(worktree, commit)
    except GitError:
        if before and find_commit(worktree, commit) is None:
            set_head(worktree, before)
        raise


def point_back(worktree: Guarded, aside: Path | None = None) -> bool:
    """Make the `.git` of a worktree name its own folder again; return whether it did not.

    A repository that lies in its place is moved to `aside`; without that it is deleted.
    """
    worktree.require_real()
    if own_git_dir(worktree.path) == worktree.admin:
        return False
    marker = worktree.path / ".git"
    if aside is not None:
        move_aside(worktree.path, [".git"], aside)
    elif marker.is_dir() and not marker.is_symlink():
        shutil.rmtree(marker)
    marker.unlink(missing_ok=True)
    marker.write_bytes(b"gitdir: " + os.fsencode(worktree.admin) + b"\n")
    return True


def restore_tree(repo: Repository, worktree: Guarded, tree: str) -> None:
    """Make the files of `worktree` those of `tree`, HEAD staying where it is.

    The index comes to hold the tree; untracked files that are not ignored are removed.
    """
    drop_stale_locks(repo, worktree.path, "")
    show(worktree, tree)


def show(worktree: Guarded, what: str) -> None:
    """Make files and index those of a commit or tree; of other files only ignored ones stay.

    Done as the user: a filter, or a clone that lacks objects, may have to fetch.
    """
    env = {**environment(), **OUR_CONFIGURATION, "GIT_INDEX_FILE": str(worktree.start)}
    (worktree.start.with_name("start.lock")).unlink(missing_ok=True)
    git(worktree, "read-tree", "--reset", "-u", what, env=env)
    # Repositories made inside go, too (-ff); ignored files stay (no -x).
    git(worktree, "clean", "-ffdq", env={"GIT_INDEX_FILE": str(worktree.start)})
    worktree.give_index()
