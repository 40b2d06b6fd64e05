"""A worktree registered as `git worktree add --no-checkout --lock` does it, but whole at once.

Git reads every worktree there is before it adds one, which takes 90 ms with a thousand, and the new
one is listed before it is complete. Where all that git would write is known, it is written here, to
a folder that is then renamed. The form is documented (`gitrepository-layout`).
"""

import errno
import os
import re
import shutil
from itertools import count
from pathlib import Path

from abreast.git.reflog import is_reftable, read_file
from abreast.git.repository import Repository
from abreast.git.worktree import WorktreeSpec
from abreast.process import clock

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")  # of other names git makes another one for its folder
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_WHO = "abreast <abreast@localhost>"
# Settings for who may read the files, for reflogs and for files of a worktree's own.
_STEERED = re.compile(
    rb"sharedrepository|worktreeconfig|logallrefupdates(?!\s*=\s*(?:true|always)\b)", re.IGNORECASE
)
_OWN = ("config.worktree", "info/sparse-checkout")  # git copies these from the user's checkout


def can_register(repo: Repository, spec: WorktreeSpec) -> bool:
    """Return whether `register` writes what git would; else git has to.

    The branch of `spec` must be new, or it may be checked out elsewhere.
    """
    common = repo.common_dir
    return (
        _PLAIN.fullmatch(spec.path.name) is not None
        and _COMMIT.fullmatch(spec.base) is not None
        and not is_reftable(repo)
        and (common / "logs/HEAD").is_file()  # reflogs are kept
        and not _STEERED.search(read_file(common / "config"))
        and not any((place / name).exists() for place in (common, repo.git_dir) for name in _OWN)
    )


def register(repo: Repository, spec: WorktreeSpec, scratch: str) -> None:
    """Make the worktree's folder, with its `.git`, and git's own folder for it.

    That has the name `scratch`, in the repository's folder, until it is complete: whoever is killed
    leaves it to `drop_scratch`. Raises FileExistsError when there is something at the path.
    """
    made = scratch_of(repo, scratch)
    files = {
        "HEAD": f"ref: {spec.ref}" if spec.branch else spec.base,
        "commondir": "../..",
        "gitdir": f"{spec.real_path}/.git",
        "locked": spec.reason,
        "logs/HEAD": f"{'0' * len(spec.base)} {spec.base} {_WHO} {int(clock.wall())} +0000",
    }
    (made / "logs").mkdir(parents=True)
    for name, line in files.items():
        (made / name).write_bytes(os.fsencode(f"{line}\n"))
    spec.path.mkdir()
    folder = repo.common_dir / "worktrees"
    folder.mkdir(exist_ok=True)
    # One that is there and empty may be another git's that has just begun.
    names = (f"{spec.path.name}{number or ''}" for number in count())
    admin = next(folder / name for name in names if _moved(made, folder / name))
    (spec.path / ".git").write_bytes(b"gitdir: " + os.fsencode(admin) + b"\n")


def _moved(made: Path, admin: Path) -> bool:
    """Rename a folder; False when the name is taken."""
    if admin.exists():
        return False
    try:
        made.rename(admin)
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            return False
        raise
    return True


def scratch_of(repo: Repository, name: str) -> Path:
    return repo.common_dir / f"abreast-adding.{name}"


def drop_scratch(repo: Repository, name: str) -> None:
    """Remove what a `register` that was killed has left under this name."""
    shutil.rmtree(scratch_of(repo, name), ignore_errors=True)
