"""What the requests of a rollout have cost: one record of each, or, before 0.150, running totals.

Newer versions write `token_usage_record` for each response; all write `token_count`, some of them
several times for one response, with the thread's total so far and what the last response added.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from abreast.agents.codex.records_lines import Record, load_record
from abreast.model.transcript import Spent

MARKS: tuple[bytes, ...] = (
    b'"token_usage_record"',
    b'"token_count"',
    b'"turn_context"',
    b'"session_meta"',
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens, as Codex counts them: cached and written ones are part of the input."""

    input: int
    cached: int
    written: int
    output: int

    def __sub__(self, other: "Counts") -> "Counts":
        mine, theirs = asdict(self), asdict(other)
        return Counts(**{name: mine[name] - theirs[name] for name in mine})

    @property
    def any(self) -> bool:
        return self != NONE

    @property
    def negative(self) -> bool:
        return min(self.input, self.cached, self.written, self.output) < 0

    def covers(self, other: "Counts") -> bool:
        return not (self - other).negative

    @property
    def name(self) -> str:
        return f"{self.input}-{self.cached}-{self.output}"


NONE = Counts(0, 0, 0, 0)
_MISSING = "requests are missing; what the total says of them is counted as one"


def load_counts(raw: Any) -> Counts | None:
    """Return Codex's counts; None when there are none, or they are no counts."""
    if not isinstance(raw, Mapping):
        return None
    names = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens")
    values = [raw.get(name, 0) for name in names]
    if any(type(value) is not int or value < 0 for value in values):
        return None
    return Counts(*values)


class Spending:
    """The requests of one rollout, in the order of the record.

    Give it every line, or those with one of `MARKS`; `warnings` tells where a total may be wrong.
    `state` is all that it remembers, as JSON: to go on later where the file has grown.
    """

    def __init__(self, path: Path, state: Mapping[str, Any] | None = None) -> None:
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

    @property
    def state(self) -> dict[str, Any]:
        total = self._total
        return {
            "session": self._session,
            "root": self._root,
            "model": self._model,
            "since": self._since,
            "stating": self._stating,
            "total": [total.input, total.cached, total.written, total.output] if total else None,
        }

    def feed(self, line: bytes) -> Iterable[Spent]:
        """Return what a line says was spent. Never raises."""
        if not any(mark in line for mark in MARKS):
            return ()
        record = load_record(line)
        if record is None:
            self.tear(line)
            return ()
        return [*self.take(record)]

    def tear(self, line: bytes) -> None:
        """Take note of a line that is no record; the last one may be torn and is no loss yet."""
        self.skipped += 1
        if line.endswith(b"\n") and any(mark in line for mark in MARKS):
            self._warn("a torn line had a request's usage")

    def take(self, record: Record) -> Iterator[Spent]:
        """Yield what a record says was spent."""
        payload = record.payload
        if record.torn:
            self._warn("a line was torn")
        match record.kind:
            case "session_meta":
                self._begin(payload)
            case "turn_context":
                self._model = str(payload.get("model") or self._model)
            case "token_usage_record":
                yield from self._stated(record)
            case "event_msg" if payload.get("type") == "token_count":
                yield from self._counted(record)

    def _begin(self, meta: Mapping[str, Any]) -> None:
        """Learn whose file it is, and at whose history it began.

        Older versions copied a fork's history into its file, the other session's head included.
        The root is the oldest session known, so a count has the same name in either file. Newer
        ones only refer to it: then the first total is the other session's.
        """
        named = str(meta.get("id") or "")
        self._session = self._session or named
        self._root = str(meta.get("forked_from_id") or named)
        self._since = self._since or "history_base" in meta

    def _stated(self, record: Record) -> Iterator[Spent]:
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
            missing = total - used - self._total
            if missing.negative:
                self._warn("a request's usage does not fit its total")
            elif missing.any:
                self._warn(_MISSING)
                yield self._spent(record, f"{identity}/before", missing)
        self._total, self._stating = total or self._total, True
        yield self._spent(record, identity, used)

    def _counted(self, record: Record) -> Iterator[Spent]:
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
        if total == before or (self._stating and before and not total.covers(before)):
            return
        self._total = total
        if before is None and (self._since or not self._root):
            if not self._root:
                self._warn("its beginning is missing")
            return
        used = self._added(before, total, last or NONE)
        if used.any:
            yield self._spent(record, f"{self._root}/{total.name}/{used.name}", used)

    def _added(self, before: Counts | None, total: Counts, last: Counts) -> Counts:
        """Return what was spent since the total was `before`."""
        added = total - (before or NONE)
        if added == last:
            return added
        if added.negative or (before is None and last.any and self._root != self._session):
            if total.any and added.negative:
                self._warn("its running total went down")
            return last
        self._warn(_MISSING)
        return added

    def _spent(self, record: Record, identity: str, used: Counts) -> Spent:
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
