"""What the model requests of a Gemini CLI transcript cost (0.61.0).

The tokens of a request stand with the message that answered it, under an id of its own, which a
resume and an import into another session keep. Requests that the CLI makes aside (which model to
take, the summary of a compaction) and replies that it threw away are not in the record at all.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.agents.gemini.records_shape import (
    SILENT,
    History,
    Record,
    header,
    lines_of,
    messages,
    parse,
)
from abreast.agents.recorded import seconds
from abreast.model.transcript import Spent
from abreast.model.usage import Usage
from abreast.process.folders import matching

MARKS = (b'"tokens"', rb"\u00")
"""A line without any of these cannot carry usage: letters may also be written by escapes."""

_BEGUN = b'{"id":"'
_FRONT = re.compile(rb'\{"id":\s?"[^"\\]*",\s?"timestamp":\s?"[^"\\]*",\s?"type":\s?"user"').match
_KEYS = ("input", "cached", "tool", "output", "thoughts", "total")
_MOST = 1 << 53  # no request has as many tokens; beyond it JavaScript itself cannot count


def carries(line: bytes) -> bool:
    """Return whether a line may carry usage, however it is spelled.

    What tools have returned, which goes to the model as a user's message, is looked at but once.
    """
    return b'"tokens"' in line or (_FRONT(line) is None and rb"\u00" in line)


class UsageFilter:
    """Tells which records of one file are news: most of them repeat what was said before."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.tool: dict[str, int] = {}  # by message: the part of its prompt that tools put there
        self._torn = False  # the line before could not be read
        self._known: dict[str, tuple[int, int, int]] = {}

    def torn(self) -> None:
        """Note a line that could not be read; only the last one may be torn."""
        self._torn = True

    def warn(self, what: str) -> None:
        if what not in self.warnings:
            self.warnings.append(what)

    def go_on(self) -> None:
        """Note that another line follows."""
        if self._torn:
            self.warn("a record could not be read: it may have stated usage")
        self._torn = False

    def spent(self, record: Record) -> list[Spent]:
        """Return the requests in a record whose tokens were not known, or others."""
        return [spent for message in messages(record) if (spent := self._of(message))]

    def _of(self, message: Record) -> Spent | None:
        tokens, name = message.get("tokens"), message["id"]
        if not isinstance(tokens, dict) or not tokens:
            return None
        given, cached, tool, said, thoughts, total = self._counts(tokens)
        # What tools put into the prompt is counted apart from it, thoughts apart from the output:
        # total = input + tool + output + thoughts. Whatever else is in the total was written.
        prompt = given + tool
        counts = (prompt, min(cached, prompt), max(said + thoughts, total - prompt))
        if self._known.get(name) == counts or not any(counts):
            return None
        self._known[name] = counts
        self.tool[name] = tool
        model = message.get("model")
        at = seconds(message.get("timestamp"))
        return Spent(at, name, model if isinstance(model, str) else "", *counts)

    def _counts(self, tokens: Record) -> list[int]:
        counts = [tokens.get(key, 0) for key in _KEYS]
        for index, count in enumerate(counts):
            if type(count) is not int or not 0 <= count < _MOST:
                counts[index] = 0
                self.warn("a request states a number of tokens that cannot be one")
        return counts


class Spending:
    """The fast path: only what the requests of one file cost.

    A message that is written again with its tools' results, which is most of a file, is known by
    its id and its tokens, and not parsed. There is nothing to remember.
    """

    state: Mapping[str, Any] | None = None

    def __init__(self, path: Path, state: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        self.path = path
        self.skipped = 0
        self._tally = UsageFilter()
        self._seen: dict[bytes, bytes] = {}  # the tokens of a message, as they are written

    @property
    def warnings(self) -> list[str]:
        return self._tally.warnings

    def tool(self, name: str) -> int:
        """Return how much of a request's prompt its tools put there, as its message tells."""
        return self._tally.tool.get(name, 0)

    def feed(self, line: bytes) -> Iterable[Spent]:
        """Return what a line with one of the MARKS adds; never raises."""
        mark = line.find(MARKS[0])
        if mark < 0 and not carries(line):
            return []
        self._tally.go_on()
        name = line[: line.find(b'"', len(_BEGUN))] if line.startswith(_BEGUN) else b""
        alone = mark > 0 and line.find(MARKS[0], mark + 1) < 0
        if alone and (seen := self._seen.get(name)) and line.startswith(seen, mark):
            return []
        try:
            record = parse(line)
        except ValueError:
            self.skipped += 1
            self._tally.torn()
            return []
        if not isinstance(record, dict):
            return []
        tokens = line[mark : line.find(b"}", mark) + 1] if alone and name else b""
        if tokens.count(b"{") == 1:
            self._seen[name] = tokens
        return self._tally.spent(record)


# What Gemini CLI's own record of a session adds to its stream (0.61.0).
#
# The stream states usage in its last line only, in total, and a process that was stopped never
# comes to it; the record has the tokens of each reply. It also tells whether there is anything to
# resume.


def records(home: Path, session: str) -> list[Path]:
    """Return the files that hold `session` under the `GEMINI_CLI_HOME` `home`, oldest first."""
    # A resume in a later minute may begin another file of the same session.
    pattern = f".gemini/tmp/*/chats/session-*-{session[:8]}.json*"
    named = matching(home, pattern) if session else ()
    records = (path for path in named if path.suffix in {".json", ".jsonl"})
    return sorted(path for path in records if header(path).get("sessionId") == session)


def resumable(home: Path, session: str, worktree: Path) -> bool:
    """Return whether anything was said in `session`, which the CLI knows in `worktree` only."""
    return any(
        _said(path)
        for path in records(home, session)
        if b"".join(lines_of(path.parent.with_name(".project_root"))).strip() == bytes(worktree)
    )


@dataclass(frozen=True)
class ReplyUsage:
    """What one request to a model has cost. `tool`: the part of its input that tools put there."""

    model: str
    usage: Usage
    tool: int = 0


def replies(home: Path, session: str, since: str) -> list[ReplyUsage]:
    """Return the replies in `session` since a moment of the CLI's own clock, the first one first.

    What the CLI asks aside, such as which model to take, is not in its record.
    """
    found: dict[str, ReplyUsage] = {}
    begun = seconds(since)
    for path in records(home, session):
        spending = Spending(path)
        for line in lines_of(path):
            for one in spending.feed(line):
                if one.at >= begun:
                    found[one.id] = ReplyUsage(one.model, _usage(one), spending.tool(one.id))
    return [*found.values()]


def _usage(spent: Spent) -> Usage:
    return Usage(spent.input_tokens, spent.cached_tokens, spent.output_tokens, None, "transcript")


def _said(path: Path) -> bool:
    """Look at the messages as they are in the end: a failed request is taken out again."""
    history = History()
    for line in lines_of(path):
        try:
            record = parse(line)
        except ValueError:  # the last line of a process that was killed
            continue
        if isinstance(record, dict):
            history.apply(record)
    return any(kind not in SILENT for kind in history.kept.values())
