"""Too much in one context: long sessions, rounds of corrections, a heavy briefing."""

import re
from collections.abc import Iterator

from abreast.doctor.examined import (
    Events,
    ExaminedSession,
    compacted,
    count,
    named,
    quoted,
    requests,
    turns,
)
from abreast.doctor.thresholds import (
    BRIEFING_SHARE,
    CORRECTIONS,
    FILL,
    FILLED_REQUESTS,
    FILLED_SHARE,
)
from abreast.model.finding import Evidence
from abreast.model.text import counted, percent
from abreast.model.transcript import Said

CORRECTING = re.compile(
    r"\s*(no(?=\s*([,.!;:-]|$))|no (the|that|this|it|you|i|not|don'?t|wait|still)\b|nope\b"
    r"|wrong\b|not (what|that|like|there|quite)\b"
    r"|that'?s (not|wrong)|that is (not|wrong)|this is (not|wrong)|it'?s (not|still|wrong)"
    r"|still (not|wrong|fails?|failing|broken|the same|does)"
    r"|(undo|revert|stop)(\s*([,.!;:]|$)| (that|this|it|all|your|everything|doing|\w+ing)\b)"
    r"|you (forgot|missed|broke|didn'?t|did not|ignored|were not|weren'?t|still)"
    r"|i (said|told you|asked|meant|did not|didn'?t)\b|(it |that )?(doesn'?t|does not) work"
    r"|why did you|again[,:!]|wait[,!])",
    re.IGNORECASE,
)
"""How a user's turn begins that corrects what the agent did (in English)."""


_NO = re.compile(r"\s*(no|nope)\b", re.IGNORECASE)


def past_fill(session: ExaminedSession) -> Iterator[Evidence]:
    """At least `FILLED_REQUESTS` requests, `FILLED_SHARE` of all, beyond `FILL` tokens."""
    spent = requests(session.transcript.events)
    beyond = [one for one in spent if one.input_tokens > FILL]
    if len(beyond) < max(FILLED_REQUESTS, FILLED_SHARE * len(spent)):
        return
    most = max(one.input_tokens for one in beyond)
    yield session.evidence(
        f"{len(beyond)} of {counted(len(spent), 'request')} with more than {count(FILL)} tokens "
        f"in the context, up to {count(most)}",
        at=beyond[0].at,
        cost=most - FILL,
        requests=len(spent),
        beyond=len(beyond),
        most=most,
    )


def corrections(session: ExaminedSession) -> Iterator[Evidence]:
    """`CORRECTIONS` or more user turns in a row that begin as in `CORRECTING`."""
    events = session.transcript.events
    row: list[tuple[int, int]] = []
    for number, (start, end) in enumerate(turns(events)):
        if number and _corrects(events, start):
            row.append((start, end))
        else:
            yield from _row(session, row)
            row = []
    yield from _row(session, row)


def _corrects(events: Events, start: int) -> bool:
    """Return whether a turn of the user corrects; a `no` to a question of the agent does not."""
    said = events[start]
    if not isinstance(said, Said) or not CORRECTING.match(said.text):
        return False
    before = next((e.text for e in reversed(events[:start]) if isinstance(e, Said)), "")
    return not (_NO.match(said.text) and before.rstrip(" \n*_").endswith("?"))


def _row(session: ExaminedSession, row: list[tuple[int, int]]) -> Iterator[Evidence]:
    if len(row) < CORRECTIONS:
        return
    events = session.transcript.events
    start, end = row[0][0], row[-1][1]
    before, during = requests(events[:start]), requests(events[start:end])
    grown = None
    if before and during and not compacted(events[start:end]):
        grown = max(0, during[-1].context - before[-1].context)
    words = [quoted(e.text, 30) for n, _ in row if isinstance(e := events[n], Said)]
    yield session.evidence(
        f"{len(row)} turns of the user in a row that correct: {named(words)}",
        at=events[start].at,
        cost=grown,
        rounds=len(row),
        **({} if grown is None else {"growth": grown}),
    )


def heavy_briefing(session: ExaminedSession) -> Iterator[Evidence]:
    """A briefing of more than `BRIEFING_SHARE` of the session's first request."""
    spent = requests(session.transcript.events)
    size = sum(one.tokens for one in session.briefing)
    start_up = spent[0].input_tokens if spent else 0
    if not start_up or size <= BRIEFING_SHARE * start_up:
        return
    names = named([one.path.rpartition("/")[2] for one in session.briefing])
    yield session.evidence(
        f"{names}: about {count(size)} of the first request's {count(start_up)} tokens, "
        f"{percent(size / start_up)}",
        cost=size - round(BRIEFING_SHARE * start_up),
        briefing=size,
        start_up=start_up,
        share=round(size / start_up, 3),
    )
