"""Gemini CLI's transcripts: where they are, and their events in vendor-neutral terms (0.61.0).

One file is one session, whichever processes wrote it. A subagent's is in a folder with the name of
its parent's session. Older versions write one document, `session-*.json`, newer ones lines.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from abreast.agents.gemini.home import user_folder
from abreast.agents.gemini.records_calls import called, concluded, planned, read_calls, returned
from abreast.agents.gemini.records_shape import (
    Effect,
    History,
    Kind,
    Record,
    changes,
    header,
    identity,
    is_header,
    is_rewind,
    kind,
    lines_of,
    messages,
    parse,
    safe_name,
    text,
)
from abreast.agents.gemini.records_usage import MARKS, Spending, UsageFilter, carries
from abreast.agents.recorded import cut, is_link, open_record, seconds, split
from abreast.model.transcript import (
    Begun,
    Broken,
    Compacted,
    Returned,
    Said,
    Transcript,
    TranscriptEvent,
)
from abreast.process.folders import scan as scan_folder

__all__ = [
    "ASIDES",
    "MARKS",
    "Events",
    "Spending",
    "carries",
    "children",
    "introduces",
    "read",
    "roots",
    "scan",
]

ASIDES: tuple[str, ...] = ()  # it marks none of its subagents as its own
_SUFFIX = re.compile(r"\.jsonl?\Z")
_UNANSWERED = {
    Kind.PROMPT: "the model did not answer",
    Kind.RESULTS: "the model did not answer",
    Kind.CALLING: "a tool call did not return",
}
_TAKEN_BACK = "the request failed or was cancelled, and the CLI took it back"
_SUMMARY = "the history was summarised: the CLI does not record what the summary cost"
_IMPORTED = re.compile(r"\AImported session from .*?/?(session-[A-Za-z0-9_-]{1,200}\.jsonl?)\Z")
_TWO = "the file holds the records of two sessions"


def roots(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folder of the user's own transcripts, which need not exist."""
    return (user_folder(environ) / "tmp",)


def scan(environ: Mapping[str, str], also: Iterable[Path] = ()) -> Iterator[os.DirEntry[str]]:
    """Yield the transcripts under the user's root, and under those of `also`.

    One of `also` is a `GEMINI_CLI_HOME` or the `tmp` in one. No link below a root is followed.
    """
    more = (place for root in also for place in (root / ".gemini" / "tmp", root))
    for root in dict.fromkeys([*roots(environ), *more]):
        for project in _folders(root):
            chats = project / "chats"
            if is_link(chats):
                continue
            yield from _records(chats, "session-")
            for parent in _folders(chats):
                yield from _records(parent)


def introduces(line: bytes, told: Begun) -> bool:  # noqa: ARG001
    """Return False: once a session has introduced itself, it is that one."""
    return False


def children(path: Path) -> list[Path]:
    """Return the transcripts of the subagents of the session at `path`; they have none."""
    if path.parent.name != "chats":
        return []
    session = safe_name(header(path).get("sessionId"))
    folder = path.parent / session
    return [*map(Path, _records(folder))] if session and not is_link(folder) else []


def read(path: Path) -> Transcript:
    """Return the session at `path` with its subagents; what cannot be read is in its warnings.

    What the record does not show as ended is `Broken` at its end: it was cut off, or goes on.
    """
    events = Events(path)
    found: list[TranscriptEvent] = []
    try:
        with open_record(path) as file:
            for line in split(file):
                found.extend(events.feed(line) if line is not None else events.too_long())
    except OSError:
        events.warnings.append("not a file that can be read")
    found.extend(events.left())
    begun = next((e for e in found if isinstance(e, Begun)), Begun(0.0, path.stem))
    return Transcript(
        agent="gemini",
        path=str(path),
        session=begun.session,
        events=tuple(found),
        children=tuple(map(read, children(path))),
        parent=begun.parent,
        cwd=begun.cwd,
        begun=begun.at,
        last=events.at,
        skipped=events.skipped,
        warnings=tuple(dict.fromkeys(events.warnings)),
    )


class Events:
    """One pass over one file. A message that is written again adds only what is new in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.skipped = 0
        self.at = 0.0  # the latest time in the record
        self._tally = UsageFilter()
        self._history = History()
        self._begun: Begun | None = None
        self._known: set[str] = set()  # messages whose words were told
        self._calls: dict[str, bool] = {}  # calls that were told, and whether they returned
        self._unanswered = ""  # the message whose want of an answer was told
        self._imported = False  # `_begun` waits for the record that tells where from

    @property
    def warnings(self) -> list[str]:
        return self._tally.warnings

    def feed(self, line: bytes) -> Iterable[TranscriptEvent]:
        """Return what a line says; never raises."""
        self._tally.go_on()
        try:
            record = parse(line)
        except ValueError:
            self.skipped += 1
            self._tally.torn()
            return []
        if record is None:
            return []
        if not isinstance(record, dict) or not _is_known(record):
            self.skipped += 1
            return []
        return list(self._read(record, marked=carries(line)))

    def too_long(self) -> Iterable[TranscriptEvent]:
        """Note a line that was too long to be read."""
        self.skipped += 1
        self._tally.warn("a line was too long to be read")
        return []

    def left(self) -> Iterable[TranscriptEvent]:
        """Return what is to be said at the end of the record."""
        return [*self._import(None), *self._break_off()]

    def _break_off(self) -> Iterator[TranscriptEvent]:
        name, of = self._history.last
        if of in _UNANSWERED and name != self._unanswered:
            self._unanswered = name
            yield Broken(self.at, _UNANSWERED[of])

    def _read(self, record: Record, *, marked: bool) -> Iterator[TranscriptEvent]:
        yield from self._import(record)
        if is_header(record):
            yield from self._begin(record)
        yield from self._before(record)
        turn = self._history.apply(record)
        self._note(record)
        if marked:
            yield from self._tally.spent(record)
        if turn is Effect.TAKEN_BACK:
            yield Broken(self.at, _TAKEN_BACK)
        elif turn is Effect.COMPACTED:
            self._tally.warn(_SUMMARY)
            yield Compacted(self.at)
        for message in messages(record):
            if turn is Effect.COMPACTED:  # the same words again, some under new ids
                self._known.add(identity(message))
            else:
                yield from self._tell(message)

    def _begin(self, record: Record) -> Iterator[TranscriptEvent]:
        session = safe_name(record["sessionId"]) or self.path.stem
        if self._begun is not None:
            if session != self._begun.session:
                self._tally.warn(_TWO)
            return
        self._begun = Begun(
            seconds(record.get("startTime")),
            session,
            cwd=_folder(self.path, record),
            parent=self._parent() if record.get("kind") == "subagent" else "",
        )
        self._imported = "messageCount" in record
        if not self._imported:
            yield self._begun

    def _import(self, record: Record | None) -> Iterator[TranscriptEvent]:
        """Yield how an imported session begins: the record after its header names the file."""
        if self._imported and self._begun is not None:
            self._imported = False
            found = _IMPORTED.search(text((record or {}).get("content")))
            if found:  # only what lies beside it is opened, wherever the other one was
                session = safe_name(header(self.path.parent / found[1]).get("sessionId"))
                self._begun = replace(self._begun, forked_from=session)
            yield self._begun

    def _parent(self) -> str:
        return self.path.parent.name if self.path.parent.parent.name == "chats" else ""

    def _before(self, record: Record) -> Iterator[TranscriptEvent]:
        """Yield that a turn is unanswered when the next one, or another process, begins."""
        again = identity(record) in self._history.kept
        new = identity(record) and not again and kind(record) is Kind.PROMPT
        if new or (is_header(record) and self._history.kept):
            yield from self._break_off()

    def _note(self, record: Record) -> None:
        stamps = [record.get("startTime"), changes(record).get("lastUpdated")]
        stamps += [message.get("timestamp") for message in messages(record)]
        self.at = max(self.at, *map(seconds, stamps))

    def _tell(self, message: Record) -> Iterator[TranscriptEvent]:
        name, of = identity(message), kind(message)
        at = seconds(message.get("timestamp"))
        if name not in self._known:
            self._known.add(name)
            shown = message.get("displayContent") or message.get("content")
            said = text(shown).strip() if of in {Kind.PROMPT, Kind.REPLY} else ""
            if said:
                yield Said(at, of is Kind.PROMPT, cut(said))
            elif message.get("type") == "error":
                yield Broken(at, cut(text(shown).strip()))
        for call in read_calls(message):
            yield from self._tell_call(call, at)

    def _tell_call(self, call: Record, at: float) -> Iterator[TranscriptEvent]:
        name = str(call["id"])
        if name not in self._calls:
            self._calls[name] = False
            yield called(call, at)
        if self._calls[name]:
            return
        back: Returned | None = returned(call)
        if back is not None:
            self._calls[name] = True
            meant = None if back.failed else planned(call, back.at) or concluded(call, back.at)
            yield from (meant, back) if meant else (back,)


def _is_known(record: Record) -> bool:
    known = identity(record) or is_rewind(record) or is_header(record)
    return bool(known) or isinstance(record.get("$set"), dict)


def _folder(path: Path, record: Record) -> str:
    """Return the folder that a session ran in: its record has but a hash of it."""
    wanted = record.get("projectHash")
    named = record.get("directories")
    told = [one for one in named if isinstance(one, str)] if isinstance(named, list) else []
    chats = path.parent if path.parent.name == "chats" else path.parent.parent
    if chats.name == "chats":
        first = next(lines_of(chats.parent / ".project_root"), b"")
        told.append(os.fsdecode(first.strip()))
    fits = (one for one in told if hashlib.sha256(os.fsencode(one)).hexdigest() == wanted)
    return next(fits, "")


def _folders(folder: Path) -> Iterator[Path]:
    return (Path(e.path) for e in scan_folder(folder) if e.is_dir(follow_symlinks=False))


def _records(folder: Path, prefix: str = "") -> Iterator[os.DirEntry[str]]:
    for entry in scan_folder(folder):
        name = _SUFFIX.sub("", entry.name)
        named = name != entry.name and name.startswith(prefix) and safe_name(name)
        if named and entry.is_file(follow_symlinks=False):
            yield entry
