"""Push a branch of ours, and overwrite nothing at the remote that we did not push."""

from abreast.errors import StateError
from abreast.git.repository import Repository, is_ancestor, read_ref, swap_ref


def push_branch(repo: Repository, remote: str, branch: str, commit: str, mark: str) -> None:
    """Make the remote's `branch` be `commit`, if all that it has is what we pushed before.

    `mark` is the beginning of the names of two hidden refs: of what was pushed last (`…/pushed/…`
    by `pushed_ref`), and of what is being pushed. Safe to repeat after a kill at any step. Hooks
    run and logins are used as in the user's own push. Raises StateError when the remote's branch
    has something else, GitError with what git said.
    """
    there = _at_remote(repo, remote, branch)
    done, begun = pushed_ref(mark), f"refs/abreast/pushing/{mark}"
    ours = {commit, read_ref(repo, done), read_ref(repo, begun)}
    if there and there not in ours and not _brought_along(repo, there, commit):
        see = f"`git fetch {remote} {branch}` and `git log FETCH_HEAD` show it"
        raise StateError(
            f"{branch} at {remote} has commit {there[:12]}, which abreast did not push",
            hint=f"{see}; merge it in the session's worktree, or delete the branch at {remote}",
        )
    if there in ours:  # also what a push brought that was killed before it said so
        _note(repo, done, there)
    _note(repo, begun, commit)
    lease = f"--force-with-lease=refs/heads/{branch}:{there}"
    repo.call("push", "--quiet", lease, remote, f"{commit}:refs/heads/{branch}", as_user=True)
    _note(repo, done, commit)


def pushed_ref(mark: str) -> str:
    """Return the hidden ref of what was pushed last."""
    return f"refs/abreast/pushed/{mark}"


def _at_remote(repo: Repository, remote: str, branch: str) -> str:
    ref = f"refs/heads/{branch}"
    done = repo.call("ls-remote", remote, ref, as_user=True)
    lines = (line.partition("\t") for line in done.stdout.splitlines())
    return next((commit for commit, _, name in lines if name == ref), "")


def _brought_along(repo: Repository, there: str, commit: str) -> bool:
    """Return whether what is at the remote is part of what is pushed, as after a merge of it."""
    known = repo.call("cat-file", "-e", f"{there}^{{commit}}", codes=(0, 1, 128)).code == 0
    return known and is_ancestor(repo, there, commit)


def _note(repo: Repository, ref: str, commit: str) -> None:
    """Point a hidden ref at a commit; one that we do not have (a remote's) cannot be ours."""
    old = read_ref(repo, ref)
    if old != commit:
        swap_ref(repo, ref, commit, old, reason="abreast: pushed")
