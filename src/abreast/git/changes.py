"""What differs between two trees, or between a commit and a worktree as it stands."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from abreast.git.call import split
from abreast.git.guard import quoted
from abreast.git.guarded import Guarded
from abreast.git.repository import Repository
from abreast.git.snapshot import build_tree


@dataclass(frozen=True)
class ChangedPath:
    """One changed path. `status` is A (added), D (deleted), M (modified) or T (type changed)."""

    path: str
    status: str


@dataclass(frozen=True)
class FileStat:
    """Lines added and deleted in one file; None where git sees it as binary."""

    path: str
    added: int | None
    deleted: int | None


def changed_files(
    repo: Repository, base: str, tip: str, *, env: Mapping[str, str] | None = None
) -> list[ChangedPath]:
    """Return the paths that differ between two commits or trees; a rename is D and A.

    `env` may name an object folder that has them.
    """
    words = split(_diff(repo, "--no-renames", "--name-status", "-z", base, tip, env=env))
    return [ChangedPath(path, status) for status, path in zip(words[::2], words[1::2], strict=True)]


def diffstat(repo: Repository, base: str, tip: str) -> list[FileStat]:
    """Return the lines added and deleted in each file that differs between two commits or trees."""
    return read_numstat(_diff(repo, "--no-renames", "--numstat", "-z", base, tip))


def read_numstat(printed: str) -> list[FileStat]:
    """Return what `--numstat -z --no-renames` has printed."""
    rows = (line.split("\t", 2) for line in split(printed))
    return [FileStat(path, _count(added), _count(deleted)) for added, deleted, path in rows]


Form = Literal["--stat", "-p", "--binary"]
"""A summary, a patch for people, or one that holds what has changed in binary files too.

Bytes that are no text are surrogates in it: `os.fsencode` gives them back.
"""


def diff_text(repo: Repository, base: str, tip: str, form: Form = "-p") -> str:
    """Return the difference between two commits or trees as git prints it."""
    return _diff(repo, "-M", form, base, tip)


def worktree_diff(repo: Repository, worktree: Guarded, base: str, form: Form = "-p") -> str:
    """Return what `worktree` has over `base`, uncommitted and untracked files included.

    Leaves no object, index or file behind.
    """
    with quarantine(repo) as env:
        tree = build_tree(worktree, env=env).tree
        return _diff(repo, "-M", form, base, tree, env=env)


@contextmanager
def quarantine(repo: Repository) -> Iterator[dict[str, str]]:
    """Yield variables under which git writes its objects to a folder that is deleted afterwards."""
    objects = quoted(str(repo.common_dir / "objects"))
    with tempfile.TemporaryDirectory(prefix="abreast-objects.") as folder:
        yield {"GIT_OBJECT_DIRECTORY": folder, "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects}


def _diff(repo: Repository, *args: str, env: Mapping[str, str] | None = None) -> str:
    # The plumbing command: the user's diff settings (colour, prefixes, tools) do not reach it.
    return repo.call("diff-tree", "-r", "--no-ext-diff", "--no-textconv", *args, env=env).stdout


def _count(text: str) -> int | None:
    return None if text == "-" else int(text)
