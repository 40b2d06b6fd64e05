"""Ways to read the recorded rollouts, for the tests."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from abreast.agents.codex import records
from abreast.agents.codex.records import MARKS, Events, Spending, read
from abreast.model.transcript import (
    Spent,
    Transcript,
)
from tests.recordings.record_codex import FIXTURES, RECORDS
from tests.support.transcripts import finder

find = finder(records)

NAMES = sorted(RECORDS)
MISSING = "requests are missing; what the total says of them is counted as one"
ANY = Path("rollout-any.jsonl")


def files(name: str) -> list[Path]:
    return list(find({"CODEX_HOME": str(FIXTURES / name)}))


def session(name: str) -> Transcript:
    """The first session of a fixture; its sub-agents and forks began later."""
    return read(files(name)[0])


def wire(name: str) -> list[dict[str, Any]]:
    stated: list[dict[str, Any]] = json.loads((FIXTURES / name / "wire.json").read_text())
    return stated


Request = tuple[str, int, int, int, int]


def stated(ones: Iterable[dict[str, Any]]) -> list[Request]:
    return sorted((o["model"], o["input"], o["cached"], o["written"], o["output"]) for o in ones)


def counts(spent: Iterable[Spent]) -> list[Request]:
    return sorted(
        (s.model, s.input_tokens, s.cached_tokens, s.written_tokens, s.output_tokens) for s in spent
    )


def fast(given: Iterable[bytes], spending: Spending | None = None) -> list[Spent]:
    spending = spending or Spending(ANY)
    return [s for line in given if any(m in line for m in MARKS) for s in spending.feed(line)]


def slow(given: Iterable[bytes], events: Events | None = None) -> list[Any]:
    events = events or Events(ANY)
    return [event for line in given for event in events.feed(line)]


def once(spent: Iterable[Spent]) -> list[Spent]:
    return list({one.id: one for one in spent}.values())


def record(kind: str, payload: Any, **more: Any) -> bytes:
    line = {"timestamp": "2026-01-02T03:04:05.678Z", "type": kind, "payload": payload, **more}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def older(given: Iterable[bytes]) -> list[bytes]:
    """A rollout as before there were records of single responses."""
    return [line for line in given if b'"type":"token_usage_record"' not in line]


META = record("session_meta", {"id": "s", "cli_version": "0.60.0"})
