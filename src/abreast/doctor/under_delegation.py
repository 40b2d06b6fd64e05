"""Too little delegation, or too little of a contract: shapeless answers, work done twice."""

import re
from collections.abc import Iterator

from abreast.doctor.examined import (
    Events,
    ExaminedDelegation,
    ExaminedSession,
    calls,
    compacted,
    count,
    place,
    quoted,
    requests,
    sizes,
    tokens,
    turns,
)
from abreast.doctor.thresholds import (
    AGAIN_SHARE,
    AGAIN_TOKENS,
    CONCLUSION_TOKENS,
    LATER_REQUESTS,
    LONG_SUMMARY,
    READ_AGAIN_SHARE,
    READ_AGAIN_TOKENS,
    READ_TOKENS,
    SHAPELESS_SUMMARY,
)
from abreast.model.finding import Evidence
from abreast.model.text import counted, percent
from abreast.model.transcript import Called, Returned, Said, ToolKind, Transcript, TranscriptEvent

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


SHAPES = re.compile(
    r"\b(json|yaml|csv|schema|table|bullets?|list|lines?|sentences?|words?|paragraphs?|tokens?"
    r"|characters?|yes[ /-]or[ /-]no|yes/no|format|shape|template|only the|just the|at most"
    r"|no more than|up to|maximum|max|brief(ly)?|short(ly)?|concise(ly)?|summar\w+"
    r"|(return|report|reply|answer|respond|output)( back)?( only| just)?( with| as| in| by)?)\b",
    re.IGNORECASE,
)
"""The words by which a question says what its answer should look like, or how long it may be."""

ENGLISH = re.compile(
    r"\b(the|and|of|is|are|how|what|where|which|who|why|find|look|read|check|this|for)\b",
    re.IGNORECASE,
)
"""Words without which a question is hardly in English."""

_SHINGLE = 3  # words
_RUN = re.compile(r"\w+")


def long_summary(session: ExaminedSession) -> Iterator[Evidence]:
    """A summary of more than `LONG_SUMMARY` tokens."""
    for one in session.delegations:
        size = one.returned
        if size > LONG_SUMMARY:
            yield session.evidence(
                f"a child returned about {count(size)} tokens to {quoted(one.question)}",
                at=_back(session, one),
                cost=size - LONG_SUMMARY,
                summary=size,
            )


def no_shape(session: ExaminedSession) -> Iterator[Evidence]:
    """A question without any of `SHAPES`, answered by more than `SHAPELESS_SUMMARY` tokens.

    Only one in English: of another language the words are not known, nor of one that is encrypted,
    as OpenAI may do for newer Codex models.
    """
    for one in session.delegations:
        size = one.returned
        plain = ENGLISH.search(one.question) and not SHAPES.search(one.question)
        if plain and not one.contract and size > SHAPELESS_SUMMARY:
            yield session.evidence(
                f"{quoted(one.question)} says nothing of the shape or length of the answer: about "
                f"{count(size)} tokens came back",
                at=one.at,
                cost=size - SHAPELESS_SUMMARY,
                summary=size,
                question_words=len(one.question.split()),
            )


def summary_again(session: ExaminedSession) -> Iterator[Evidence]:
    """A text of the parent of at least `AGAIN_TOKENS`, `AGAIN_SHARE` of it a child's summary."""
    for one in session.delegations:
        answer = _shingles(one.answer)
        for said in _said_after(session, one):
            size, own = tokens(len(said.text)), _shingles(said.text)
            share = len(own & answer) / max(1, len(own))
            if size >= AGAIN_TOKENS and share >= AGAIN_SHARE:
                yield session.evidence(
                    f"the parent said about {count(size)} tokens, {percent(share)} of them word by "
                    "word from its child's summary",
                    at=said.at,
                    cost=size,
                    said=size,
                    share=round(share, 2),
                )
                break


def read_again(session: ExaminedSession) -> Iterator[Evidence]:
    """Files of at least `READ_AGAIN_TOKENS` that the parent read after a child of its had.

    Before the user's next word, and `READ_AGAIN_SHARE` of what the child had read. Those that the
    parent went on to edit do not count: a CLI may demand to read before an edit.
    """
    transcript = session.transcript
    returned = sizes(transcript.events)
    edited = {
        place(transcript, p) for c in calls(transcript.events, ToolKind.WRITE) for p in c.paths
    }
    again: dict[str, int] = {}
    at = 0.0
    for one in session.delegations:
        read = one.read.keys() - edited
        found = {
            call.id: tokens(returned[call.id])
            for call in calls(_after(session, one), ToolKind.READ)
            if call.id in returned and {place(transcript, path) for path in call.paths} & read
        }
        if found and sum(found.values()) >= READ_AGAIN_SHARE * sum(one.read.values()):
            first = next(e for e in _after(session, one) if isinstance(e, Called) and e.id in found)
            at = min(at or first.at, first.at)
            again |= found
    total = sum(again.values())
    if total >= READ_AGAIN_TOKENS:
        yield session.evidence(
            f"the parent read about {count(total)} tokens again that its children had read, by "
            f"{counted(len(again), 'call')}",
            at=at,
            cost=total,
            read_again=total,
            calls=len(again),
        )


def _back(session: ExaminedSession, one: ExaminedDelegation) -> float:
    """Return when a child's answer came back, or else when it was asked."""
    return session.transcript.events[one.answered].at if one.answered >= 0 else one.at


def _after(session: ExaminedSession, one: ExaminedDelegation) -> Iterator[TranscriptEvent]:
    """Yield what happened between the child's answer and the user's next word."""
    if one.answered < 0:
        return
    for event in session.transcript.events[one.answered + 1 :]:
        if isinstance(event, Said) and event.by_user:
            return
        yield event


def _said_after(session: ExaminedSession, one: ExaminedDelegation) -> Iterator[Said]:
    return (event for event in _after(session, one) if isinstance(event, Said))


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = _RUN.findall(text.lower())
    return {tuple(words[n : n + _SHINGLE]) for n in range(len(words) - _SHINGLE + 1)}
