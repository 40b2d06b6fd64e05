"""Refs: read, and moved by compare-and-swap only."""

from abreast.git.call import failure
from abreast.git.repository import Repository


def read_ref(repo: Repository, ref: str) -> str | None:
    """Return the commit that the full name `ref` points to, or None when there is no such ref."""
    query = ("rev-parse", "-q", "--verify", "--end-of-options", ref)
    done = repo.call(*query, codes=(0, 1))
    return done.stdout.strip() if done.code == 0 else None


def swap_ref(repo: Repository, ref: str, new: str, old: str | None, *, reason: str) -> bool:
    """Move `ref` from `old` (None: it must not exist) to `new`; False when it was not at `old`.

    A branch gets an entry in its reflog. Raises `GitError` for any other failure.
    """
    log = ["--create-reflog"] if ref.startswith("refs/heads/") else []
    move = ("update-ref", *_itself(ref), *log, "-m", reason, ref, new, old or "")
    done = repo.call(*move, codes=(0, 1, 128))
    if done.code == 0:
        return True
    if read_ref(repo, ref) == old:  # it was not the comparison that failed
        raise failure(done, repo.common_dir, hint=_blocked_name(done.stderr))
    return False


def move_branch(repo: Repository, branch: str, new: str, old: str | None, *, reason: str) -> bool:
    """Move `branch` as `swap_ref` does. No checkout of it may exist, or be brought up to date."""
    return swap_ref(repo, f"refs/heads/{branch}", new, old, reason=reason)


def delete_ref(repo: Repository, ref: str, old: str) -> bool:
    """Delete `ref` if it is at `old`; True when it is gone, False when it is somewhere else."""
    done = repo.call("update-ref", *_itself(ref), "-d", ref, old, codes=(0, 1, 128))
    if done.code == 0:
        return True
    now = read_ref(repo, ref)
    if now == old:
        raise failure(done, repo.common_dir)
    return now is None


def _itself(ref: str) -> tuple[str, ...]:
    """Return the option that keeps git from following a ref of ours to another one.

    An agent can make it a symbolic ref to a branch of the user's, who may have such branches too.
    """
    return ("--no-deref",) if ref.startswith(("refs/abreast/", "refs/heads/abreast/")) else ()


def _blocked_name(stderr: str) -> str | None:
    if "cannot create" not in stderr:
        return None
    return "another branch is called like a folder of this name, or lies in it; rename it"
