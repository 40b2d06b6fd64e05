"""Branches of others that were moved from within a worktree: told from reflogs, not guessed.

A branch belongs to a worktree's doings when that worktree's HEAD was on it and went elsewhere, or
when it went to a commit that was made in the worktree, and no other checkout's HEAD went there in
the same step. So what the user commits, merges, fetches or lands meanwhile is the user's.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from abreast.git.heads import branch_tips, head_branch
from abreast.git.reflog import Entry, read_log
from abreast.git.repository import Repository
from abreast.process.listing import entries

_RENAMED, _HEADS = "Branch: renamed ", "refs/heads/"
# These bring HEAD to a commit that is there already.
_MOVES = re.compile(
    r"(checkout|reset|Branch): |[^:]*\((start|finish|abort)\)|(?!commit)[^:]+: [Ff]ast-forward$"
)


@dataclass(frozen=True)
class Moved:
    """A branch that was at commit `old` and is now at `new`; None: it is gone."""

    branch: str
    old: str
    new: str | None


def moved_branches(
    repo: Repository, admin: Path, heads: Mapping[str, str], *, branch: str, since: int = 0
) -> tuple[list[Moved], list[Moved]]:
    """Return the branches of others that were moved in a worktree, and those gone by whoever.

    `heads` is where all branches were when the HEAD reflog of the worktree, whose own folder is
    `admin`, was `since` bytes long and its HEAD on `branch`. Branches made since are nobody's.
    """
    now = branch_tips(repo)
    changed = [
        Moved(name, old, now.get(name))
        for name, old in heads.items()
        if now.get(name) != old and name != branch
    ]
    if not changed:
        return [], []
    log = read_log(admin / "logs/HEAD", since)
    made = {entry.new for entry in log if _makes(entry)} - set(heads.values())
    been = _moved_on(log, branch)
    if not log and (here := head_branch(admin)):  # no reflogs are kept
        been.add(here)
    elsewhere = _Others(repo.common_dir, admin)
    ours = [one for one in changed if one.branch in been or _went_to(repo, one, made, elsewhere)]
    gone = [one for one in changed if one.new is None and one not in ours]
    return ours, gone


def _makes(entry: Entry) -> bool:
    """Return whether an entry of HEAD made the commit that it went to."""
    return entry.old != entry.new and not _MOVES.match(entry.message)


def _moved_on(log: Sequence[Entry], branch: str) -> set[str]:
    """Return the names that HEAD was on while it went elsewhere."""
    names: set[str] = set()
    here, went = branch, False  # whether anything has moved since HEAD came here
    for entry in log:
        action, _, rest = entry.message.partition(": ")
        before, after = here, here
        if entry.checkout:
            before, after = entry.checkout  # HEAD may have come there by `symbolic-ref`
        elif entry.message.startswith(_RENAMED):
            before, _, after = (
                entry.message.removeprefix(_RENAMED).replace(_HEADS, "").partition(" to ")
            )
            went = True
        elif "(start)" in action:
            after = ""
        elif action.endswith(("(finish)", "(abort)")) and "returning to " in rest:
            before = after = rest.rpartition("returning to ")[2].removeprefix(_HEADS)
            went = action.endswith("(finish)")
        else:
            went = went or entry.old != entry.new
        if went:
            names.add(before)
        if after != here or entry.checkout:
            here, went = after, False
    return names - {"", branch}


class _Others:
    """What the HEADs of the other checkouts have done; read when it is first asked for."""

    def __init__(self, common: Path, admin: Path) -> None:
        self._common, self._admin = common, admin
        self._steps: set[tuple[str, str]] | None = None

    def did(self, entry: Entry) -> bool:
        if self._steps is None:
            folders = [self._common, *entries(self._common / "worktrees")]
            logs = [read_log(f / "logs/HEAD") for f in folders if f != self._admin]
            self._steps = {(step.old, step.new) for log in logs for step in log}
        return (entry.old, entry.new) in self._steps


def _went_to(repo: Repository, one: Moved, made: Collection[str], others: _Others) -> bool:
    """Return whether a branch went to a commit that was `made` in the worktree, by its doing."""
    if not made:
        return False
    log: Iterable[Entry] = read_log(repo.common_dir / "logs" / _HEADS / one.branch)
    steps = [entry for entry in log if entry.new in made]
    if not steps and one.new is not None and one.new in made:  # the branch has no reflog
        steps = [Entry(one.old, one.new, 0, "")]
    return any(not others.did(step) for step in steps)
