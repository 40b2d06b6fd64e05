"""Files of a worktree that git ignores, and that somebody has written there since a moment."""

import os
from collections.abc import Iterator
from pathlib import Path

from abreast.git.call import git, split
from abreast.git.differing import start_index
from abreast.git.guarded import Guarded

_MOST = 200_000  # files looked at in one ignored folder; a larger one counts as written


def ignored_since(tree: Guarded, since: float) -> tuple[str, ...]:
    """Return the ignored files and folders of a worktree in which a file is newer than `since`.

    A folder that is ignored as a whole is one path, which ends with a slash. `since` is a time in
    Unix seconds. A repository that lies in the worktree is no ignored folder.
    """
    listed = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    paths = split(git(tree, *listed, env={"GIT_INDEX_FILE": str(start_index(tree))}))
    return tuple(path for path in paths if _written(tree.path / path, since))


def _written(path: Path, since: float) -> bool:
    for number, file in enumerate(_files(path)):
        if number >= _MOST:
            return True
        try:
            found = file.lstat()
        except OSError:
            continue
        if max(found.st_mtime, found.st_ctime) >= since:
            return True
    return False


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir() and not path.is_symlink():
        for folder, _, names in os.walk(path):
            yield from (Path(folder, name) for name in names)
    else:
        yield path
