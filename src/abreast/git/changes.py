"""What differs between two trees, between a commit and a worktree, or since some moment."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from abreast.git.call import UTF8, call, git, split
from abreast.git.guard import quoted
from abreast.git.guarded import Guarded, Where
from abreast.git.reflog import read_log
from abreast.git.repository import Repository
from abreast.git.snapshot import build_tree
from abreast.git.status import find_commit


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


def diffstat(
    repo: Repository, base: str, tip: str, *, env: Mapping[str, str] | None = None
) -> list[FileStat]:
    """Return the lines added and deleted in each file that differs between two commits or trees."""
    return read_numstat(_diff(repo, "--no-renames", "--numstat", "-z", base, tip, env=env))


def changes_and_stats(
    repo: Repository, base: str, tip: str, *, env: Mapping[str, str] | None = None
) -> tuple[list[ChangedPath], list[FileStat]]:
    """Return what `changed_files` and `diffstat` say of two commits or trees, from one call."""
    words = iter(split(_diff(repo, "--no-renames", "--raw", "--numstat", "-z", base, tip, env=env)))
    changes, rows = [], []
    for word in words:
        if word.startswith(":"):  # `:mode mode id id status`, then the path
            changes.append(ChangedPath(next(words), word[-1]))
        else:
            rows.append(word)
    return changes, list(map(_stat, rows))


def read_numstat(printed: str) -> list[FileStat]:
    """Return what `--numstat -z --no-renames` has printed."""
    return list(map(_stat, split(printed)))


def _stat(row: str) -> FileStat:
    added, deleted, path = row.split("\t", 2)
    return FileStat(path, _count(added), _count(deleted))


Form = tuple[str, ...]
"""Options of git: `--stat`, `-p` or `--binary`, which holds what has changed in binary files too.

Bytes that are no text are surrogates in it: `os.fsencode` gives them back.
"""


def diff_text(
    repo: Repository,
    base: str,
    tip: str,
    form: Form = ("-p",),
    *,
    env: Mapping[str, str] | None = None,
) -> str:
    """Return the difference between two commits or trees as git prints it.

    `env` may name an object folder that has them.
    """
    return _diff(repo, "-M", *form, base, tip, env=env)


def worktree_diff(repo: Repository, worktree: Guarded, base: str, form: Form = ("-p",)) -> str:
    """Return what `worktree` has over `base`, uncommitted and untracked files included.

    Leaves no object, index or file behind.
    """
    with quarantine(repo) as env:
        tree = build_tree(worktree, env=env).tree
        return _diff(repo, "-M", *form, base, tree, env=env)


def worktree_changes(
    repo: Repository, worktree: Guarded, base: str
) -> tuple[list[ChangedPath], list[FileStat]]:
    """Return what `changed_files` and `diffstat` say of a worktree, new files included.

    Leaves no object, index or file behind.
    """
    with quarantine(repo) as env:
        tree = build_tree(worktree, env=env).tree
        return changes_and_stats(repo, base, tree, env=env)


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


def head_at(checkout: Where, when: float) -> str | None:
    """Return the commit that HEAD of `checkout` was at, at `when` (Unix seconds).

    None when its reflog does not reach back as far, or there is none.
    """
    if isinstance(checkout, Guarded):
        entries = read_log(checkout.admin / "logs/HEAD")
        return next((entry.new for entry in reversed(entries) if entry.time <= when), None)
    listed = ("log", "-g", "--format=%H %gd", "--date=unix", "--end-of-options", "HEAD", "--")
    done = call(checkout, *listed, codes=(0, 128))
    for line in done.stdout.splitlines():
        commit, _, name = line.partition(" ")
        stamp = name.rpartition("{")[2].removesuffix("}")
        if stamp.isdigit() and int(stamp) <= when:
            return commit
    return None


def commits_since(checkout: Where, base: str, limit: int = 50) -> list[str]:
    """Return the commits of HEAD that `base` does not have, newest first: `<id> <subject>`."""
    listed = ("log", f"--max-count={limit}", "--format=%H %s", f"{base}..HEAD", "--")
    lines = git(checkout, *listed, config=UTF8).splitlines()
    return [f"{line[:12]}{line[line.index(' ') :]}" for line in lines if " " in line]


def apart(checkout: Where, one: str, other: str) -> tuple[int, int] | None:
    """Return how many commits only `one` has, and how many only `other` has.

    None when one of them is not in the repository.
    """
    if find_commit(checkout, one) is None or find_commit(checkout, other) is None:
        return None
    counted = git(checkout, "rev-list", "--left-right", "--count", f"{one}...{other}", "--")
    left, right = counted.split()
    return int(left), int(right)


def changed_since(checkout: Where, commit: str) -> list[FileStat]:
    """Return the tracked files of `checkout` that differ from `commit`, with their lines."""
    options = ("--no-ext-diff", "--no-textconv", "--no-renames", "--no-color", "--numstat", "-z")
    return read_numstat(git(checkout, "diff", *options, commit, "--"))


def names_between(checkout: Where, one: str, other: str) -> list[str]:
    """Return the paths that differ between two commits."""
    options = ("-r", "--no-renames", "--name-only", "-z")
    return list(split(git(checkout, "diff-tree", *options, one, other, "--")))


def untracked(checkout: Where) -> list[str]:
    """Return the files that git does not know and does not ignore."""
    return list(split(git(checkout, "ls-files", "-z", "--others", "--exclude-standard")))


def is_ignored(checkout: Where, name: str) -> bool:
    """Return whether git would ignore a file of this name at the top of `checkout`."""
    return call(checkout, "check-ignore", "-q", "--", name, codes=(0, 1)).code == 0
