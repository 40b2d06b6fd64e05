"""What sets of changes touch, for telling which of them can conflict at all."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from abreast.errors import GitError
from abreast.git.call import split
from abreast.git.changes import ChangedPath
from abreast.git.repository import Repository


@dataclass(frozen=True)
class Footprint:
    """What a set of changes touches.

    `folders` are those above `paths`, `lost` those above what was deleted or replaced, `gained`
    those above what was added.
    """

    paths: frozenset[str]
    folders: frozenset[str]
    lost: frozenset[str]
    gained: frozenset[str]

    @staticmethod
    def of(changes: Sequence[ChangedPath]) -> "Footprint":
        paths = frozenset(change.path for change in changes)
        folders = frozenset(folder for path in paths for folder in _parents(path))
        return Footprint(paths, folders, _folders(changes, "DT"), _folders(changes, "A"))

    def meets(self, other: "Footprint") -> bool:
        """Return whether the two could conflict; may err towards yes, never towards no."""
        return not (
            self.paths.isdisjoint(other.paths)
            # A file of one is called like a folder of the other.
            and self.paths.isdisjoint(other.folders)
            and self.folders.isdisjoint(other.paths)
            # Git moves what was added to a folder that the other side has renamed.
            and self.lost.isdisjoint(other.gained)
            and self.gained.isdisjoint(other.lost)
        )


def _folders(changes: Sequence[ChangedPath], statuses: str) -> frozenset[str]:
    return frozenset(f for one in changes if one.status in statuses for f in _parents(one.path))


def _parents(path: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(path).parents][:-1]


def footprints(
    repo: Repository, wanted: Mapping[str, str], env: Mapping[str, str] | None = None
) -> dict[str, Footprint]:
    """Return what each of the commits `wanted` touches beyond the commit that it maps to.

    Raises `GitError` when one of them is gone.
    """
    if not wanted:
        return {}
    asked = "".join(f"{commit} {ground}\n" for commit, ground in wanted.items())
    options = ("--stdin", "-r", "-z", "--no-renames", "--name-status", "--always")
    done = repo.call("diff-tree", *options, stdin=asked, env=env)
    changes = _read_changes(iter(split(done.stdout)))
    if gone := wanted.keys() - changes.keys():  # git says nothing of it, and goes on
        raise GitError(done.argv, None, stderr=f"there is no commit {min(gone)}")
    return {commit: Footprint.of(changes[commit]) for commit in wanted}


def _read_changes(words: Iterator[str]) -> dict[str, list[ChangedPath]]:
    found: dict[str, list[ChangedPath]] = {}
    changes: list[ChangedPath] = []
    for word in words:
        if len(word) == 1:  # a status; a commit's id is longer
            changes.append(ChangedPath(next(words), word))
        else:
            changes = found.setdefault(word, [])
    return found
