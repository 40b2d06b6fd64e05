"""What each model request used, from the lines of Claude Code's record alone."""

import hashlib
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
from abreast.agents.recorded import one_line, seconds
from abreast.model.transcript import Spent

MARKS: tuple[bytes, ...] = (b'"usage":{',)
"""A line without any of these carries no usage. In a text the quotes would be escaped."""


class Spending:
    """Reads the usage out of one file's lines that have a mark, and nothing else.

    A reply is recorded once for each of its parts, each time with the same id and usage; a fork
    repeats the replies it starts from with their ids. Subagents have files of their own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def feed(self, line: bytes) -> Iterable[Spent]:
        record, _ = load(line)
        found = spent(record) if record else None
        return () if found is None else (found,)


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
    for stated in (message.get("id"), record.get("requestId"), record.get("uuid")):
        if as_text(stated):
            return one_line(as_text(stated))
    usage = as_dict(message.get("usage"))
    said = prompt_tokens(usage), tokens(usage.get("output_tokens"))
    seen = repr((as_text(record.get("timestamp")), as_text(message.get("model")), said))
    return hashlib.sha256(seen.encode(errors="replace")).hexdigest()[:32]
