"""Which files of a worktree differ from an index, as a person would say it.

Not everything that git lists as modified has been: where attributes or settings convert files on
their way out and back (`eol`, `autocrlf`, `filter`), some are so as they were checked out. Those
are compared with a second check-out of theirs, elsewhere. Ignored files are told by their times.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from abreast.git.call import call, git, split
from abreast.git.guarded import Guarded
from abreast.git.status import Dirty

_CONVERTING = (b"\tautocrlf", b"\teol", b"\tattributesfile")  # settings, as we write them


def start_index(tree: Guarded) -> Path:
    """Return the index from before the agent began; of a worktree that an older abreast made, one
    of HEAD, which knows nothing of the files.
    """
    if not tree.start.exists():
        git(tree, "read-tree", "HEAD", env={"GIT_INDEX_FILE": str(tree.start)})
    return tree.start


def differing(tree: Guarded, index: Path) -> Dirty:
    """Return what in a worktree is not as `index` has it, nor as that was checked out.

    Ignored files are left out. A repository that lies in the worktree is one path, which ends with
    a slash.
    """
    env = {"GIT_INDEX_FILE": str(index)}
    listed = ("ls-files", "-z", "-t", "--modified", "--deleted", "--others", "--exclude-standard")
    rows = split(git(tree, *listed, env=env))
    # A deleted file is listed as modified, too.
    tracked = list(dict.fromkeys(row[2:] for row in rows if row[0] != "?"))
    converted = [path for path in tracked if (tree.path / path).is_file()]
    if converted and _converts(tree, converted):
        same = _as_checked_out(tree, index, converted)
        tracked = [path for path in tracked if path not in same]
    return Dirty(tuple(tracked), tuple(row[2:] for row in rows if row[0] == "?"))


def _converts(tree: Guarded, paths: Sequence[str]) -> bool:
    """Return whether something may convert files between the repository and the worktree."""
    if (tree.git_dir / "info/attributes").is_file():
        return True
    if any(word in (tree.git_dir / "config").read_bytes() for word in _CONVERTING):
        return True
    folders = {parent for path in paths for parent in PurePosixPath(path).parents}
    return any(os.path.lexists(tree.path / folder / ".gitattributes") for folder in folders)


def _as_checked_out(tree: Guarded, index: Path, paths: Sequence[str]) -> set[str]:
    """Return which of `paths` have the very bytes that checking them out gives."""
    with tempfile.TemporaryDirectory(prefix="fresh.", dir=tree.git_dir) as folder:
        # A copy: the time stamps of the files written here are none of the worktree's.
        copied = Path(folder, "index")
        shutil.copy2(index, copied)
        out = ("checkout-index", "-q", "-f", "-z", "--stdin", f"--prefix={folder}/files/")
        stdin = "".join(f"{path}\0" for path in paths)
        # A filter that fails leaves its file out: then it counts as changed.
        call(tree, *out, env={"GIT_INDEX_FILE": str(copied)}, stdin=stdin, codes=range(256))
        return {path for path in paths if _equal(tree.path / path, Path(folder, "files", path))}


def _equal(one: Path, other: Path) -> bool:
    try:
        return (
            not other.is_symlink()
            and not one.is_symlink()
            and os.access(one, os.X_OK) == os.access(other, os.X_OK)
            and one.stat().st_size == other.stat().st_size
            and one.read_bytes() == other.read_bytes()
        )
    except OSError:
        return False


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
