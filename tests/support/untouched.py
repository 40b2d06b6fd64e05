"""Whether somebody's checkout, and what its worktrees share, is as it was."""

from pathlib import Path

from abreast.git.repository import find_repository
from abreast.git.status import checkout_marks, require_own_git_dir

_SHARED = ("config", "config.worktree", "info/exclude", "info/attributes", "info/grafts")

Marks = dict[str, object]


def marks_of(checkout: Path) -> Marks:
    """HEAD, the index, and every file that is not as committed."""
    index = require_own_git_dir(checkout) / "index"
    return {**checkout_marks(checkout), "index": index.read_bytes() if index.exists() else b""}


def shared_by(checkout: Path) -> Marks:
    """What all checkouts share besides refs: configuration, hooks, excludes."""
    common = find_repository(checkout).common_dir
    hooks = (f for f in (common / "hooks").glob("*") if f.suffix != ".sample")
    files = [*(common / name for name in _SHARED), *hooks]
    return {str(f): (f.stat().st_mode, f.read_bytes()) for f in files if f.is_file()}
