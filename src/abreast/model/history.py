"""What is known of a repository's past: its changes, and how neighbouring ones have met.

A change is one step of the first-parent history. Two neighbours meet when the later one is put
where the earlier one began, as if both had started together (`abreast.git.replay`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

WINDOW = 10
"""Two changes are neighbours when they lie at most this many commits apart."""

LARGE = 60
"""A change of more files than this is no task's work: a rename of everything, an import."""


class Hunk(NamedTuple):
    """One place where a change has touched a file, in lines; `inside` is what git says it is in.

    `start` counts in the file before the change. Of an insertion it is the line before it.
    """

    start: int
    removed: int
    added: int
    inside: str = ""


class ChangeKind(StrEnum):
    """What a change has done to a file."""

    ADDED = "A"
    MODIFIED = "M"
    DELETED = "D"
    TYPE = "T"


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """What a change has done to one file. `size` is the file's afterwards, in bytes.

    A binary file has no hunks. A rename is a deletion and an addition; where nothing was changed on
    the way, `was` is the path of what was deleted, and there are no hunks.
    """

    path: str
    kind: ChangeKind = ChangeKind.MODIFIED
    size: int = 0
    hunks: tuple[Hunk, ...] = ()
    was: str = ""

    @property
    def added(self) -> int:
        """How many lines it has added."""
        return sum(hunk.added for hunk in self.hunks)

    @property
    def removed(self) -> int:
        """How many lines it has removed."""
        return sum(hunk.removed for hunk in self.hunks)


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the first-parent history: what a task did, and what it was called.

    `time` is in Unix seconds. `files` is empty where the change is too large to be a task.
    """

    id: str
    parent: str
    time: int
    author: str
    subject: str
    files: tuple[ChangedFile, ...] = ()

    @property
    def paths(self) -> frozenset[str]:
        """The paths that it has touched."""
        return frozenset(file.path for file in self.files)


class MeetingOutcome(StrEnum):
    """Whether the later of two neighbours can be put where the earlier one began."""

    BOTH = "both"  # onto its parent and onto itself: the two could have started together
    ONE = "one"  # onto one of them only: the two are coupled by text
    NEITHER = "neither"  # something between them is in the way: it says nothing of the two


@dataclass(frozen=True, slots=True)
class Meeting:
    """How two neighbours have met. Both are ids of changes.

    `conflicted` are the paths where they did, of ONE. `mechanical` are those of them where a union
    of both sides, or a regeneration, would have resolved it.
    """

    earlier: str
    later: str
    outcome: MeetingOutcome
    conflicted: tuple[str, ...] = ()
    mechanical: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeHistory:
    """What is known at a commit: the changes before it, newest first, and how they have met.

    `meetings` has the pairs of neighbours that share a path, in any order.
    """

    changes: tuple[Change, ...] = ()
    meetings: tuple[Meeting, ...] = ()


_BOTS = ("[bot]", "dependabot", "renovate", "pre-commit-ci", "github-actions", "weblate")
_ROUTINE = ("[pre-commit.ci]", "bump ", "[automated]")


def is_routine(change: Change) -> bool:
    """Return whether a program has made the change: it touches the same files every time."""
    author, subject = change.author.lower(), change.subject.lower()
    return any(bot in author for bot in _BOTS) or subject.startswith(_ROUTINE)


def is_task(change: Change) -> bool:
    """Return whether the change is like a task: somebody's, and not too large."""
    return 0 < len(change.files) <= LARGE and not is_routine(change)


def tasks(changes: Iterable[Change]) -> list[Change]:
    """Return the changes that are like tasks, in the order given."""
    return [change for change in changes if is_task(change)]
