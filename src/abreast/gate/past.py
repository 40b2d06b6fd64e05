"""The digest of a history: what each file has been through, as far as it helps to judge a pair.

It is built from the oldest change to the newest, one at a time, so that a benchmark can stop it
before any change and see what was known then.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from abreast.gate.model import Model
from abreast.gate.terms import terms
from abreast.model.history import (
    WINDOW,
    Change,
    ChangedFile,
    ChangeKind,
    Hunk,
    Meeting,
    MeetingOutcome,
    is_task,
)

LAST_CHANGES = 14
"""How many of a file's last changes are kept with their lines."""

FADING = 0.97
"""What a meeting at a file counts after each later one there."""

_RECENT = 0.98  # what a change counts after each later one, where it is asked how hot a file is

Span = tuple[int, int]
"""Lines of a file as it is now, from 0, without the last; of a deletion both are the same."""


@dataclass(slots=True)
class PastTouch:
    """A change to a file: the lines that it left, where they are now, and its words."""

    words: frozenset[str]
    spans: tuple[Span, ...]

    def meets(self, other: "PastTouch") -> bool:
        """Return whether the two have changed the same lines, or lines without one between."""
        return any(a <= d and c <= b for a, b in self.spans for c, d in other.spans)


@dataclass(slots=True)
class MeetingTally:
    """How often two neighbours have met at something, and conflicted there; older ones fade."""

    met: float = 0.0
    conflicted: float = 0.0

    def add(self, conflicted: bool) -> None:
        self.met = self.met * FADING + 1
        self.conflicted = self.conflicted * FADING + conflicted

    def rate(self, prior: float, weight: float) -> float:
        """Return the rate of conflicts; the prior counts like `weight` meetings."""
        return (self.conflicted + weight * prior) / (self.met + weight)


@dataclass(slots=True)
class FilePast:
    """What a file has been through. `met`, `conflicted` and `mechanical` count all its pairs."""

    size: int = 0
    changes: int = 0
    lines: int = 0
    newest: int = 0
    heat: float = 0.0
    met: int = 0
    conflicted: int = 0
    mechanical: int = 0
    tally: MeetingTally = field(default_factory=MeetingTally)
    last: list[PastTouch] = field(default_factory=list)


@dataclass(slots=True)
class Past:
    """What is known at one moment of a history; `number` is how many tasks lie behind it.

    `paths` are those of the newest tasks. `model` has learned from those of its pairs whose outcome
    is known (`abreast.gate.study`).
    """

    files: dict[str, FilePast] = field(default_factory=dict)
    kinds: dict[str, MeetingTally] = field(default_factory=dict)
    all: MeetingTally = field(default_factory=MeetingTally)
    number: int = 0
    words: dict[str, int] = field(default_factory=dict)
    model: Model = field(default_factory=Model)
    paths: dict[str, frozenset[str]] = field(default_factory=dict)
    _hottest: dict[str, list[tuple[str, float]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def add(self, change: Change, meetings: Iterable[Meeting] = ()) -> None:
        """Go on by one change, and what is known of its meetings with earlier ones."""
        task = is_task(change)
        self.number += task
        self._hottest.clear()
        words = frozenset(terms(change.subject)) if task else frozenset()
        for word in words:
            self.words[word] = self.words.get(word, 0) + 1
        for file in change.files:
            if file.was in self.files:
                self.files[file.path] = self.files.pop(file.was)
        for file in change.files:
            self._touch(file, words, task=task)
        if task:
            self.paths[change.id] = change.paths
            while len(self.paths) > 2 * WINDOW:
                del self.paths[next(iter(self.paths))]
        for meeting in meetings:
            self._meet(meeting)

    def weights(self, words: Iterable[str]) -> dict[str, float]:
        """Return how much each word tells: the rarer in past subjects, the more."""
        whole = math.log(2 + self.number)
        return {word: whole - math.log(1 + self.words.get(word, 0)) for word in words}

    def heat(self, path: str) -> float:
        """Return the share of the last changes, some 50, that have touched a file."""
        known = self.files.get(path)
        if known is None:
            return 0.0
        return known.heat * _RECENT ** (self.number - known.newest) * (1 - _RECENT)

    def hottest(self, folder: str, limit: int) -> list[tuple[str, float]]:
        """Return the files below a folder that change most, each with its part of all that does."""
        if folder not in self._hottest:
            below = {path: self.heat(path) for path in self.files if is_in(path, folder)}
            whole = sum(below.values()) or 1.0
            ranked = sorted(below, key=lambda path: (-below[path], path))[:limit]
            self._hottest[folder] = [(path, below[path] / whole) for path in ranked]
        return self._hottest[folder]

    def _touch(self, file: ChangedFile, words: frozenset[str], *, task: bool) -> None:
        if file.kind is ChangeKind.DELETED:
            self.files.pop(file.path, None)
            return
        known = self.files.setdefault(file.path, FilePast())
        known.size = file.size
        for touch in known.last:
            touch.spans = moved(touch.spans, file.hunks)
        if task:
            known.changes += 1
            known.lines += file.added + file.removed
            known.heat = known.heat * _RECENT ** (self.number - known.newest) + 1
            known.newest = self.number
            inside = terms(" ".join(hunk.inside for hunk in file.hunks))
            known.last.append(PastTouch(words | frozenset(inside), spans_of(file.hunks)))
            del known.last[:-LAST_CHANGES]

    def _meet(self, meeting: Meeting) -> None:
        if meeting.outcome is MeetingOutcome.NEITHER:
            return
        nothing: frozenset[str] = frozenset()
        earlier = self.paths.get(meeting.earlier, nothing)
        # In an order that is the same each time: what comes later counts more.
        for path in sorted(earlier & self.paths.get(meeting.later, nothing)):
            conflicted = path in meeting.conflicted
            self.all.add(conflicted)
            self.kinds.setdefault(kind_of(path), MeetingTally()).add(conflicted)
            if known := self.files.get(path):
                known.met += 1
                known.conflicted += conflicted
                known.mechanical += path in meeting.mechanical
                known.tally.add(conflicted)


def spans_of(hunks: Sequence[Hunk]) -> tuple[Span, ...]:
    """Return where the lines that a change has left are afterwards."""
    found, shift = [], 0
    for hunk in hunks:
        start = _first(hunk) + shift
        found.append((start, start + hunk.added))
        shift += hunk.added - hunk.removed
    return tuple(found)


def moved(spans: Sequence[Span], hunks: Sequence[Hunk]) -> tuple[Span, ...]:
    """Return where these lines are after a change."""
    if not hunks:
        return tuple(spans)
    firsts = [_first(hunk) for hunk in hunks]
    ends = [first + hunk.removed for first, hunk in zip(firsts, hunks, strict=True)]
    shifts = list(accumulate((hunk.added - hunk.removed for hunk in hunks), initial=0))
    found = []
    for start, end in spans:
        before, until = shifts[bisect_right(ends, start)], shifts[bisect_left(firsts, end)]
        found.append((start + before, max(start + before, end + until)))
    return tuple(found)


def _first(hunk: Hunk) -> int:
    return hunk.start if hunk.removed == 0 else hunk.start - 1


TOP = "./"
"""The folder of the files at the top of the repository, without those below."""


def is_in(path: str, folder: str) -> bool:
    """Return whether a path lies below a folder, which ends in a slash."""
    return "/" not in path if folder == TOP else path.startswith(folder)


def kind_of(path: str) -> str:
    """Return what files of its kind have in common: the extension, or the name without one."""
    name = path.rpartition("/")[2]
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if dot and stem else name.lower()
