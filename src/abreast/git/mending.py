"""Worktrees whose folder below `.git/worktrees` is gone, while their files are there.

Without that folder no git works in a worktree, and what is in it could not be kept.
"""

import os
import shutil
import tempfile
from pathlib import Path

from abreast.git.call import git
from abreast.git.guard import guard_worktree
from abreast.git.refs import read_ref
from abreast.git.repository import Repository
from abreast.git.worktree import WorktreeSpec
from abreast.process.listing import entries


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
    # Whole at once: a worktree that is half registered breaks other gits (see `making`).
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
