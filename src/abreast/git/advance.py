"""Moving a target branch: by compare-and-swap, or by a fast-forward where it is checked out.

A checkout that git cannot update stays exactly as it is. Nothing is stashed or forced.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from abreast.errors import StateError
from abreast.git.fast_forward import fast_forward, recover
from abreast.git.merge import fast_forwardable
from abreast.git.repository import Repository, is_ancestor, read_ref, swap_ref
from abreast.git.status import current_branch, find_commit, own_git_dir
from abreast.git.worktree import OURS, Worktree, list_worktrees


class AdvanceOutcome(StrEnum):
    ADVANCED = "advanced"  # the target is at the new commit (or was already beyond it)
    MOVED = "moved"  # somebody else has moved the target: merge again
    BLOCKED = "blocked"  # the target is checked out, and git will not touch that checkout


@dataclass(frozen=True)
class Advance:
    """How moving a target ended. `checkout` is where it is checked out, `words` why it is blocked.

    `at` is the commit that the target points to now. `edits`: what blocks are the user's changes.
    """

    outcome: AdvanceOutcome
    at: str
    checkout: Path | None = None
    words: str = ""
    edits: bool = False


def advance(
    repo: Repository, target: str, *, new: str, old: str, reason: str, journals: Path
) -> Advance:
    """Move the branch `target` from `old` to `new`, which must contain `old`; safe to repeat.

    A checkout of it is updated as well and keeps its unrelated local edits; if that is impossible,
    nothing changes. `journals` is the folder of the intents of fast-forwards: what a
    killed process left half done is finished or taken back first. Raises `StateError` when there
    is no such branch or `new` does not contain `old`.
    """
    recover(journals)
    ref = f"refs/heads/{target}"
    now = read_ref(repo, ref)
    if now is None:
        raise StateError(f"there is no branch {target}", hint="`git branch` lists them")
    if not fast_forwardable(repo, old, new):
        raise StateError(f"{new[:12]} does not contain {old[:12]}; {target} was not moved")
    if now == new or (now != old and is_ancestor(repo, new, now)):
        return Advance(AdvanceOutcome.ADVANCED, now)
    if now != old:
        return Advance(AdvanceOutcome.MOVED, now)
    holders = [tree for tree in list_worktrees(repo) if _holds(tree, target)]
    if not holders:
        # The branch is the user's: their hooks have a say, as for any command of theirs.
        done = swap_ref(replace(repo, guard=None), ref, new, old, reason=reason)
        return Advance(AdvanceOutcome.ADVANCED, new) if done else _moved(repo, ref, old)
    if len(holders) > 1:
        places = ", ".join(str(holder.path) for holder in holders)
        words = f"checked out more than once: {places}"
        return Advance(AdvanceOutcome.BLOCKED, now, holders[0].path, words)
    return _unfit(repo, holders[0], target, old) or _bring_along(
        repo, holders[0].path, target, old=old, new=new, reason=reason, journals=journals
    )


def _bring_along(
    repo: Repository,
    checkout: Path,
    target: str,
    *,
    old: str,
    new: str,
    reason: str,
    journals: Path,
) -> Advance:
    refused = fast_forward(
        repo, checkout, target, old=old, new=new, reason=reason, journals=journals
    )
    now = read_ref(repo, f"refs/heads/{target}") or old
    if refused is None:
        return Advance(AdvanceOutcome.ADVANCED, now, checkout)
    if now != old:
        return Advance(AdvanceOutcome.MOVED, now, checkout)
    return Advance(AdvanceOutcome.BLOCKED, now, checkout, refused.words, refused.edits)


def _unfit(repo: Repository, holder: Worktree, target: str, old: str) -> Advance | None:
    ref, checkout = f"refs/heads/{target}", holder.path
    if (holder.locked or "").startswith(OURS):
        # No git of ours runs in it with the user's hooks and filters: an agent may have set them.
        return Advance(AdvanceOutcome.BLOCKED, old, checkout, f"{checkout} is a session's worktree")
    if not checkout.is_dir():
        gone = f"{checkout} has it checked out and is not there; `git worktree prune` if it is gone"
        return Advance(AdvanceOutcome.BLOCKED, old, checkout, gone)
    if not _belongs(repo, checkout):
        words = f"{checkout}/.git does not lead to {repo.common_dir}"
        return Advance(AdvanceOutcome.BLOCKED, old, checkout, words)
    if current_branch(checkout) != target:  # or a rebase of it is under way
        return Advance(
            AdvanceOutcome.BLOCKED, old, checkout, f"{checkout} is in the middle of a rebase"
        )
    if find_commit(checkout, "HEAD") != old:
        return _moved(repo, ref, old)
    return None


def _belongs(repo: Repository, checkout: Path) -> bool:
    """Return whether git, run in `checkout`, would act on this repository."""
    own, common = own_git_dir(checkout), repo.common_dir.resolve()
    return own is not None and common in {own.resolve(), own.resolve().parent.parent}


def _moved(repo: Repository, ref: str, old: str) -> Advance:
    return Advance(AdvanceOutcome.MOVED, read_ref(repo, ref) or old)


def _holds(tree: Worktree, target: str) -> bool:
    return not tree.bare and (tree.branch == target or _rebases(tree.path, target))


def _rebases(checkout: Path, target: str) -> bool:
    """Return whether a rebase of `target` is under way there; HEAD is detached meanwhile."""
    folder = own_git_dir(checkout)
    names = ("rebase-merge/head-name", "rebase-apply/head-name") if folder else ()
    files = [folder / name for name in names if folder]
    return any(
        f.is_file() and f.read_text(errors="replace").strip() == f"refs/heads/{target}"
        for f in files
    )
