"""The digest of a history: what each file has been through, as far as it helps to judge a pair.

It is built from the oldest change to the newest, one at a time, so that a benchmark can stop it
before any change and see what was known then.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from abreast.gate.history import Change, FileChange, History, Hunk, Kind, Meeting, Outcome, is_task

LAST_CHANGES = 14
"""How many of a file's last changes are kept with their hunks."""


@dataclass(frozen=True, slots=True)
class Touch:
    """One change to one file: the change's number in the history, its subject and hunks."""

    number: int
    subject: str
    hunks: tuple[Hunk, ...]


@dataclass(slots=True)
class FilePast:
    """What a file has been through."""

    size: int = 0
    changes: int = 0
    lines: int = 0
    met: int = 0
    conflicted: int = 0
    mechanical: int = 0
    last: deque[Touch] = field(default_factory=lambda: deque(maxlen=LAST_CHANGES))


@dataclass(slots=True)
class Past:
    """What is known at one moment of a history. `met` and `conflicted` count pairs at a path."""

    files: dict[str, FilePast] = field(default_factory=dict)
    kinds: dict[str, FilePast] = field(default_factory=dict)
    changes: int = 0
    met: int = 0
    conflicted: int = 0
    _paths: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, history: History) -> "Past":
        """Return the digest of a whole history."""
        ending: dict[str, list[Meeting]] = {}
        for meeting in history.meetings:
            ending.setdefault(meeting.later, []).append(meeting)
        past = cls()
        for change in reversed(history.changes):
            past.add(change, ending.get(change.id, ()))
        return past

    def add(self, change: Change, meetings: Iterable[Meeting] = ()) -> None:
        """Go on by one change, and what is known of its meetings with earlier ones."""
        task = is_task(change)
        self.changes += task
        for file in change.files:
            self._touch(change, file, task=task)
        if task:
            self._paths[change.id] = change.paths
        for meeting in meetings:
            self._meet(meeting)

    def _touch(self, change: Change, file: FileChange, *, task: bool) -> None:
        if file.kind is Kind.DELETED:
            self.files.pop(file.path, None)
            return
        known = self.files.setdefault(file.path, FilePast())
        known.size = file.size
        if task:
            known.changes += 1
            known.lines += file.added + file.removed
            known.last.append(Touch(self.changes, change.subject, file.hunks))

    def _meet(self, meeting: Meeting) -> None:
        if meeting.outcome is Outcome.NEITHER:
            return
        earlier, later = self._paths.get(meeting.earlier), self._paths.get(meeting.later)
        for path in (earlier or frozenset()) & (later or frozenset()):
            conflicted, mechanical = path in meeting.conflicted, path in meeting.mechanical
            counted = [self.kinds.setdefault(kind_of(path), FilePast())]
            if path in self.files:
                counted.append(self.files[path])
            for one in counted:
                one.met += 1
                one.conflicted += conflicted
                one.mechanical += mechanical
            self.met += 1
            self.conflicted += conflicted


def kind_of(path: str) -> str:
    """Return what files of its kind have in common: the extension, or the name without one."""
    name = path.rpartition("/")[2]
    stem, dot, extension = name.rpartition(".")
    return extension.lower() if dot and stem else name.lower()
