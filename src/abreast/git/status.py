"""What a checkout (the main one or a linked worktree) is on, and what in it is not committed."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from abreast.errors import GitError
from abreast.git.call import NO_HOOKS, call, failure, git, split
from abreast.git.guarded import Guarded, Where, content_mark, path_of, read_plain
from abreast.process.files import write_atomic

_POINTER_BYTES = 8192  # a path has 4096 at most
_ID = re.compile("[0-9a-f]{40}(?:[0-9a-f]{24})?")  # SHA-1 or SHA-256


def own_git_dir(checkout: Where) -> Path | None:
    """Return the git directory of the checkout whose toplevel is `checkout`, or None.

    For a guarded worktree that is git's folder for it, whatever its `.git` says by now.
    """
    if isinstance(checkout, Guarded):
        return checkout.admin if checkout.admin.is_dir() else None
    marker = checkout / ".git"
    if marker.is_dir():
        return marker
    text = os.fsdecode(read_plain(marker, _POINTER_BYTES))
    named = text.removeprefix("gitdir: ").removesuffix("\n")
    if not named or "\0" in named:
        return None
    return Path(os.path.normpath(checkout / named))  # it may be relative (git 2.48)


def require_own_git_dir(checkout: Where) -> Path:
    """Return the git directory of `checkout`. Raises `GitError` when it is no checkout."""
    folder = own_git_dir(checkout)
    if folder is None:
        raise GitError(
            ("git", "rev-parse", "--git-dir"),
            None,
            stderr=f"{path_of(checkout)} has no .git",
            hint="it is no longer a checkout; its work may be under refs/abreast/",
        )
    return folder


def find_commit(where: Where, revision: str) -> str | None:
    """Return the full id of the commit that `revision` names in the checkout `where`, or None.

    Raises `GitError` when `where` is not a repository that git will read.
    """
    query = ("rev-parse", "-q", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    # 128: the name is one that git cannot even parse, such as `a..b` or `@{99}`.
    done = call(where, *query, codes=(0, 1, 128))
    if "not a git repository" in done.stderr or "dubious ownership" in done.stderr:
        raise failure(done, path_of(where))
    return done.stdout.strip() if done.code == 0 else None


def find_objects(where: Where, *revisions: str) -> tuple[str | None, ...]:
    """Return the full ids of what each of `revisions` names, all at one moment; None: nothing.

    Names are full refs, HEAD, ids, and these with `^{tree}` or `^{commit}`. Raises `GitError`.
    """
    asked = "".join(f"{revision}\n" for revision in revisions)
    lines = git(where, "cat-file", "--batch-check=%(objectname)", stdin=asked).splitlines()
    # What is not an id is the name followed by what is wrong with it.
    return tuple(None if " " in line else line for line in lines)


def current_branch(where: Where) -> str | None:
    """Return the branch checked out in `where`, also when it has no commit yet; None: detached."""
    done = call(where, "symbolic-ref", "-q", "HEAD", codes=(0, 1))
    return done.stdout.removesuffix("\n").removeprefix("refs/heads/") or None


def set_head(worktree: Guarded, to: str) -> None:
    """Put HEAD of a worktree on `to`, the full name of a branch or a commit; no file changes."""
    branch = to.startswith("refs/")
    if not (worktree.admin / "reftable").exists():
        write_atomic(worktree.admin / "HEAD", f"ref: {to}\n" if branch else f"{to}\n")
        return
    move = ("symbolic-ref", "HEAD", to) if branch else ("update-ref", "--no-deref", "HEAD", to)
    call(worktree.admin, *move, git_dir=worktree.admin, config=(NO_HOOKS,))


def head_commit(worktree: Guarded) -> str | None:
    """Return the commit that HEAD of a worktree is at; git is asked only where no file tells."""
    head = os.fsdecode(read_plain(worktree.admin / "HEAD", _POINTER_BYTES)).removesuffix("\n")
    return head if _ID.fullmatch(head) else find_commit(worktree, "HEAD")


def on_branch(checkout: Where, branch: str) -> bool:
    """Return whether `branch` is checked out, without asking git; False also where only git knows.

    With the reftable format HEAD is not a file that can be read.
    """
    head = require_own_git_dir(checkout) / "HEAD"
    return read_plain(head, _POINTER_BYTES) == f"ref: refs/heads/{branch}\n".encode()


@dataclass(frozen=True)
class Dirty:
    """What differs from HEAD in a checkout. `tracked` includes what is only staged.

    `operation` is the merge, rebase, cherry-pick, revert or bisect that is under way, else empty.
    """

    tracked: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    operation: str = ""

    @property
    def clean(self) -> bool:
        return not (self.tracked or self.untracked or self.operation)

    def __str__(self) -> str:
        parts = [
            f"{len(self.tracked)} changed" if self.tracked else "",
            f"{len(self.untracked)} untracked" if self.untracked else "",
            f"a {self.operation} under way" if self.operation else "",
        ]
        return ", ".join(part for part in parts if part) or "clean"


def dirty_summary(checkout: Where) -> Dirty:
    """Return what is not committed in `checkout`; folders of untracked files count as one."""
    lines = split(_status(checkout))
    return Dirty(
        tuple(line[3:] for line in lines if not line.startswith("??")),
        tuple(line[3:] for line in lines if line.startswith("??")),
        operation(checkout),
    )


_OPERATIONS = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_START": "bisect",
}


# What git keeps of an operation besides.
_BESIDE = (
    "AUTO_MERGE",
    "BISECT_LOG",
    "BISECT_NAMES",
    "BISECT_TERMS",
    "MERGE_MODE",
    "MERGE_MSG",
    "MERGE_RR",
    "REBASE_HEAD",
    "SQUASH_MSG",
    "sequencer",
)

OPERATIONS = (*_OPERATIONS, *_BESIDE)
"""What git keeps of an operation in a checkout's own folder."""


def operation(checkout: Where) -> str:
    """Return the operation that has been started in `checkout` and not ended, or an empty text."""
    folder = require_own_git_dir(checkout)
    return next((word for name, word in _OPERATIONS.items() if (folder / name).exists()), "")


def forget_operation(checkout: Where) -> None:
    """Forget the operation that is under way in `checkout`; its progress is lost."""
    folder = require_own_git_dir(checkout)
    for name in OPERATIONS:
        found = folder / name
        if found.is_dir() and not found.is_symlink():
            shutil.rmtree(found)
        else:
            found.unlink(missing_ok=True)


def checkout_marks(checkout: Where) -> dict[str, str]:
    """Return what tells one state of a checkout from another, by name: `HEAD`, and each file that
    is not as committed. Two states are alike when their marks are. Raises `GitError`.
    """
    head = f"{current_branch(checkout)} {find_commit(checkout, 'HEAD')}"
    return {"HEAD": head, **file_marks(checkout)}


def file_marks(checkout: Where) -> dict[str, str]:
    """Return the marks of the files alone (see `checkout_marks`): what they hold, by content.

    Whether a change is staged is no part of it. Raises `GitError`.
    """
    lines = split(_status(checkout, untracked="all"))
    return {line[3:]: content_mark(path_of(checkout) / line[3:]) for line in lines}


def _status(checkout: Where, *, untracked: str = "normal") -> str:
    # Explicit, because the user's configuration may hide untracked files from `git status`.
    options = ("--porcelain", "-z", "--no-renames", f"--untracked-files={untracked}")
    return git(checkout, "status", *options)
