"""What the model requests of a Gemini CLI transcript cost (0.61.0).

The tokens of a request stand with the message that answered it, under an id of its own, which a
resume and an import into another session keep. Requests that the CLI makes aside (which model to
take, the summary of a compaction) and replies that it threw away are not in the record at all.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from abreast.agents.gemini.records_lines import parse
from abreast.agents.gemini.records_shape import Record, messages
from abreast.agents.recorded import seconds
from abreast.model.transcript import Spent

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
        """Tell of a line that could not be read: that is as it should be for the last one only."""
        self._torn = True

    def warn(self, what: str) -> None:
        if what not in self.warnings:
            self.warnings.append(what)

    def go_on(self) -> None:
        """Tell that there is another line."""
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
