"""What the requests of a rollout have cost: one record of each, or, before 0.150, running totals.

Newer versions write `token_usage_record` for each response; all write `token_count`, some of them
several times for one response, with the thread's total so far and what the last response added.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from abreast.agents.codex.records_lines import BEGINNING, Copy, RolloutLine, load_record
from abreast.agents.recorded import as_text, seconds
from abreast.model.transcript import Spent

MARKS: tuple[bytes, ...] = (
    b'"token_usage_record"',
    b'"token_count"',
    b'"turn_context"',
    b'"session_meta"',
    rb"\u00",  # letters may also be written by escapes
)


class Counts(NamedTuple):
    """Tokens, as Codex counts them: cached and written ones are part of the input."""

    input: int
    cached: int
    written: int
    output: int

    def less(self, other: "Counts") -> "Counts":
        return Counts(
            self.input - other.input,
            self.cached - other.cached,
            self.written - other.written,
            self.output - other.output,
        )

    @property
    def negative(self) -> bool:
        return min(self) < 0

    @property
    def name(self) -> str:
        return f"{self.input}-{self.cached}-{self.output}"


NONE = Counts(0, 0, 0, 0)
_SHORT = 3000  # bytes; a `token_count` takes 800
_TOTAL = (
    b'"total_token_usage":{"input_tokens":%d,"cached_input_tokens":%d,'
    b'"cache_write_input_tokens":%d,"output_tokens":%d,'
)
_MARKED = re.compile(b"|".join(map(re.escape, MARKS))).search
_RESPONSE = b'"type":"token_usage_record"'
_EARLY = 120  # bytes in which a record has said what it is
_OTHER = re.compile(
    rb'\{"timestamp":"[\d:.TZ-]+","ordinal":\d+,"type":"'
    rb'(?:response_item","payload":\{"type":"\w+"|event_msg","payload":\{"type":"(?!token_count")\w+")'
).match
"""How nearly all other records begin, as 0.169 writes them."""
_FRONT = re.compile(
    rb'\{"timestamp":\s?"[^"\\]*",\s?(?:"ordinal":\s?\d+,\s?)?"type":\s?"(\w+)",\s?'
    rb'"payload":\s?\{\s?(?:"type":\s?"(\w+)")?'
).match
"""How a record says what it is; of others the whole line is searched."""
_KINDS = frozenset({b"token_usage_record", b"turn_context", b"session_meta"})
_EVENTS = frozenset({b"token_count", None})
_MISSING = "requests are missing; what the total says of them is counted as one"


def carries(line: bytes) -> bool:
    """Return whether a line may have one of `MARKS` as a record's kind, however it is spelled.

    Hardly more is looked at than how it begins; but what stands behind an open line, of a process
    that was killed, is looked for.
    """
    if _OTHER(line) and line.find(BEGINNING, 1) < 0:
        return False
    if (front := _FRONT(line)) and line.find(BEGINNING, 1) < 0:
        return front[1] in _KINDS or (front[1] == b"event_msg" and front[2] in _EVENTS)
    return _MARKED(line) is not None


def load_counts(raw: Any) -> Counts | None:
    """Return Codex's counts; None when there are none, or they are no counts."""
    if not isinstance(raw, Mapping):
        return None
    get = raw.get
    given, cached = get("input_tokens", 0), get("cached_input_tokens", 0)
    written, output = get("cache_write_input_tokens", 0), get("output_tokens", 0)
    if not type(given) is type(cached) is type(written) is type(output) is int:
        return None
    counts = Counts(given, cached, written, output)
    return None if counts.negative else counts


class Spending:
    """The requests of one rollout, in the order of the record.

    Give it every line, or those with one of `MARKS`; `warnings` tells where a total may be wrong.
    `state` is all that it remembers, as JSON: to go on later where the file has grown. `copied` in
    it are the tokens of requests that another session, `origin`, has made: see `Copy`. They are
    told only with `copies`, under the names that they have in the other's own file.
    """

    def __init__(
        self, path: Path, state: Mapping[str, Any] | None = None, *, copies: bool = False
    ) -> None:
        self.path = path
        self.skipped = 0
        self.warnings: list[str] = []
        given = state or {}
        self._session = str(given.get("session", ""))
        self._root = str(given.get("root", ""))
        self._model = str(given.get("model", ""))
        self._since = bool(given.get("since", False))
        self._stating = bool(given.get("stating", False))
        total = given.get("total")
        self._total = Counts(*total) if total else None
        self._copy, self._copies = Copy(*given.get("copy", ())), copies
        from abreast.agents.codex.records_stated import load_stated  # here: see load_stated

        self._load_stated = load_stated

    @property
    def state(self) -> dict[str, Any]:
        total = self._total
        return {
            "session": self._session,
            "root": self._root,
            "model": self._model,
            "since": self._since,
            "stating": self._stating,
            "total": list(total) if total else None,
            **self._copy.state,
        }

    def feed(self, line: bytes) -> Iterable[Spent]:
        """Return what a line says was spent. Never raises."""
        if line.find(_RESPONSE, 0, _EARLY) > 0:
            if (plain := self._plain(line)) is not None:
                return (plain,)
        elif self._known(line):
            return ()
        if not _MARKED(line):
            return ()
        record = load_record(line)
        if record is None:
            self.tear(line)
            return ()
        return [*self.take(record)]

    def _plain(self, line: bytes) -> Spent | None:
        """Return what a request has used that follows the one before, as nearly all of them do."""
        stated = self._load_stated(line)
        if stated is None or stated.payload.thread_id != self._session:
            return None
        told = stated.payload
        used, total = told.usage, told.total
        before = (
            total.input - used.input,
            total.cached - used.cached,
            total.written - used.written,
            total.output - used.output,
        )
        if before != self._total:
            return None
        self._total = Counts(total.input, total.cached, total.written, total.output)
        self._stating = True
        return Spent(
            seconds(stated.timestamp),
            f"{told.thread_id}/{told.turn_id}/{told.response_id}",
            self._model,
            used.input,
            used.cached,
            used.output,
            used.written,
        )

    def _known(self, line: bytes) -> bool:
        """Return whether a line repeats the total, without parsing it; every other line does."""
        total = self._total
        whole = len(line) < _SHORT and line.endswith(b"}\n") and line.rfind(BEGINNING) <= 0
        return total is not None and whole and _TOTAL % total in line

    def tear(self, line: bytes) -> None:
        """Take note of a line that is no record; the last one may be torn and is no loss yet."""
        self.skipped += 1
        if line.endswith(b"\n") and any(mark in line for mark in MARKS):
            self._warn("a torn line had a request's usage")

    def take(self, record: RolloutLine) -> Iterator[Spent]:
        """Yield what a record says was spent."""
        payload = record.payload
        if record.torn:
            self._warn("a line was torn")
        match record.kind:
            case "session_meta":
                self._begin(payload, record.at)
            case "turn_context":
                self._copy.goes_on(record.at, record.ordinal)
                self._model = as_text(payload.get("model")) or self._model
            case "token_usage_record":
                yield from self._stated(record)
            case "event_msg" if payload.get("type") == "token_count":
                yield from self._counted(record)

    def _begin(self, meta: Mapping[str, Any], at: float) -> None:
        """Note which session the file records, and whose history it begins with.

        Older versions copied a fork's history into its file, the other session's head included.
        The root is the oldest session known. Newer ones only refer to it: then the first total is
        the other session's.
        """
        named, origin = as_text(meta.get("id")), as_text(meta.get("forked_from_id"))
        first, self._session = not self._session, self._session or named
        self._root = origin or named
        self._since = self._since or "history_base" in meta
        if first:
            own = meta.get("subagent_history_start_ordinal")
            self._copy.begin(at, origin if not self._since else "", own)
        elif named != self._session:
            self._copy.begin(at, named)

    def _stated(self, record: RolloutLine) -> Iterator[Spent]:
        payload = record.payload
        used = load_counts(payload.get("usage"))
        if used is None:
            self.skipped += 1
            self._warn("a request's usage is not in numbers")
            return
        thread, turn = str(payload.get("thread_id") or ""), str(payload.get("turn_id") or "")
        self._session = self._session or thread
        if thread != self._session:
            self._warn("it has records of another session")
        total = load_counts(payload.get("thread_token_usage"))
        response = payload.get("response_id") or (total or used).name
        identity = f"{thread}/{turn}/{response}"
        if total is not None and self._total is not None and thread == self._session:
            missing = total.less(used).less(self._total)
            if missing.negative:
                self._warn("a request's usage does not fit its total")
            elif missing != NONE:
                self._warn(_MISSING)
                yield self._spent(record, f"{identity}/before", missing)
        self._total, self._stating = total or self._total, True
        yield self._spent(record, identity, used)

    def _counted(self, record: RolloutLine) -> Iterator[Spent]:
        info = record.payload.get("info")
        if not isinstance(info, Mapping):
            return
        total = load_counts(info.get("total_token_usage"))
        last = load_counts(info.get("last_token_usage"))
        if total is None:
            self.skipped += 1
            self._warn("a total is not in numbers")
            return
        before = self._total
        # A session that is resumed after a kill goes on from an older total, before it spends.
        if total == before or (self._stating and before and total.less(before).negative):
            return
        self._total = total
        if before is None and (self._since or not self._root):
            if not self._root:
                self._warn("its beginning is missing")
            return
        used = self._added(before, total, last or NONE)
        if used == NONE:
            return
        whose = self._session
        if self._copy.goes_on(record.at, record.ordinal):
            self._copy.tokens += used.input + used.output
            if not self._copies:
                return
            whose = self._root
        yield self._spent(record, f"{whose}/{total.name}/{used.name}", used)

    def _added(self, before: Counts | None, total: Counts, last: Counts) -> Counts:
        """Return what was spent since the total was `before`."""
        added = total.less(before or NONE)
        if added == last:
            return added
        if added.negative or (before is None and last != NONE and self._root != self._session):
            if total != NONE and added.negative:
                self._warn("its running total went down")
            return last
        self._warn(_MISSING)
        return added

    def _spent(self, record: RolloutLine, identity: str, used: Counts) -> Spent:
        return Spent(
            at=record.at,
            id=identity,
            model=self._model,
            input_tokens=used.input,
            cached_tokens=used.cached,
            output_tokens=used.output,
            written_tokens=used.written,
        )

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)
