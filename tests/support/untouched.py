"""Whether somebody's checkout, and what its worktrees share, is as it was."""

from pathlib import Path

from abreast.git.repository import find_repository
from abreast.git.status import checkout_marks, require_own_git_dir

_SHARED = ("config", "config.worktree", "info/exclude", "info/attributes", "info/grafts")

Marks = dict[str, object]


def marks_of(checkout: Path) -> Marks:
    """HEAD, the index, and every file that is not as committed, with when it was written."""
    index = require_own_git_dir(checkout) / "index"
    known = checkout_marks(checkout).items()
    return {
        **{name: (mark, _written(checkout / name)) for name, mark in known},
        "index": index.read_bytes() if index.exists() else b"",
    }


def _written(file: Path) -> int:
    return file.lstat().st_mtime_ns if file.is_symlink() or file.exists() else 0


def shared_by(checkout: Path) -> Marks:
    """What all checkouts share besides refs: configuration, hooks, excludes."""
    common = find_repository(checkout).common_dir
    hooks = (f for f in (common / "hooks").glob("*") if f.suffix != ".sample")
    files = [*(common / name for name in _SHARED), *hooks]
    return {str(f): (f.stat().st_mode, f.read_bytes()) for f in files if f.is_file()}
