"""Files of a worktree into an index of ours: which can be staged, and why the others cannot."""

import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from abreast.git.aside import through_link
from abreast.git.call import call, failure, git, split
from abreast.git.guarded import Guarded
from abreast.process.command import Completed

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
