"""The records of a Gemini CLI transcript (0.61.0), its lines, and the conversation they make.

The CLI appends: a header, messages, `$set` with what has changed (`messages` replaces them all),
`$rewindTo` a message. A message is written again, under its id, when its tools have returned.
"""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import orjson

from abreast.agents.lines import load_line
from abreast.agents.recorded import open_record, split

Record = Mapping[str, Any]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}")
# How messages begin that the CLI itself, or a hook, puts before the first prompt.
_CONTEXTS = ("<session_context>", "<hook_context>")


class Kind(Enum):
    """What a message is to the conversation."""

    CONTEXT = "context"
    PROMPT = "prompt"
    RESULTS = "results"  # what tools returned, on its way to the model
    REPLY = "reply"
    CALLING = "calling"  # a reply that says nothing, and whose tools have not returned
    ASIDE = "aside"


def identity(record: Record) -> str:
    """Return the id of a message, "" for any other record."""
    value = record.get("id", "")
    return value if isinstance(value, str) and not is_rewind(record) else ""


def is_rewind(record: Record) -> bool:
    return isinstance(record.get("$rewindTo"), str)


def is_header(record: Record) -> bool:
    named = (record.get("sessionId"), record.get("projectHash"))
    return not identity(record) and all(isinstance(value, str) for value in named)


def changes(record: Record) -> Record:
    """Return what a `$set` sets, {} for any other record."""
    value = record.get("$set")
    return value if isinstance(value, dict) and not identity(record) else {}


def listed(record: Record) -> list[Record] | None:
    """Return the messages that a record lists in place of all before it; None if it lists none."""
    source = record if is_header(record) else changes(record)
    value = None if is_rewind(record) else source.get("messages")
    if not isinstance(value, list):
        return None
    return [message for message in value if isinstance(message, dict) and identity(message)]


def messages(record: Record) -> Sequence[Record]:
    """Return the messages in a record: itself, or those that it lists."""
    return [record] if identity(record) else listed(record) or ()


def kind(message: Record) -> Kind:
    whose = message.get("type")
    if whose == "gemini":
        told = text(message.get("content")).strip() or message.get("toolCalls")
        return Kind.REPLY if told else Kind.CALLING
    if whose != "user":
        return Kind.ASIDE
    content = message.get("content")
    if any("functionResponse" in part for part in parts(content)):
        return Kind.RESULTS
    return Kind.CONTEXT if text(content).startswith(_CONTEXTS) else Kind.PROMPT


def parts(content: Any) -> list[Record]:
    if isinstance(content, str):
        return [{"text": content}]
    several = content if isinstance(content, list) else [content]
    return [{"text": p} if isinstance(p, str) else p for p in several if isinstance(p, str | dict)]


def text(content: Any) -> str:
    """Return what is said in a content: a text, or parts of which some are texts."""
    said = [part.get("text") for part in parts(content) if not part.get("thought")]
    return "".join(one for one in said if isinstance(one, str))


def safe_name(value: Any) -> str:
    """Return a session's id, or "" for what is none: it may become part of a path."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""


_BLANK = b"\0 \t\r\n"  # a crash of the machine leaves NULs where nothing was written yet


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of the file at `path`, but for those that are too long; none of no file."""
    with contextlib.suppress(OSError), open_record(path) as file:
        yield from (line for line in split(file) if line is not None)


def parse(line: bytes) -> Any:
    """Return the JSON on a line, None for an empty one. Raises ValueError when it is not JSON."""
    stripped = line.strip(_BLANK)
    if not stripped:
        return None
    try:
        return orjson.loads(stripped)
    except ValueError:  # half a character, which JavaScript writes and only the slow way reads
        return load_line(stripped)


def dump(value: Any) -> str:
    """Return `value`, which came out of `parse`, as JSON; "" when it is nested beyond reason."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""


def header(path: Path) -> Mapping[str, Any]:
    """Return the first record in the file, {} when it has none."""
    for line in lines_of(path):
        try:
            value = parse(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            return value
    return {}


SILENT = (Kind.CONTEXT, Kind.ASIDE)
"""Messages in which nobody says anything."""


class Effect(Enum):
    """What a record did to the conversation, beyond adding to it."""

    NONE = "none"
    TAKEN_BACK = "taken back"  # the last messages are gone: their request failed, or was cancelled
    COMPACTED = "compacted"  # a summary took the place of messages
    RESTARTED = "restarted"  # another process writes the same file


class History:
    """The messages that count, by id and in order, each as its kind."""

    def __init__(self) -> None:
        self.kept: dict[str, Kind] = {}
        self._fresh = False  # the last record of the messages was a header

    @property
    def last(self) -> tuple[str, Kind]:
        """The last message that is part of the conversation."""
        told = ((name, of) for name, of in reversed(self.kept.items()) if of not in SILENT)
        return next(told, ("", Kind.ASIDE))

    def apply(self, record: Record) -> Effect:
        if name := identity(record):
            self._fresh = False
            self.kept[name] = kind(record)
        elif is_rewind(record):
            self._rewind(record["$rewindTo"])
        elif is_header(record):
            turn = Effect.RESTARTED if self.kept else Effect.NONE
            self._replace(record)
            self._fresh = True
            return turn
        else:
            return self._replace(record)
        return Effect.NONE

    def _replace(self, record: Record) -> Effect:
        among = listed(record)
        if among is None:
            return Effect.NONE
        before, self.kept = self.kept, {identity(one): kind(one) for one in among}
        # A new process lists its own first message, and only then those it resumes.
        fresh, self._fresh = self._fresh, False
        return Effect.NONE if fresh else _turn(before, self.kept)

    def _rewind(self, name: str) -> None:
        """Drop what came after a message; as in the CLI, an unknown one drops everything."""
        names = list(self.kept)
        left = names[: names.index(name)] if name in self.kept else []
        self.kept = {one: self.kept[one] for one in left}


def _turn(before: Mapping[str, Kind], now: Mapping[str, Kind]) -> Effect:
    if all(name in now for name in before):
        return Effect.NONE
    if list(now) == list(before)[: len(now)]:
        return Effect.TAKEN_BACK
    # What tools returned gets new ids by a mere resume.
    gone, come = _spoken(before) - _spoken(now), _spoken(now) - _spoken(before)
    return Effect.COMPACTED if gone and come else Effect.NONE


def _spoken(messages: Mapping[str, Kind]) -> set[str]:
    return {name for name, of in messages.items() if of not in {*SILENT, Kind.RESULTS}}
