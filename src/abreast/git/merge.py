"""Merges without a checkout: one for real, or many as predictions that leave no object behind."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path, PurePosixPath

from abreast.git.call import call, split
from abreast.git.changes import ChangedPath, changed_files, quarantine
from abreast.git.repository import Repository, is_ancestor

# A conflict without a path of its own must not pass for a clean merge.
_NO_PATH = ("(the tree as a whole)",)


@dataclass(frozen=True)
class Merged:
    """A merge's tree, and the paths in conflict; with conflicts, the tree holds the markers."""

    tree: str
    conflicts: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return not self.conflicts


def merge_trees(
    repo: Repository,
    ours: str,
    theirs: str,
    *,
    env: Mapping[str, str] | None = None,
    git_dir: Path | None = None,
) -> Merged:
    """Merge two commits and return the tree; no ref, index or file changes.

    Merge drivers of the repository's configuration apply, recorded resolutions (rerere) do not.
    With `git_dir`, that git directory's configuration counts instead (see `abreast.git.landed`).
    Raises `GitError` when the two have no common ancestor.
    """
    words = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
    if git_dir:
        done = call(git_dir, *words, git_dir=git_dir, codes=(0, 1), env=env)
    else:
        done = repo.call_inside(*words, codes=(0, 1), env=env)
    tree, *paths = split(done.stdout)
    return Merged(tree, (tuple(dict.fromkeys(paths)) or _NO_PATH) if done.code else ())


def fast_forwardable(repo: Repository, old: str, new: str) -> bool:
    """Return whether moving a branch from `old` to `new` drops nothing."""
    return is_ancestor(repo, old, new)


@dataclass(frozen=True)
class Clash:
    """Two names whose commits do not merge, and the paths that stand in the way."""

    one: str
    other: str
    paths: tuple[str, ...]


def predict_conflicts(repo: Repository, base: str, commits: Mapping[str, str]) -> list[Clash]:
    """Return every pair of `commits` (name → id) that would conflict if both were merged.

    `base` must be an ancestor of all. Only pairs whose changes meet are tried. Nothing is written.
    """
    changes = {name: changed_files(repo, base, commit) for name, commit in commits.items()}
    pairs = [pair for pair in combinations(commits, 2) if _meet(changes[pair[0]], changes[pair[1]])]
    merged = _try_merges(repo, [(commits[one], commits[other]) for one, other in pairs])
    outcomes = zip(pairs, merged, strict=True)
    return [Clash(*pair, result.conflicts) for pair, result in outcomes if not result.clean]


def _try_merges(repo: Repository, pairs: Sequence[tuple[str, str]]) -> list[Merged]:
    if not pairs:
        return []
    lines = "".join(f"{ours} {theirs}\n" for ours, theirs in pairs)
    options = ("--write-tree", "--stdin", "-z", "--name-only", "--no-messages")
    with quarantine(repo) as env:
        text = repo.call_inside("merge-tree", *options, stdin=lines, env=env).stdout
    fields = iter(split(text))
    return [_read_merge(fields) for _ in pairs]


def _read_merge(fields: Iterator[str]) -> Merged:
    # `<1|0> NUL <tree> NUL (<path> NUL)* NUL`, where 1 is clean: the reverse of the exit code.
    clean, tree = next(fields) == "1", next(fields)
    paths = tuple(dict.fromkeys(iter(fields.__next__, "")))
    return Merged(tree, () if clean else paths or _NO_PATH)


def _meet(ones: Sequence[ChangedPath], others: Sequence[ChangedPath]) -> bool:
    """Return whether two sets of changes could conflict; may err towards yes, never towards no."""
    if _folders(ones, "DT") & _folders(others, "A") or _folders(others, "DT") & _folders(ones, "A"):
        return True  # git moves what was added to a folder that the other side has renamed
    mine, theirs = {change.path for change in ones}, {change.path for change in others}
    return bool(mine & theirs) or _nested(mine, theirs) or _nested(theirs, mine)


def _nested(files: set[str], paths: set[str]) -> bool:
    """Return whether one of `paths` lies in a folder that is called like one of `files`."""
    return any(folder in files for path in paths for folder in _parents(path))


def _folders(changes: Sequence[ChangedPath], statuses: str) -> set[str]:
    return {f for change in changes if change.status in statuses for f in _parents(change.path)}


def _parents(path: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(path).parents][:-1]
