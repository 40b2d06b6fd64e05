"""The facts in a session's transcript that matter to whoever continues its task."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from abreast.handoff.commands import covers, only_asks, only_looks, overtakes
from abreast.handoff.questions import questions_in
from abreast.model.text import harmless
from abreast.model.transcript import (
    Begun,
    Broken,
    Called,
    Compacted,
    Planned,
    Returned,
    Said,
    Spent,
    ToolKind,
    Transcript,
    TranscriptEvent,
)

_COMMAND = re.compile(r"/[\w:-]+")  # of the CLI's own, such as /compact
# Such as an exit code, in which nothing is told; but `AssertionError: -1` tells.
_LABEL = re.compile(r"(?!\w*(?:Error|Exception)\b)[A-Za-z][\w ]*:? -?\d+\Z")
_RECENT = 100  # commands among which one may still be to be made to pass
_MOST = 50  # questions, edits and the like of each kind that are kept


class End(StrEnum):
    """How a transcript ends. A killed session and one that still runs look the same."""

    EMPTY = "empty"
    ANSWERED = "answered"  # with the agent's own words
    BROKEN = "broken"  # by an error, a limit or an interruption
    CUT_OFF = "cut off"  # in the middle of a tool call
    BETWEEN = "between"  # with what a tool returned: the model has not answered
    UNANSWERED = "unanswered"  # with what the user said


@dataclass(frozen=True)
class Ran:
    """A command that was run. `code` is None when it was not run to its end.

    `said` is the last line of its output that says something.
    """

    command: str
    code: int | None
    failed: bool
    said: str = ""

    @property
    def passed(self) -> bool:
        return self.code == 0 and not self.failed

    @property
    def fails(self) -> bool:
        """Whether it ended by itself, with a failure."""
        return self.failed and self.code is not None


@dataclass(frozen=True)
class TranscriptFacts:
    """The facts of one transcript, in its order; of subagents only what they edited.

    `ran` are commands that did more than look, in the order in which they ended. `refused` are
    edits that failed and commands that were not let begin, with the reason. `unfinished` are calls
    that never returned.
    """

    end: End = End.EMPTY
    why_broken: str = ""
    task: str = ""
    asked: tuple[str, ...] = ()  # what the user said later
    heeded: bool = True  # whether the agent did anything after the last of it
    last_words: str = ""
    questions: tuple[str, ...] = ()
    plan: tuple[tuple[str, bool], ...] = ()
    ran: tuple[Ran, ...] = ()
    edited: tuple[str, ...] = ()
    refused: tuple[tuple[Called, str], ...] = ()
    running: tuple[Called, ...] = ()  # at the end of the record
    unfinished: tuple[Called, ...] = ()
    earlier_breaks: tuple[str, ...] = ()
    delegated: tuple[str, ...] = ()
    settled: tuple[tuple[str, str], ...] = ()  # what the agent asked by a tool, with the answer
    compacted: int = 0
    last_call: Called | None = None

    @property
    def last_failing(self) -> Ran | None:
        return next((ran for ran in reversed(self.ran) if ran.fails), None)

    @property
    def last_passing(self) -> Ran | None:
        return next((ran for ran in reversed(self.ran) if ran.passed), None)

    def mended(self, ran: Ran) -> Ran | None:
        """Return the command that showed, after `ran` had failed, that the same passes."""
        at = next(number for number, one in enumerate(self.ran) if one is ran)  # some are equal
        later = (one for one in self.ran[at + 1 :] if one.passed)
        return next((one for one in later if covers(one.command, ran.command)), None)

    @property
    def failing(self) -> Ran | None:
        """The last command that failed and has not passed since, as far as is known.

        Not one that only asked something, unless that was the last there was.
        """
        passed: list[str] = []  # after the one that is looked at
        for ran in reversed(self.ran[-_RECENT:]):
            if ran.passed:
                passed.append(ran.command)
            if not ran.fails or (only_asks(ran.command) and ran is not self.ran[-1]):
                continue
            if not any(covers(one, ran.command) or overtakes(one, ran.command) for one in passed):
                return ran
        return None


@dataclass
class _Listener:
    said: list[Said] = field(default_factory=list)
    calls: dict[str, Called] = field(default_factory=dict)
    returned: dict[str, Returned] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    plan: tuple[tuple[str, bool], ...] = ()
    compacted: int = 0
    open: dict[str, Called] = field(default_factory=dict)
    command: Said | None = None  # one of the CLI's own, until it shows whom it was for
    lost: list[Called] = field(default_factory=list)
    last: TranscriptEvent | None = None
    heeded: bool = True

    def hear(self, event: TranscriptEvent) -> None:
        if isinstance(event, Said) and event.by_user and _COMMAND.fullmatch(event.text):
            self.command = event
        else:
            self._resolve(event)
            self._hear(event)

    def _resolve(self, event: TranscriptEvent) -> None:
        """Take a command such as /init for what was asked, if the agent goes to work on it."""
        if self.command is None or isinstance(event, Spent):
            return
        command, self.command = self.command, None
        if isinstance(event, Called) or (isinstance(event, Said) and not event.by_user):
            self._say(command)

    def _hear(self, event: TranscriptEvent) -> None:
        match event:
            case Said():
                self._say(event)
            case Called():
                self.calls[event.id] = self.open[event.id] = event
                self.heeded = True
            case Returned():
                self.open.pop(event.id, None)
                self.returned.pop(event.id, None)
                self.returned[event.id] = event
            case Planned():
                self.plan = event.items
                return
            case Broken():
                self.broken.append(event)
            case Compacted():
                self.compacted += 1
                return
            case Begun() | Spent():
                return
        self.last = event

    def _say(self, event: Said) -> None:
        self.said.append(event)
        self.heeded = not event.by_user
        if event.by_user:  # whatever had not returned by then never will
            self.lost += self.open.values()
            self.open.clear()


def transcript_facts(transcript: Transcript) -> TranscriptFacts:
    """Return the facts of a transcript."""
    heard = _Listener()
    for event in transcript.events:
        heard.hear(event)
    users = [said.text for said in heard.said if said.by_user]
    words = [said.text for said in heard.said if not said.by_user]
    end, last = _end(heard), heard.last
    final = last.text if isinstance(last, Said) and not last.by_user else ""
    asking = [c.subject for c in heard.open.values() if c.kind is ToolKind.ASK and c.subject]
    breaks = [one.reason for one in heard.broken]
    return TranscriptFacts(
        end=end,
        why_broken=breaks[-1] if end is End.BROKEN else "",
        task=users[0] if users else "",
        asked=tuple(users[1:]),
        heeded=heard.heeded,
        last_words=words[-1] if words else "",
        questions=tuple(asking or questions_in(final)),
        plan=heard.plan,
        ran=tuple(_ran(heard)),
        edited=tuple(dict.fromkeys(_edited(transcript))),
        refused=tuple(_refused(heard))[-_MOST:],
        running=tuple(heard.open.values()) if end in {End.CUT_OFF, End.BROKEN} else (),
        unfinished=tuple(heard.lost)[-_MOST:],
        earlier_breaks=tuple(breaks[: -1 if end is End.BROKEN else None])[-_MOST:],
        delegated=tuple(c.subject for c in heard.calls.values() if c.kind is ToolKind.DELEGATE),
        settled=tuple(_settled(heard))[-_MOST:],
        compacted=heard.compacted,
        last_call=next(reversed(heard.calls.values()), None),
    )


def _end(heard: _Listener) -> End:
    match heard.last:
        case None:
            return End.EMPTY
        case Broken():
            return End.BROKEN
        case _ if heard.open:
            return End.CUT_OFF
        case Said(by_user=True):
            return End.UNANSWERED
        case Said():
            return End.ANSWERED
        case _:
            return End.BETWEEN


def _ran(heard: _Listener) -> Iterator[Ran]:
    """Yield what was run, in the order in which it ended; not what still runs in the background."""
    for name, back in heard.returned.items():
        call = heard.calls.get(name)
        if call is None or call.kind is not ToolKind.SHELL or only_looks(call.subject):
            continue
        if back.refused:
            continue
        if back.failed or back.code is not None:
            yield Ran(call.subject, back.code, back.failed, telling_line(back.text))


def _edited(transcript: Transcript) -> Iterator[str]:
    returned = {one.id: one for one in transcript.events if isinstance(one, Returned)}
    for event in transcript.events:
        if isinstance(event, Called) and event.kind is ToolKind.WRITE:
            back = returned.get(event.id)
            if back is not None and not back.failed:
                yield from event.paths
    for child in transcript.children:
        yield from _edited(child)


def _refused(heard: _Listener) -> Iterator[tuple[Called, str]]:
    for name, back in heard.returned.items():
        call = heard.calls.get(name)
        if call is None:
            continue
        edit = call.kind is ToolKind.WRITE and back.failed
        if edit or (call.kind is ToolKind.SHELL and back.refused):
            yield call, telling_line(back.text)


def _settled(heard: _Listener) -> Iterator[tuple[str, str]]:
    for name, back in heard.returned.items():
        call = heard.calls.get(name)
        if call is not None and call.kind is ToolKind.ASK and call.subject and not back.failed:
            yield call.subject, back.text


def telling_line(text: str) -> str:
    """Return the last line that says more than a label with a number, "" when there is none."""
    for line in reversed(harmless(text).splitlines()):
        words = line.strip().removeprefix("Output: ").strip()
        if words and not _LABEL.match(words) and re.search(r"\w", words) and words != "(empty)":
            return words
    return ""
