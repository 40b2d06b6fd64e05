"""Which files of a worktree differ from an index, and staging them in an index of ours.

Not everything that git lists as modified has been: where attributes or settings convert files on
their way out and back (`eol`, `autocrlf`, `filter`), some are so as they were checked out. Those
are compared with a second check-out of theirs, elsewhere. Ignored files are told by their times.
"""

import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from abreast.git.aside import through_link
from abreast.git.call import call, failure, git, split
from abreast.git.guarded import Guarded
from abreast.git.status import Dirty
from abreast.process.command import Completed
from abreast.process.scratch import scratch_folder

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
    with scratch_folder(tree.git_dir / "fresh") as folder:
        # A copy: the time stamps of the files written here are none of the worktree's.
        copied = folder / "index"
        shutil.copy2(index, copied)
        out = ("checkout-index", "-q", "-f", "-z", "--stdin", f"--prefix={folder}/files/")
        stdin = "".join(f"{path}\0" for path in paths)
        # A filter that fails leaves its file out: then it counts as changed.
        call(tree, *out, env={"GIT_INDEX_FILE": str(copied)}, stdin=stdin, codes=range(256))
        return {path for path in paths if _equal(tree.path / path, folder / "files" / path)}


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


LINK = "160000"  # the mode of a submodule's entry


def replaced(
    tree: Guarded, tracked: Sequence[str], sparse: Collection[str], env: Mapping[str, str]
) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the tracked paths that differ and can be staged, and others with the reason.

    What lies behind a link is not in the worktree: it is taken from our index, like all that is
    gone.
    """
    behind = [path for path in tracked if through_link(tree.path, Path(path))]
    forget(tree, behind, env)
    skipped = dict[str, str]()
    for path in tracked:
        if path in sparse and not os.path.lexists(tree.path / path):
            skipped[path] = "a sparse checkout leaves it out"
        elif os.path.lexists(tree.path / path / ".git"):
            skipped[path] = "a repository of its own"
    inner = [path for path, reason in skipped.items() if reason.startswith("a repo")]
    if inner:  # a submodule is meant to be one
        listed = git(
            tree, "--literal-pathspecs", "ls-files", "-z", "--stage", "--", *inner, env=env
        )
        for row in split(listed):
            if row.startswith(LINK):
                skipped.pop(row.split("\t", 1)[1], None)
    left_out = {*behind, *skipped}
    return [path for path in tracked if path not in left_out], list(skipped.items())


def forget(tree: Guarded, paths: Sequence[str], env: Mapping[str, str]) -> None:
    """Take paths out of the index that `env` names; the files stay."""
    if paths:
        remove = ("update-index", "--force-remove", "-z", "--stdin")
        git(tree, *remove, env=env, stdin="".join(f"{path}\0" for path in paths))


def sorted_out(
    top: Path, tracked: Collection[str], others: Collection[str], max_bytes: int
) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the paths to stage, and those to leave out with the reason."""
    wanted, skipped = list[str](), list[tuple[str, str]]()
    for path in (*tracked, *(path for path in others if path not in tracked)):
        reason = _unwanted(top / path, max_bytes if path in others else None)
        if reason:
            skipped.append((path, reason))
        else:
            wanted.append(path)
    return wanted, skipped


def _unwanted(file: Path, max_bytes: int | None) -> str:
    """Return why a file cannot be staged, or ""; without `max_bytes` it may have any size."""
    if file.is_symlink() or not file.exists():
        return ""
    if file.is_dir():
        return "" if max_bytes is None else "a repository of its own"
    if not os.access(file, os.R_OK):
        return "unreadable"
    if not file.is_file():
        return "no regular file"
    size = file.stat().st_size
    if max_bytes is None or size <= max_bytes:
        return ""
    return f"larger than {max_bytes / 1e6:g} MB ({size / 1e6:.0f} MB)"


# core.safecrlf=true makes git die of a file with mixed line ends.
_ANY_LINE_ENDS = ("core.safecrlf=false",)
_MOST_REFUSED = 100  # each costs some calls; where so many fail, it is not the files' fault
_REFUSED = re.compile(r"^fatal: Unable to process path (.*)$", re.MULTILINE | re.DOTALL)


def stage(tree: Guarded, paths: Sequence[str], env: Mapping[str, str]) -> list[tuple[str, str]]:
    """Stage files as they are; return what git refuses, with its reason."""
    refused, rest = list[tuple[str, str]](), list(paths)
    while rest:
        done = _tried(tree, rest, env)
        if done.code == 0:
            said = done.stderr
            passed_over = (
                [path for path in rest if f"Ignoring path {path}\n" in said] if said else []
            )
            return [*refused, *((path, "a name that git refuses") for path in passed_over)]
        named = _REFUSED.search(done.stderr)
        path = named[1].removesuffix("\n") if named else ""
        if path not in rest:
            few = len(refused) < _MOST_REFUSED
            path = (_refused_one(tree, rest, env) if few else None) or ""
            if path not in rest:
                raise failure(done, tree.path)
        lines = [line for line in done.stderr.split("\n") if not line.startswith("hint: ")]
        said = lines[0].removeprefix("error: ").removeprefix("fatal: ")
        refused.append((path, f"git refuses it: {said}"))
        rest.remove(path)
    return refused


def _refused_one(tree: Guarded, paths: Sequence[str], env: Mapping[str, str]) -> str | None:
    """Return the first of `paths` that git cannot stage and names when it says why, or None.

    A filter of the user's that must not fail, or an encoding that the file does not have.
    """
    while len(paths) > 1:
        half = len(paths) // 2
        paths = paths[:half] if _tried(tree, paths[:half], env).code else paths[half:]
    said = _tried(tree, paths, env)
    return paths[0] if said.code and paths[0] in said.stderr else None


def _tried(tree: Guarded, paths: Sequence[str], env: Mapping[str, str]) -> Completed:
    # `--remove`: a file that has vanished since it was listed is no error.
    add = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
    stdin = "".join(f"{path}\0" for path in paths)
    return call(tree, *add, config=_ANY_LINE_ENDS, env=env, stdin=stdin, codes=(0, 128))
