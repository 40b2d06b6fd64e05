"""What the model requests of a Gemini CLI transcript cost (0.61.0).

The tokens of a request stand with the message that answered it, under an id of its own, which a
resume and an import into another session keep. Requests that the CLI makes aside (which model to
take, the summary of a compaction) and replies that it threw away are not in the record at all.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from abreast.agents.gemini.records_lines import parse
from abreast.agents.gemini.records_shape import Record, identity, messages, seconds
from abreast.model.transcript import Spent

MARKS = (b'"tokens"',)
"""A line without this cannot carry usage."""

_ID = re.compile(rb'\{"id":"([^"\\]*)"')
_TOKENS = re.compile(rb'"tokens":\{[^{}]*\}')
_MOST = 1 << 53  # no request has as many tokens; beyond it JavaScript itself cannot count


class Tally:
    """Tells which records of one file are news: most of them repeat what was said before."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
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
        return [spent for message in messages(record) for spent in self._of(message)]

    def _of(self, message: Record) -> Iterable[Spent]:
        tokens, name = message.get("tokens"), identity(message)
        if not isinstance(tokens, dict) or not tokens:
            return
        given, cached, said, total = (
            self._count(tokens.get(key)) for key in ("input", "cached", "output", "total")
        )
        # Thoughts are in the total only, and whatever of it is not input is output.
        counts = (given, min(cached, given), max(said, total - given))
        if self._known.get(name) == counts or not any(counts):
            return
        self._known[name] = counts
        model = message.get("model")
        at = seconds(message.get("timestamp"))
        yield Spent(at, name, model if isinstance(model, str) else "", *counts)

    def _count(self, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST:
            return value
        if value is not None:
            self.warn("a request states a number of tokens that cannot be one")
        return 0


class Spending:
    """The fast path: only what the requests of one file cost.

    A message that is written again with its tools' results, which is most of a file, is known by
    its id and its tokens, and not parsed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.skipped = 0
        self._tally = Tally()
        self._seen: dict[bytes, bytes] = {}  # the tokens of a message, as they are written

    @property
    def warnings(self) -> list[str]:
        return self._tally.warnings

    def feed(self, line: bytes) -> Iterable[Spent]:
        """Return what a line with one of the MARKS adds; never raises."""
        if MARKS[0] not in line:
            return []
        self._tally.go_on()
        begun = _ID.match(line)
        alone = line.count(MARKS[0]) == 1
        if begun and alone and (seen := self._seen.get(begun[1])) and seen in line:
            return []
        try:
            record = parse(line)
        except ValueError:
            self.skipped += 1
            self._tally.torn()
            return []
        if not isinstance(record, dict):
            return []
        if begun and alone and (tokens := _TOKENS.search(line)):
            self._seen[begun[1]] = tokens[0]
        return self._tally.spent(record)
