"""Too little delegation: a parent that reads much itself to conclude little."""

from collections.abc import Iterator

from abreast.doctor.examined import ExaminedSession
from abreast.doctor.measure import (
    Events,
    calls,
    compacted,
    place,
    requests,
    sizes,
    tokens,
    turns,
)
from abreast.doctor.thresholds import CONCLUSION_TOKENS, LATER_REQUESTS, READ_TOKENS
from abreast.doctor.words import count
from abreast.model.finding import Evidence
from abreast.model.text import counted
from abreast.model.transcript import Returned, Said, ToolKind, Transcript

_READING = (ToolKind.READ, ToolKind.SEARCH, ToolKind.SHELL)


def read_alone(session: ExaminedSession) -> Iterator[Evidence]:
    """A turn without edits or children that read `READ_TOKENS` for `CONCLUSION_TOKENS`.

    Only where at least `LATER_REQUESTS` requests carried the reading along afterwards. Files that
    the session later edited do not count: it had to know them.
    """
    events = session.transcript.events
    returned = sizes(events)
    for start, end in turns(events):
        turn = events[start:end]
        made = calls(turn, *_READING)
        read, concluded = _read(turn), _concluded(turn)
        if not made or read < READ_TOKENS or not 0 < concluded <= CONCLUSION_TOKENS:
            continue
        if compacted(turn) or calls(turn, ToolKind.WRITE, ToolKind.DELEGATE):
            continue
        needed = _needed(session.transcript, turn, events[end:], returned)
        read -= needed
        later = len(requests(_until_compacted(events[end:])))
        if read < READ_TOKENS or later < LATER_REQUESTS:
            continue
        about = "about " if needed else ""
        yield session.evidence(
            f"{about}{count(read)} tokens read by {counted(len(made), 'call')} for an answer "
            f"of about {count(concluded)}, then carried through {counted(later, 'request')}",
            at=turn[0].at,
            cost=read,
            read=read,
            answer=concluded,
            later_requests=later,
        )


def _read(turn: Events) -> int:
    """Return by how much the prompts of a turn grew beyond what the model itself wrote."""
    spent = requests(turn)
    if len(spent) < 2:
        return 0
    written = sum(one.output_tokens for one in spent[:-1])
    return spent[-1].input_tokens - spent[0].input_tokens - written


def _needed(transcript: Transcript, turn: Events, later: Events, sizes: dict[str, int]) -> int:
    """Return the estimated tokens that a turn read of files which were edited afterwards."""
    edited = {place(transcript, p) for c in calls(later, ToolKind.WRITE) for p in c.paths}
    return sum(
        tokens(sizes.get(call.id, 0))
        for call in calls(turn, ToolKind.READ)
        if any(place(transcript, path) in edited for path in call.paths)
    )


def _concluded(turn: Events) -> int:
    """Return the estimated tokens of what was said after the last call returned."""
    last = max((n for n, one in enumerate(turn) if isinstance(one, Returned)), default=0)
    said = [one for one in turn[last:] if isinstance(one, Said) and not one.by_user]
    return tokens(sum(len(one.text) for one in said) + 3)


def _until_compacted(events: Events) -> Events:
    end = next((n for n, one in enumerate(events) if compacted([one])), len(events))
    return events[:end]
