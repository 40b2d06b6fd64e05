"""Worktrees made in two phases, mended and removed; each can be repeated after a kill.

Git's own `worktree add` races with itself and with every reader, because a worktree is listed
before it is complete. So mostly we write the metadata ourselves, whole at once; where git has to,
the few milliseconds of that happen under one lock per repository. The files are written outside it.
An intent file beside the worktree exists from before the first step until after the last one: where
it exists, the worktree is half made and nobody has worked in it; where it does not, the worktree is
somebody's work.

A worktree whose folder below `.git/worktrees` is gone is mended: without that folder no git works
in it, and its work could not be kept. One that is removed is renamed first and deleted later.
"""

import contextlib
import errno
import os
import secrets
import shutil
import tempfile
import threading
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from abreast.errors import CommandError, GitError, StateError
from abreast.git.call import NO_HOOKS, OUR_CONFIGURATION, call, environment, git
from abreast.git.guard import find_admin, guard_worktree, remove_guard
from abreast.git.guarded import Guarded
from abreast.git.ref_change import LONGEST
from abreast.git.reflog import read_log
from abreast.git.registering import can_register, drop_scratch, register
from abreast.git.repository import (
    Repository,
    delete_ref,
    is_ancestor,
    look_up,
    read_ref,
    swap_ref,
)
from abreast.git.worktree import (
    Health,
    WorktreeSpec,
    admin_dirs,
    drop_stale_locks,
    forget,
    metadata_lock,
    require_healthy,
    worktree_health,
)
from abreast.process.command import run
from abreast.process.environment import allow
from abreast.process.files import load_json, write_json
from abreast.process.folders import entries
from abreast.process.tree import MARKER, end_marked

_NO_COMMIT = "0" * 40
_MARK = "worktree:"  # how the marker of our processes at one worktree begins
_STEPS = 20  # of HEAD's log that are looked at
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
        notes = _bring_back_branch(repo, spec)
        return Ready(spec.path, require_healthy(repo, spec), Made.REUSED, notes)
    if admin_dirs(repo, spec):  # its folder was deleted behind git's back
        forget(repo, spec, lock)
    return _make(repo, spec, lock, Made.NEW)


def _bring_back_branch(repo: Repository, spec: WorktreeSpec) -> tuple[str, ...]:
    """Make the branch of a worktree again that somebody has removed; return what to tell of it.

    Where HEAD of the worktree is on it, it goes to the commit that HEAD was at last.
    """
    admin = find_admin(repo, spec.path)
    if not spec.branch or admin is None or read_ref(repo, spec.ref) is not None:
        return ()
    if (admin / "HEAD").read_bytes() != f"ref: {spec.ref}\n".encode():
        return ()
    steps = [entry.new for entry in read_log(admin / "logs/HEAD") if entry.new.strip("0")]
    there = look_up(repo, *steps[-_STEPS:]) if steps else ()
    tip = next((one for one in reversed(there) if one and is_ancestor(repo, spec.base, one)), "")
    if not swap_ref(repo, spec.ref, tip or spec.base, None, reason="branch: it was removed"):
        return ()
    at = (tip or spec.base)[:12]
    return (f"branch {spec.branch} was removed, by whom is not known; it was made again at {at}",)


def _make(repo: Repository, spec: WorktreeSpec, lock: Path, made: Made) -> Ready:
    marker = f"{_MARK}{secrets.token_hex(8)}"
    spec.path.parent.mkdir(parents=True, exist_ok=True)
    _write_intent(spec, marker)
    try:
        head, new = _claim_branch(repo, spec, marker)
        if new and can_register(repo, spec):
            register(repo, spec, marker.removeprefix(_MARK))
        else:
            _register(repo, spec, lock, marker)
        tree = guard_worktree(repo, spec.path, fresh=True)
        _write_files(tree, head, marker)
    except (GitError, StateError, OSError):
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


def _claim_branch(repo: Repository, spec: WorktreeSpec, marker: str) -> tuple[str, bool]:
    """Create the branch at the base, or accept it where it already builds on the base.

    Returns the commit that it is at, and whether it is new, as a detached HEAD is.
    """
    if not spec.branch or swap_ref(
        repo, spec.ref, spec.base, None, reason="branch: for a worktree"
    ):
        return spec.base, True
    _write_intent(replace(spec, branch=""), marker)  # it is not ours to delete
    tip = read_ref(repo, spec.ref) or spec.base
    if tip != spec.base and not is_ancestor(repo, spec.base, tip):
        raise StateError(
            f"branch {spec.branch} already exists and does not build on {spec.base[:12]}",
            hint=f"rename it: `git branch -m {spec.branch} NEW-NAME`",
        )
    return tip, False


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
    """Check out `head` as the user, because a filter or a partial clone may have to fetch.

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
    marker = str(intent.get("marker") or "none")
    end_marked(marker, _PATIENCE)
    if marker.startswith(_MARK):
        drop_scratch(repo, marker.removeprefix(_MARK))
    drop_stale_locks(repo, spec.path, str(branch or ""))
    if spec.path.exists():
        shutil.rmtree(spec.path)
    remove_guard(spec.path)
    forget(repo, spec, lock)
    if branch and base:
        delete_ref(repo, f"refs/heads/{branch}", str(base))


def mend_worktree(repo: Repository, spec: WorktreeSpec, admin: Path) -> bool:
    """Make `admin`, git's own folder for the worktree `spec`, again; True when it was gone.

    HEAD is on the worktree's branch, or at its base where that is gone too; the index holds that
    commit, and no file is written. Nothing is done where another repository is in its place.
    """
    pointer = spec.path / ".git"
    if admin.is_dir() or not spec.path.is_dir() or admin.parent != repo.common_dir / "worktrees":
        return False
    if pointer.is_dir() or (pointer.is_file() and pointer.read_bytes() != _pointing(admin)):
        return False
    head = f"ref: {spec.ref}" if spec.branch and read_ref(repo, spec.ref) else spec.base
    files = {
        "HEAD": f"{head}\n".encode(),
        "commondir": b"../..\n",
        "gitdir": os.fsencode(spec.real_path / ".git") + b"\n",
        "locked": os.fsencode(spec.reason),
    }
    # Whole at once: a worktree that is half registered breaks other gits (see above).
    scratch = Path(tempfile.mkdtemp(prefix="abreast-mending.", dir=repo.common_dir))
    try:
        for name, content in files.items():
            (scratch / name).write_bytes(content)
        admin.parent.mkdir(exist_ok=True)
        scratch.rename(admin)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    pointer.write_bytes(_pointing(admin))
    git(guard_worktree(repo, spec.path), "read-tree", "HEAD", env=_index_of(admin))
    return True


def _index_of(admin: Path) -> dict[str, str]:
    return {"GIT_INDEX_FILE": str(admin / "index")}


def _pointing(admin: Path) -> bytes:
    return b"gitdir: " + os.fsencode(admin) + b"\n"


def checked_out_in(repo: Repository, branch: str, admin: Path) -> list[Path]:
    """Return the linked worktrees that are on `branch` besides the one whose own folder `admin` is.

    Read from files; none where refs are kept in tables.
    """
    wanted = f"ref: refs/heads/{branch}\n".encode()
    found = []
    for folder in entries(repo.common_dir / "worktrees"):
        try:
            if folder != admin and (folder / "HEAD").read_bytes() == wanted:
                text = (folder / "gitdir").read_text(errors="surrogateescape")
                found.append(Path(os.path.normpath(folder / text.removesuffix("\n"))).parent)
        except OSError:
            continue  # it has gone meanwhile, or is half made
    return found


def remove_worktree(
    repo: Repository, spec: WorktreeSpec, *, trash: Path, lock: Path
) -> Path | None:
    """Take a worktree away at once: its folder is moved into `trash`, its metadata removed.

    The branch stays. Safe to repeat; returns where the folder went, or None when there was none.
    Asks nothing: whatever is not committed goes with it. Raises `StateError` when the path holds
    anything but a worktree of this repository.
    """
    moved = None
    if spec.path.exists():
        health, detail = worktree_health(repo, spec)
        if health is Health.FOREIGN:
            raise StateError(detail, hint="nothing was removed")
        moved = move_to_trash(spec.path, trash)
    forget(repo, spec, lock)
    remove_guard(spec.path)
    spec.intent.unlink(missing_ok=True)
    return moved


def empty_trash_aside(trash: Path) -> None:
    """Begin to delete what has been moved to `trash`; what is left when we end waits there."""
    threading.Thread(target=empty_trash, args=(trash,), daemon=True, name="trash").start()


def empty_trash(trash: Path) -> int:
    """Delete what has been moved to `trash`, and return how many folders went. Slow; no lock."""
    count = 0
    for folder in entries(trash):
        shutil.rmtree(folder, ignore_errors=True)
        count += not folder.exists()
    return count


def move_to_trash(path: Path, trash: Path) -> Path:
    """Move a folder to where it is deleted later, and return where it is then."""
    name = f"{path.name}.{secrets.token_hex(6)}"
    trash.mkdir(parents=True, exist_ok=True)
    try:
        return path.rename(trash / name)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # Another file system: delete it here. Slow, but it was to be deleted anyway.
        shutil.rmtree(path)
        return path
