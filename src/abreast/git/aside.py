"""Files that no commit holds: copied into a new worktree, moved out of one that is emptied."""

import os
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from abreast.git.call import call, git, split
from abreast.git.repository import Repository

# `.worktreeinclude`: which ignored files (`.env`, local settings) a new worktree gets copies of.
#
# The file has the syntax of `.gitignore` and lies at the top of the checkout; Claude Code, Codex
# and others read the same one. A file is copied when it matches and git really ignores it.

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


def move_aside(top: Path, paths: Iterable[str], folder: Path) -> list[str]:
    """Move what is at `paths` below `top` to the same places below `folder`; return what was moved.

    Nothing that is there already is replaced: the newer one gets a number. What a link, or a name
    that leads out, makes look as if it were below `top` stays where it is. Raises OSError.
    """
    moved = []
    for path in paths:
        source = top / path.rstrip("/")
        inside = Path(path)
        outside = inside.is_absolute() or ".." in inside.parts or through_link(top, inside)
        if outside or not os.path.lexists(source):
            continue
        goal = _free(folder / path.rstrip("/"))
        goal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.move(source, goal)
        moved.append(path)
    return moved


def give_back(folder: Path, top: Path) -> list[str]:
    """Move what `move_aside` has put into `folder` back to `top`; what is in the way stays there.

    Return the paths that came back.
    """
    returned = []
    for source in sorted(_outermost(folder)):
        path = source.relative_to(folder)
        if not os.path.lexists(top / path) and not through_link(top, path):
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(source, top / path)
            returned.append(str(path))
    for left in sorted(folder.rglob("*"), reverse=True):
        if left.is_dir() and not left.is_symlink() and not any(left.iterdir()):
            left.rmdir()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    return returned


def _outermost(folder: Path) -> list[Path]:
    """Return what was moved: single files, and repositories as wholes."""
    found = []
    for current, folders, files in os.walk(folder):
        if ".git" in (*folders, *files) and Path(current) != folder:
            found.append(Path(current))
            folders.clear()
            continue
        here = Path(current)
        links = [name for name in folders if (here / name).is_symlink()]
        found += [here / name for name in (*files, *links)]
    return found


def through_link(top: Path, path: Path) -> bool:
    """Return whether `top`, or a folder on the way from it to `path`, is a link."""
    return any((top / parent).is_symlink() for parent in path.parents)


def _free(goal: Path) -> Path:
    number, free = 1, goal
    while os.path.lexists(free):
        number += 1
        free = goal.with_name(f"{goal.name}.{number}")
    return free
