"""Cases for the gate's benchmark: a clone's history, replayed, as pairs that met or did not."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from abreast.engine.client.gate_history import INDEXED
from abreast.gate.chance import mostly
from abreast.git.replay import replay
from abreast.git.replay_listing import list_steps, read_changes, read_names
from abreast.git.replay_place import replay_place
from abreast.git.repository import find_repository
from abreast.model.history import WINDOW, Change, ChangeHistory, MeetingOutcome, is_task

NEWEST = 1500
"""Commits of the first-parent history that are looked at."""

WARM = 500
"""Commits at the beginning that are only learned from: they are not judged."""


@dataclass(frozen=True)
class Case:
    """A repository's history with all its pairs, and the files at its oldest commit.

    `older` are the changes before those, oldest first, without lines: for the index.
    """

    name: str
    history: ChangeHistory
    tree: tuple[str, ...]
    older: tuple[Change, ...] = ()


def load(path: Path, keep: Path | None = None, newest: int = NEWEST) -> Case:
    """Return the case of a local clone; `keep` is a folder where it is kept for the next time."""
    repo = find_repository(path)
    head = repo.call("rev-parse", "HEAD").stdout.strip()
    name = path.parent.name.rpartition("+")[2] if path.name == "repo" else path.name
    key = hashlib.sha256(f"{head} {newest}".encode()).hexdigest()[:16]
    kept = keep / f"{name}-{key}.json" if keep else None
    with replay_place(repo) as place:
        steps = list_steps(place, head, INDEXED)
        ids = [step.id for step in steps[newest + 1 :]]
        older = tuple(read_names(place, ids))[::-1]
        if kept and kept.exists():
            case = msgspec.json.decode(kept.read_bytes(), type=Case)
            return replace(case, older=older)
        steps = steps[: newest + 1]
        listing = read_changes(place, [step.id for step in steps])
        known = {change.id: change for change in listing.changes}
        fit = [is_task(known[step.id]) for step in steps]
        pairs = [
            (later + back, later)
            for later in range(len(steps))
            for back in range(1, WINDOW + 1)
            if later + back < len(steps) and fit[later] and fit[later + back]
        ]
        met = tuple(replay(place, steps, pairs, unread=listing.unread))
        tree = place.read("ls-tree", "-r", "-z", "--name-only", steps[-1].id).split("\0")
    changes = tuple(known[step.id] for step in steps)
    case = Case(name, ChangeHistory(changes, met), tuple(path for path in tree if path))
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(msgspec.json.encode(case))
    return replace(case, older=older)


def mechanical_files(history: ChangeHistory) -> frozenset[str]:
    """Return the files that the whole history shows to be mechanical: for the truth, afterwards."""
    seen: dict[str, list[int]] = {}
    for meeting in history.meetings:
        for path in meeting.conflicted:
            counts = seen.setdefault(path, [0, 0])
            counts[0] += path in meeting.mechanical
            counts[1] += 1
    return frozenset(path for path, (some, all_) in seen.items() if mostly(some, all_))


def positions(changes: tuple[Change, ...]) -> dict[str, int]:
    """Return how many commits lie before each change."""
    return {change.id: place for place, change in enumerate(reversed(changes))}


def coupled(outcome: MeetingOutcome) -> bool:
    return outcome is MeetingOutcome.ONE
