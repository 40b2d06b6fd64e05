"""Git directories of our own: how they are made, and what configuration they hold.

`guard_repository` makes the one of a run, before its first agent begins: through it we act on what
the checkouts of a repository share. `guard_worktree` makes the one of a worktree from that. Neither
has hooks, and both share objects and refs with the repository, which git reads as data.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from abreast.errors import GitError
from abreast.git.configuration import configuration
from abreast.git.guarded import Guarded, guard_folder, known_guard, read_plain
from abreast.git.hooks import record_hooks
from abreast.git.repository import Repository
from abreast.git.status import own_git_dir
from abreast.process.files import write_atomic
from abreast.process.scratch import scratch_folder

# What of the shared folder git must see as it is now: refs and objects come and go while we work.
_REFS = ("refs", "packed-refs", "reftable")
_SHARED = ("logs/refs", "shallow", "lfs")
_COPIED = ("info/attributes", "info/exclude", "info/grafts", "info/sparse-checkout")


def guard_repository(repo: Repository, folder: Path) -> Repository:
    """Return `repo` to be called through a git directory of our own at `folder`, made if need be.

    Its configuration is the user's at this moment, as far as it decides about content.
    """

    def fill(scratch: Path) -> None:
        _share(repo.common_dir, repo.git_dir, scratch)
        _link(repo.common_dir, scratch, _REFS)
        (scratch / "objects").symlink_to(repo.common_dir / "objects")
        (scratch / "HEAD").write_text("ref: refs/abreast/nowhere\n", encoding="ascii")
        (scratch / "config").write_bytes(configuration(repo))
        record_hooks(repo, scratch)

    _make(folder, fill)
    return replace(repo, guard=folder)


def guard_worktree(repo: Repository, path: Path, *, fresh: bool = False) -> Guarded:
    """Return the worktree at `path`, to be called through a git directory of our own beside it.

    That is made if need be, from the guard of `repo`. `fresh`: no agent can have written to the
    worktree yet, so what its index says of the files is believed. Raises `GitError` when `path` is
    no worktree of this repository.
    """
    folder = guard_folder(path)
    if fresh:
        remove_guard(path)
    elif known := known_guard(path):
        if repo.guard and (folder / "config").read_bytes() != _worktree_configuration(repo):
            # It is used again: what the user has configured since is part of this run.
            write_atomic(folder / "config", os.fsdecode(_worktree_configuration(repo)))
        return known
    return _guarded(repo, path, folder, "its work may be under refs/abreast/")


def guard_aside(repo: Repository, path: Path, folder: Path) -> Guarded:
    """Return a worktree that others have made, to be called through a git directory at `folder`.

    Nothing is written beside the worktree, or in it. Raises `GitError` when it is none of `repo`.
    """
    return _guarded(repo, path, folder, "`git worktree repair` mends a worktree that was moved")


def _guarded(repo: Repository, path: Path, folder: Path, hint: str) -> Guarded:
    """Make the git directory `folder` for the worktree at `path`; `hint`: if it is none of ours."""
    admin = find_admin(repo, path)
    if admin is None:
        stderr = f"{path} is not a worktree of {repo.common_dir}"
        raise GitError(("git", "worktree", "list"), None, stderr=stderr, hint=hint)
    config = _worktree_configuration(repo)
    _make(folder, lambda scratch: _fill(scratch, config, admin, repo.common_dir))
    return Guarded(path, folder, admin)


def guard_inner(tree: Guarded, path: Path, admin: Path, folder: Path) -> Guarded:
    """Return a submodule at `path` in a worktree, to be called like the worktree itself.

    `admin` is the submodule's repository, which nobody vouches for: its objects and refs are read.
    """
    config = (tree.git_dir / "config").read_bytes()
    _make(folder, lambda scratch: _fill(scratch, config, admin, admin))
    return Guarded(path, folder, admin)


def _fill(scratch: Path, config: bytes, admin: Path, common_dir: Path) -> None:
    """Make a git directory for a worktree whose own folder is `admin`."""
    _share(common_dir, admin, scratch)
    if (common_dir / "reftable").is_dir():
        # In tables HEAD would be the one of the user's checkout: the refs are copied as files.
        (scratch / "refs").mkdir()
        config += b'[extensions]\n\trefstorage = "files"\n' if b"refstorage" in config else b""
    else:
        _link(common_dir, scratch, _REFS)
    (scratch / "objects/info").mkdir(parents=True)
    (scratch / "objects/pack").mkdir()
    alternates = quoted(str(common_dir / "objects"))
    (scratch / "objects/info/alternates").write_bytes(os.fsencode(f"{alternates}\n"))
    (scratch / "HEAD").write_text("ref: refs/abreast/nowhere\n", encoding="ascii")
    (scratch / "config").write_bytes(config)
    (scratch / "admin").write_bytes(os.fsencode(str(admin)))


def remove_guard(path: Path) -> None:
    """Remove the guard of a worktree that is gone; nothing when there is none."""
    shutil.rmtree(guard_folder(path), ignore_errors=True)


def quoted(path: str) -> str:
    """Return a path as git reads it in lists of object folders."""
    if ":" in path or "\n" in path or path.startswith(('"', "#")):
        text = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{text}"'
    return path


def _make(folder: Path, fill: Callable[[Path], None]) -> None:
    """Make `folder` in one step: what a killed process has left is no git directory."""
    if folder.is_dir():
        return
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with scratch_folder(folder) as scratch:
        fill(scratch)
        with contextlib.suppress(OSError):  # somebody else was faster
            scratch.rename(folder)


def _share(common_dir: Path, git_dir: Path, scratch: Path) -> None:
    # Git makes the folders of a reflog, but not at the end of a link that leads nowhere.
    (common_dir / "logs/refs").mkdir(parents=True, exist_ok=True)
    (scratch / "logs").mkdir()
    _link(common_dir, scratch, _SHARED)
    (scratch / "info").mkdir()
    for name in _COPIED:
        own = git_dir / name  # which files a checkout is to have is its own affair
        source = own if name.endswith("checkout") else common_dir / name
        if source.is_file() and not source.is_symlink():
            shutil.copyfile(source, scratch / name)


def _link(common_dir: Path, scratch: Path, names: Sequence[str]) -> None:
    for name in names:
        (scratch / name).symlink_to(common_dir / name)


_POINTER_BYTES = 8192  # a path has 4096 at most


def find_admin(repo: Repository, path: Path) -> Path | None:
    """Return git's own folder for the worktree at `path`, or None if it is not one of `repo`.

    That is the folder which names this path. An agent can write another one's name into `.git`.
    """
    top = path.parent.resolve() / path.name / ".git"
    folder = repo.common_dir / "worktrees"
    named = own_git_dir(path) if path.is_dir() else None
    if named and named.parent == folder and _gitdir(named) == top:
        return named
    every = sorted(folder.iterdir()) if folder.is_dir() else ()
    return next((admin for admin in every if _gitdir(admin) == top), None)


def _gitdir(admin: Path) -> Path | None:
    text = os.fsdecode(read_plain(admin / "gitdir", _POINTER_BYTES)).removesuffix("\n")
    return Path(os.path.normpath(admin / text)) if text else None


def _worktree_configuration(repo: Repository) -> bytes:
    whole = (repo.guard / "config").read_bytes() if repo.guard else configuration(repo)
    return whole + b'[core]\n\tbare = "false"\n'  # the last one counts
