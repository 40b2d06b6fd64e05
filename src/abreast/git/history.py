"""What has become of a checkout since some moment: its HEAD then, commits, files."""

from abreast.git.call import UTF8, call, git, split
from abreast.git.changes import FileStat, read_numstat
from abreast.git.guarded import Guarded, Where
from abreast.git.reflog import read_log
from abreast.git.status import find_commit


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
