"""Figures and places of one transcript that several checks need."""

import posixpath
from collections.abc import Iterable, Iterator
from itertools import pairwise

from abreast.model.tokens import BYTES_PER_TOKEN
from abreast.model.transcript import (
    Called,
    Compacted,
    Returned,
    Said,
    Spent,
    ToolKind,
    Transcript,
    TranscriptEvent,
)

Events = tuple[TranscriptEvent, ...]


def tokens(characters: int) -> int:
    """Estimate the tokens of a text of this length."""
    return characters // BYTES_PER_TOKEN


def requests(events: Iterable[TranscriptEvent]) -> list[Spent]:
    """Return the conversation's requests in their order, each once, as it was last recorded."""
    told = (event for event in events if isinstance(event, Spent) and not event.aside)
    return list({event.id: event for event in told}.values())


def compacted(events: Iterable[TranscriptEvent]) -> bool:
    return any(isinstance(event, Compacted) for event in events)


def turns(events: Events) -> Iterator[tuple[int, int]]:
    """Yield the bounds of each turn: from what the user said to before they said the next."""
    starts = [n for n, one in enumerate(events) if isinstance(one, Said) and one.by_user]
    yield from pairwise([*starts, len(events)])


def sizes(events: Iterable[TranscriptEvent]) -> dict[str, int]:
    """Return the characters that each call returned, by its id; one that failed returned none."""
    found: dict[str, int] = {}
    for event in events:
        if isinstance(event, Returned) and not event.failed:
            found[event.id] = found.get(event.id, 0) + event.size
    return found


def calls(events: Iterable[TranscriptEvent], *kinds: ToolKind) -> list[Called]:
    return [one for one in events if isinstance(one, Called) and one.kind in kinds]


def place(transcript: Transcript, path: str) -> str:
    """Return a path of a call as an absolute one; where the folder is not known, as it is."""
    return posixpath.normpath(posixpath.join(transcript.cwd, path))


def family(transcript: Transcript) -> Iterator[Transcript]:
    """Yield the session and all subagents below it."""
    yield transcript
    for child in transcript.children:
        yield from family(child)


def touched(transcript: Transcript, kind: ToolKind) -> dict[str, int]:
    """Return the files that a session and its subagents read or wrote, with the tokens returned.

    A call that names several files counts for each of them.
    """
    found: dict[str, int] = {}
    for one in family(transcript):
        returned = sizes(one.events)
        for call in calls(one.events, kind):
            for path in call.paths if call.id in returned else ():
                name = place(one, path)
                found[name] = found.get(name, 0) + tokens(returned[call.id])
    return found
