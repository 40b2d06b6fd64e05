"""Recorded transcripts of Gemini CLI, made-up lines, and what is read out of them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from abreast.agents.gemini import records
from abreast.agents.gemini.records import MARKS, Events, Spending, read
from abreast.model.transcript import (
    Spent,
    Transcript,
)
from tests.recordings.record_gemini import FIXTURES, RECORDINGS
from tests.support.transcripts import finder

find = finder(records)

NAMES = sorted(RECORDINGS)
SUMMARY_COST = "the history was summarised: the CLI does not record what the summary cost"
UNREAD = "a record could not be read: it may have stated usage"
CUT_OFF = "the model did not answer"


def files(name: str) -> list[Path]:
    return list(find({"GEMINI_CLI_HOME": str(FIXTURES / name)}))


def session(name: str) -> Transcript:
    """The session of a fixture that has one file for it."""
    (path,) = [p for p in files(name) if p.parent.name == "chats"]
    return read(path)


def wire(name: str) -> list[dict[str, Any]]:
    stated: list[dict[str, Any]] = json.loads((FIXTURES / name / "wire.json").read_text())
    return stated


def counts(stated: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Requests in no order: subagents ask at the same time."""
    return sorted(
        (one["model"], one["input"], one["cached"], one["output"])
        if isinstance(one, dict)
        else (one.model, one.input_tokens, one.cached_tokens, one.output_tokens)
        for one in stated
    )


def fast(lines: Iterable[bytes], spending: Spending | None = None) -> list[Spent]:
    spending = spending or Spending(Path("any.jsonl"))
    return [s for line in lines if any(m in line for m in MARKS) for s in spending.feed(line)]


def slow(lines: Iterable[bytes], events: Events | None = None) -> list[Any]:
    events = events or Events(Path("any.jsonl"))
    return [event for line in lines for event in events.feed(line)]


HEADER = (
    b'{"sessionId":"s","projectHash":"h","startTime":"2026-11-22T19:00:00.000Z","kind":"main"}\n'
)


def said(name: str, whose: str, content: Any = "", **more: Any) -> bytes:
    stamp = "2026-11-22T19:00:01.000Z"
    message = {"id": name, "timestamp": stamp, "type": whose, "content": content, **more}
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def call(name: str, output: Any, **more: Any) -> bytes:
    result = [{"functionResponse": {"name": name, "response": output}}]
    made = {"id": "c", "name": name, "args": {}, "result": result, "status": "success", **more}
    return said("m", "gemini", toolCalls=[made])
