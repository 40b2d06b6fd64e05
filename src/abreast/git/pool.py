"""A warm pool: idle worktrees that keep their ignored files (dependencies, build output).

A slot belongs to whoever created its claim file, which names the claimant and so survives a crash.
Slots stay where they are, because installed dependencies hold absolute paths.
"""

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from abreast.errors import GitError, StateError
from abreast.git.commit import left_in, show, switch_detached
from abreast.git.guard import find_admin, guard_worktree
from abreast.git.making import ensure_worktree
from abreast.git.repository import Repository, read_ref, swap_ref
from abreast.git.status import current_branch, find_commit, forget_operation, set_head
from abreast.git.worktree import WorktreeSpec, metadata_lock


@dataclass(frozen=True)
class Pool:
    """`size` worktrees of `repo` below `folder`; `lock` is the one `ensure_worktree` takes."""

    repo: Repository
    folder: Path
    size: int
    lock: Path

    @property
    def slots(self) -> list[Path]:
        return [self.folder / f"slot-{number}" for number in range(1, self.size + 1)]


def fill(pool: Pool, base: str) -> int:
    """Make the slots that are missing, at commit `base`; return how many. Slow; safe to repeat."""
    made = 0
    with metadata_lock(pool.folder / "fill.lock"):
        for slot in pool.slots:
            spec = WorktreeSpec(slot, "", base, f"abreast pool {slot}")
            if not slot.exists() or spec.intent.exists():
                ensure_worktree(pool.repo, spec, lock=pool.lock)
                made += 1
    return made


def claim(pool: Pool, claimant: str, branch: str, base: str) -> Path | None:
    """Return a clean idle worktree, now on `branch`, which is made at `base`; None: there is none.

    A claimant that holds a slot on that branch gets it back as it is. Two processes never get the
    same slot. A slot that is not fit (not clean, in use by a git command) is passed over.
    """
    for slot in pool.slots:
        mine = claimant_of(slot) == claimant
        if mine and current_branch(guard_worktree(pool.repo, slot)) == branch:
            return slot
    for slot in pool.slots:
        if _take(slot, claimant):
            with contextlib.suppress(GitError):
                if _prepare(pool, slot, branch, base):
                    return slot
            _claim_file(slot).unlink(missing_ok=True)
    return None


def give_back(repo: Repository, slot: Path, claimant: str) -> None:
    """Make a slot idle again: detached, clean, ignored files kept. Its branch stays.

    Whatever is not committed is lost: snapshot it first. Safe to repeat: a slot that somebody else
    has claimed meanwhile is left alone. Raises `StateError` while a git command is at work there.
    """
    if claimant_of(slot) == claimant:
        if not slot.exists():  # somebody has removed it
            _claim_file(slot).unlink(missing_ok=True)
            return
        tree = guard_worktree(repo, slot)
        if (tree.admin / "index.lock").exists():
            hint = f"if none is, delete {tree.admin / 'index.lock'}"
            raise StateError(f"a git command is running in {slot}", hint=hint)
        switch_detached(repo, tree, find_commit(tree, "HEAD") or "HEAD")
        _claim_file(slot).unlink(missing_ok=True)


def claimant_of(slot: Path) -> str | None:
    """Return who holds a slot, or None."""
    with contextlib.suppress(FileNotFoundError):
        return _claim_file(slot).read_text(encoding="utf-8")
    return None


def _claim_file(slot: Path) -> Path:
    return slot.with_name(f"{slot.name}.claim")


def _take(slot: Path, claimant: str) -> bool:
    """Create the claim file, content and all, in one step; False when somebody else holds it."""
    if not slot.exists() or WorktreeSpec(slot, "", "", "").intent.exists():
        return False
    if claimant_of(slot) == claimant:  # a crash interrupted us; nobody has worked there
        return True
    scratch = slot.with_name(f"{slot.name}.{secrets.token_hex(6)}")
    scratch.write_text(claimant, encoding="utf-8")
    try:
        os.link(scratch, _claim_file(slot))
    except FileExistsError:
        return False
    finally:
        scratch.unlink()
    return True


def _prepare(pool: Pool, slot: Path, branch: str, base: str) -> bool:
    if find_admin(pool.repo, slot) is None:
        return False
    ref = f"refs/heads/{branch}"
    made = swap_ref(pool.repo, ref, base, None, reason="branch: for a worktree")
    if not made and read_ref(pool.repo, ref) != base:
        return False
    tree = guard_worktree(pool.repo, slot)
    if (tree.admin / "index.lock").exists():
        return False  # a git command is at work there
    forget_operation(tree)
    set_head(tree, ref)
    show(tree, base)
    return left_in(tree).clean and find_commit(tree, "HEAD") == base
