"""Worktrees made in two phases and recoverable after a kill at any moment.

Git's own `worktree add` races with itself and with every reader, because a worktree is listed
before it is complete. So the few milliseconds that write metadata happen under one lock per
repository, and the files are written outside it. An intent file beside the worktree exists from
before the first step until after the last one: where it exists, the worktree is half made and
nobody has worked in it; where it does not, the worktree is somebody's work.
"""

import contextlib
import os
import secrets
import shutil
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from abreast.errors import CommandError, GitError, StateError
from abreast.git.call import NO_HOOKS, OUR_CONFIGURATION, call, environment
from abreast.git.guard import guard_worktree, remove_guard
from abreast.git.guarded import Guarded
from abreast.git.hooks import LONGEST
from abreast.git.metadata import admin_dirs, forget, metadata_lock
from abreast.git.refs import delete_ref, read_ref, swap_ref
from abreast.git.repository import Repository, is_ancestor
from abreast.git.worktree import WorktreeSpec, drop_stale_locks, require_healthy
from abreast.process.command import run
from abreast.process.environment import allow
from abreast.process.files import load_json, write_json
from abreast.process.tree import MARKER, end_marked

_NO_COMMIT = "0" * 40
_PATIENCE = 5.0  # seconds for a git to end on SIGTERM; it takes milliseconds


class Made(StrEnum):
    """How `ensure_worktree` came to its worktree."""

    NEW = "new"
    REUSED = "reused"  # it was there, whole, as asked for
    REPAIRED = "repaired"  # it was half made; that was removed, and it was made again
    RESTORED = "restored"  # it was gone, its branch was not: made again from the branch


@dataclass(frozen=True)
class Ready:
    """A worktree fit to work in. `head` is its commit; `notes` is what a user should know."""

    path: Path
    head: str
    made: Made
    notes: tuple[str, ...] = ()


def ensure_worktree(repo: Repository, spec: WorktreeSpec, *, lock: Path) -> Ready:
    """Make sure that the worktree exists, whole and on its branch; safe to repeat after any crash.

    Work in it, committed or not, is never touched. Raises `StateError` when something else is in
    its place (another folder, another branch, another base), `GitError` when git refuses.
    """
    if spec.intent.exists():
        _undo(repo, spec, lock)
        return _make(repo, spec, lock, Made.REPAIRED)
    if spec.path.exists():
        return Ready(spec.path, require_healthy(repo, spec), Made.REUSED)
    if admin_dirs(repo, spec):  # its folder was deleted behind git's back
        forget(repo, spec, lock)
    return _make(repo, spec, lock, Made.NEW)


def _make(repo: Repository, spec: WorktreeSpec, lock: Path, made: Made) -> Ready:
    marker = f"worktree:{secrets.token_hex(8)}"
    spec.path.parent.mkdir(parents=True, exist_ok=True)
    _write_intent(spec, marker)
    try:
        head = _claim_branch(repo, spec, marker)
        _register(repo, spec, lock, marker)
        tree = guard_worktree(repo, spec.path, fresh=True)
        _write_files(tree, head, marker)
    except (GitError, StateError):
        with contextlib.suppress(GitError, OSError):
            _undo(repo, spec, lock)
            spec.intent.unlink(missing_ok=True)
        raise
    notes = _run_post_checkout(repo, spec.path, head, marker)
    spec.intent.unlink()
    restored = head != spec.base and made is Made.NEW
    return Ready(spec.path, head, Made.RESTORED if restored else made, notes)


def _write_intent(spec: WorktreeSpec, marker: str) -> None:
    values = asdict(spec) | {"path": str(spec.path), "marker": marker}
    write_json(spec.intent, values, flush=False)


def _claim_branch(repo: Repository, spec: WorktreeSpec, marker: str) -> str:
    """Create the branch at the base, or accept it where it already builds on the base."""
    if not spec.branch or swap_ref(
        repo, spec.ref, spec.base, None, reason="branch: for a worktree"
    ):
        return spec.base
    _write_intent(replace(spec, branch=""), marker)  # it is not ours to delete
    tip = read_ref(repo, spec.ref) or spec.base
    if tip != spec.base and not is_ancestor(repo, spec.base, tip):
        raise StateError(
            f"branch {spec.branch} already exists and does not build on {spec.base[:12]}",
            hint=f"rename it: `git branch -m {spec.branch} NEW-NAME`",
        )
    return tip


def _register(repo: Repository, spec: WorktreeSpec, lock: Path, marker: str) -> None:
    what = ["--", str(spec.path), spec.branch or spec.base]
    detach = [] if spec.branch else ["--detach"]
    options = ["--no-checkout", "--lock", "--reason", spec.reason, *detach]
    with metadata_lock(lock):
        repo.call(
            "worktree",
            "add",
            *options,
            *what,
            env={MARKER: marker},
            config=(NO_HOOKS,),
            as_user=True,
        )


def _write_files(tree: Guarded, head: str, marker: str) -> None:
    """Check out `head`, as the user: a filter, or a clone that lacks objects, may have to fetch.

    Submodules stay empty, as after `git worktree add`.
    """
    env = {**environment(), **OUR_CONFIGURATION, MARKER: marker, "GIT_INDEX_FILE": str(tree.start)}
    call(tree, "read-tree", "--reset", "-u", head, env=env)
    tree.give_index()


def _run_post_checkout(repo: Repository, path: Path, head: str, marker: str) -> tuple[str, ...]:
    """Run the user's hook as `git worktree add` would; like there, its failure is no failure."""
    hook = repo.guard / "hooks/post-checkout" if repo.guard else None
    if hook is None or not os.access(hook, os.X_OK):
        return ()
    env = allow(os.environ) | {MARKER: marker}
    try:
        run([str(hook), _NO_COMMIT, head, "1"], cwd=path, env=env, timeout=LONGEST)
    except CommandError as error:
        said = error.stderr.strip()[-500:]
        return (f"the post-checkout hook failed ({error.code}): {said}",)
    return ()


def _undo(repo: Repository, spec: WorktreeSpec, lock: Path) -> None:
    """Remove what an interrupted `_make` left. The intent stays: this may be interrupted, too."""
    intent = load_json(spec.intent) or {}
    branch, base = intent.get("branch"), intent.get("base")
    end_marked(str(intent.get("marker") or "none"), _PATIENCE)
    drop_stale_locks(repo, spec.path, str(branch or ""))
    if spec.path.exists():
        shutil.rmtree(spec.path)
    remove_guard(spec.path)
    forget(repo, spec, lock)
    if branch and base:
        delete_ref(repo, f"refs/heads/{branch}", str(base))
