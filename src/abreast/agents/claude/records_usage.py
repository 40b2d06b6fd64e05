"""What each model request used, from the lines of Claude Code's record alone."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from abreast.agents.claude.transcript import (
    SYNTHETIC,
    as_dict,
    as_text,
    load,
    model_name,
    prompt_tokens,
    tokens,
)
from abreast.agents.recorded import seconds
from abreast.model.harmless import one_line
from abreast.model.transcript import Spent

MARKS: tuple[bytes, ...] = (b'"usage":{',)
"""A line without any of these carries no usage. In a text the quotes would be escaped."""


_LONG = 4000  # bytes from which on it pays to look at a line's kind first
_KIND = re.compile(
    rb'\{(?:(?!"type":)"\w+":(?:"[^"\\]*"|null|true|false|\d+),){0,20}"type":"([\w-]+)",'
)
_COUNTS = re.compile(
    rb'"usage":\{"input_tokens":\d+,"cache_creation_input_tokens":\d+,'
    rb'"cache_read_input_tokens":\d+,"output_tokens":\d+,'
)
_REPLY = b'"id":"%s","type":"message","role":"assistant"'
_FRONT = 500  # bytes in which a reply has told its id
_STAMP = b'"timestamp":"'
_RECORD = b'{"parentUuid":'


_STATE = b'{"type":"cost-state",'


def carries(line: bytes) -> bool:
    """Tell whether a line may carry usage, without a look at all that a tool has returned."""
    if line.startswith(_STATE):
        return True
    if len(line) > _LONG and (kind := _KIND.match(line)) and kind[1] != b"assistant":
        return False
    return MARKS[0] in line


class Spending:
    """Reads the usage out of one file's lines that have a mark, and nothing else.

    A reply is recorded once for each of its parts, each time with the same id and usage; a fork
    repeats the replies it starts from with their ids. Subagents have files of their own.

    `state` is all that it has to remember, as JSON: `counted`, by model, are the tokens of prompts,
    those cached and written, and of output that the CLI last said the session has used, with its
    subagents and with requests that are on no record; `cost` what that came to in US dollars.
    """

    def __init__(self, path: Path, state: Mapping[str, Any] | None = None) -> None:
        self.path = path
        self.state: dict[str, Any] | None = dict(state) if state else None
        self._lost = 0
        self._last: Spent | None = None
        self._id = self._counts = b""  # of the last reply, as they are written

    @property
    def warnings(self) -> list[str]:
        """What may be wrong with the total."""
        return ["lines with usage could not be read"] if self._lost else []

    def feed(self, line: bytes) -> Iterable[Spent]:
        """Return what a line says was spent. Never raises."""
        if line.startswith(_STATE):
            record, _ = load(line)
            self.state = _counted(record) if record else self.state
            return ()
        if self._last is not None and (again := self._again(line, self._last)) is not None:
            return (again,)
        record, whole = load(line)
        found = spent(record) if record else None
        self._lost += not whole and line.endswith(b"\n") and MARKS[0] in line
        self._last = None
        if found is None:
            return ()
        counts = _COUNTS.match(line, line.rfind(MARKS[0])) if whole else None
        if counts is not None and found.cost_usd is None:
            self._last = found
            self._id, self._counts = _REPLY % found.id.encode(errors="replace"), counts[0]
        return (found,)

    def _again(self, line: bytes, last: Spent) -> Spent | None:
        """Return the last reply once more if this is another part of it; the rest is not parsed."""
        name = line.find(self._id, 0, _FRONT)
        if name < 0 or line.find(_RECORD, name) > 0:  # another one stands behind its beginning
            return None
        start = line.rfind(MARKS[0])
        if not line.startswith(self._counts, start):
            return None
        stamp = line.rfind(_STAMP, start) + len(_STAMP)
        end = line.find(b'"', stamp)
        if stamp < start or not line.endswith(b"}\n"):
            return None
        at = seconds(line[stamp:end].decode(errors="replace"))
        counts = (last.input_tokens, last.cached_tokens, last.output_tokens, last.written_tokens)
        return Spent(at, last.id, last.model, *counts)


def _counted(record: Mapping[str, Any]) -> dict[str, Any]:
    used = as_dict(record.get("modelUsage"))
    counted: dict[str, list[int]] = {}
    for name, one in used.items():
        told = as_dict(one)
        read, stored = (
            tokens(told.get("cacheReadInputTokens")),
            tokens(told.get("cacheCreationInputTokens")),
        )
        sums = counted.setdefault(_short_name(name), [0] * 4)
        prompt = tokens(told.get("inputTokens")) + read + stored
        found = (prompt, read, stored, tokens(told.get("outputTokens")))
        sums[:] = [a + b for a, b in zip(sums, found, strict=True)]
    cost = record.get("totalCostUSD")
    known = isinstance(cost, int | float) and record.get("hasUnknownModelCost") is False
    return {"counted": counted, "cost": cost if known else None}


def spent(record: Mapping[str, Any]) -> Spent | None:
    """Return what the request cost whose reply this is; None when it is the reply of no model."""
    message = record.get("message")
    if record.get("type") != "assistant" or not isinstance(message, dict):
        return None
    usage, model = message.get("usage"), as_text(message.get("model"))
    if not isinstance(usage, dict) or model == SYNTHETIC:
        return None
    prompt, read, stored = prompt_tokens(usage)
    cost = record.get("costUSD")  # by versions before 1.1
    return Spent(
        at=seconds(record.get("timestamp")),
        id=_identity(record, message),
        model=_short_name(model),
        input_tokens=prompt,
        cached_tokens=read,
        output_tokens=tokens(usage.get("output_tokens")),
        written_tokens=stored,
        cost_usd=float(cost) if isinstance(cost, int | float) else None,
    )


@lru_cache(256)
def _short_name(model: str) -> str:
    return one_line(model_name(model))


def _identity(record: Mapping[str, Any], message: Mapping[str, Any]) -> str:
    """Return the provider's id, or one that a copy of the record in another file has as well."""
    plain = message.get("id")
    if isinstance(plain, str) and len(plain) <= 200 and plain.isidentifier():
        return plain  # as all of them are
    for stated in (plain, record.get("requestId"), record.get("uuid")):
        if as_text(stated):
            return one_line(as_text(stated))
    usage = as_dict(message.get("usage"))
    said = prompt_tokens(usage), tokens(usage.get("output_tokens"))
    seen = repr((as_text(record.get("timestamp")), as_text(message.get("model")), said))
    return hashlib.sha256(seen.encode(errors="replace")).hexdigest()[:32]
