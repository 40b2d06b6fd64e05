"""Recorded transcripts of Claude Code, made-up ones, and what is read out of them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from abreast.agents.claude import records
from abreast.agents.claude.records import MARKS, Events, Spending, read
from abreast.model.transcript import Spent, Transcript
from tests.recordings.record_claude import FIXTURES, PLACE, RECORDINGS, session_id
from tests.support import transcripts as reading
from tests.support.transcripts import finder

find = finder(records)

NAMES = sorted(RECORDINGS)
WORK = str(PLACE / "work")
SESSION = "0b5a1c1e-1111-4111-8111-123456789abc"
UNREAD = "1 replies could not be read, whose usage is missing"


def files(name: str) -> list[Path]:
    return list(find({"CLAUDE_CONFIG_DIR": str(FIXTURES / name)}))


def session(name: str, of: str = "") -> Transcript:
    (path,) = [path for path in files(name) if path.stem == session_id(of or name)]
    return read(path)


def wire(folder: Path) -> list[dict[str, Any]]:
    stated: list[dict[str, Any]] = json.loads((folder / "wire.json").read_text())
    return [one for one in stated if not one.get("lost")]


def counts(stated: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Requests in no order: subagents ask at the same time."""
    keys = ("model", "input", "cached", "written", "output")
    return sorted(
        tuple(one[key] for key in keys)
        if isinstance(one, dict)
        else (
            *(one.model, one.input_tokens, one.cached_tokens),
            *(one.written_tokens, one.output_tokens),
        )
        for one in stated
    )


def fast(lines: Iterable[bytes]) -> list[Spent]:
    spending = Spending(Path("any.jsonl"))
    return [s for line in lines if any(m in line for m in MARKS) for s in spending.feed(line)]


def slow(lines: Iterable[bytes], events: Events | None = None) -> list[Any]:
    events = events or Events(Path("any.jsonl"))
    return [event for line in lines for event in events.feed(line)]


def everybody(transcript: Transcript) -> list[Transcript]:
    return [transcript, *(one for child in transcript.children for one in everybody(child))]


def shape(transcript: Transcript) -> list[tuple[Any, ...]]:
    """Calls with what came of them, whichever the folder."""
    return [
        (kind, subject.replace(f"{WORK}/", ""), len(paths), failed, code)
        for kind, subject, paths, failed, code in reading.shape(transcript)
    ]


def line(kind: str = "assistant", **more: Any) -> bytes:
    head = {"parentUuid": None, "type": kind, "sessionId": SESSION, "cwd": "/w"}
    stamp = {"timestamp": "2026-01-02T03:04:05.678Z", "uuid": "u1"}
    return json.dumps({**head, **stamp, **more}, separators=(",", ":")).encode() + b"\n"


def reply(identity: str = "m1", tokens: int = 7, **more: Any) -> bytes:
    usage = {"input_tokens": 100, "cache_read_input_tokens": 10, "output_tokens": tokens}
    message = {"id": identity, "model": "claude-x", "stop_reason": "end_turn", "usage": usage}
    return line(message={**message, "content": [{"type": "text", "text": "hi"}], **more})


def write(path: Path, *lines: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(lines))
    return path
