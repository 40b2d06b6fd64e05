"""`.worktreeinclude`: which ignored files (`.env`, local settings) a new worktree gets copies of.

The file has the syntax of `.gitignore` and lies at the top of the checkout; Claude Code, Codex and
others read the same one. A file is copied when it matches and git really ignores it.
"""

import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from abreast.git.aside import through_link
from abreast.git.call import call, git, split
from abreast.git.repository import Repository

NAME = ".worktreeinclude"


@dataclass(frozen=True)
class Included:
    """What `copy_included` did: paths copied, and (path, reason) of those it left out."""

    copied: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()


def copy_included(repo: Repository, worktree: Path) -> Included:
    """Copy the files that the checkout's `.worktreeinclude` names into `worktree`.

    Regular files only, never through a symbolic link, never over anything that is there; so it is
    safe to repeat. Without such a file nothing is copied.
    """
    if repo.toplevel is None or not (repo.toplevel / NAME).is_file():
        return Included()
    copied: list[str] = []
    skipped: list[tuple[str, str]] = []
    for path in _included_paths(repo.toplevel):
        reason = _copy(repo.toplevel, worktree, Path(path))
        if reason:
            skipped.append((path, reason))
        else:
            copied.append(path)
    return Included(tuple(copied), tuple(skipped))


def _included_paths(checkout: Path) -> list[str]:
    matching = git(checkout, "ls-files", "-z", "--others", "--ignored", f"--exclude-from={NAME}")
    if not matching:
        return []
    # 1: none of them is ignored.
    ignored = call(checkout, "check-ignore", "-z", "--stdin", stdin=matching, codes=(0, 1))
    return split(ignored.stdout)


def _copy(source: Path, target: Path, path: Path) -> str:
    """Copy one file and return an empty text, or why it was not copied."""
    origin, goal = source / path, target / path
    if through_link(source, path) or through_link(target, path):
        return "a symbolic link is on its way"
    if not stat.S_ISREG(origin.lstat().st_mode):
        return "not a regular file"
    if goal.is_symlink() or goal.exists():
        return "already there"
    goal.parent.mkdir(parents=True, exist_ok=True)
    scratch = goal.with_name(f"{goal.name}.abreast-copy")
    shutil.copy2(origin, scratch, follow_symlinks=False)
    scratch.replace(goal)
    return ""
