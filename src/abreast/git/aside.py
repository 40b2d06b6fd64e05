"""Files that no commit can hold, moved out of a worktree that is to be emptied or removed."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path


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
