"""Lines of tens of megabytes lose nothing and break nothing; many lines take no more memory."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import abreast
from abreast.engine.reading.transcripts import find_transcripts, open_transcript
from abreast.model.transcript import Returned, Said
from tests.support.recorded_homes import counts, install, make_places, total, wire

_MEGABYTES = 50
_AT = "2026-11-22T19:00:00.000Z"


def _claude(text: str) -> object:
    block = {"type": "tool_result", "tool_use_id": "huge", "content": text}
    return {"type": "user", "timestamp": _AT, "message": {"role": "user", "content": [block]}}


def _codex(text: str) -> object:
    payload = {"type": "function_call_output", "call_id": "huge", "output": text}
    return {"timestamp": _AT, "type": "response_item", "payload": payload}


def _gemini(text: str) -> object:
    return {"id": "huge", "timestamp": _AT, "type": "user", "content": [{"text": text}]}


@pytest.mark.parametrize("line", [_claude, _codex, _gemini])
def test_a_line_of_fifty_megabytes(tmp_path: Path, line: Callable[[str], object]) -> None:
    agent = line.__name__.removeprefix("_")
    install(tmp_path, agent, "plain")
    places, environ = make_places(tmp_path), {"HOME": str(tmp_path)}
    [path] = [one.path for one in find_transcripts(places, environ)]
    first, *rest = path.read_bytes().splitlines(keepends=True)
    huge = json.dumps(line("é" * (_MEGABYTES * 2**20 // 6)), separators=(",", ":")).encode()
    assert len(huge) > _MEGABYTES * 2**20 * 0.99
    path.write_bytes(b"".join([first, huge, b"\n", *rest]))
    found = abreast.ledger(places=places, environ=environ)
    assert (counts(found.total), found.notes) == (total(wire(agent, "plain")), ())
    events = open_transcript(path, places, environ).events
    texts = [one.text for one in events if isinstance(one, Said | Returned)]
    assert max(map(len, texts)) < 10_000


_LOOK = """
import resource, sys
from pathlib import Path
import abreast
from tests.support.recorded_homes import make_places
home = Path(sys.argv[1])
found = abreast.ledger(places=make_places(home), environ={"HOME": str(home)})
print(found.total.requests, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_ten_times_as_much_takes_no_more_memory(tmp_path: Path) -> None:
    message = {"model": "claude-opus-5", "usage": {"input_tokens": 5, "output_tokens": 3}}
    peaks = []
    for number, size in enumerate((4, 40)):
        folder = tmp_path / str(number) / ".claude/projects/-w"
        folder.mkdir(parents=True)
        with (folder / "s.jsonl").open("w") as file:
            lines = 0
            while file.tell() < size * 2**20:
                lines += 1
                block = {"type": "text", "text": "x" * 4000}
                reply = message | {"id": f"m{lines}", "content": [block]}
                record = {"type": "assistant", "sessionId": "s", "timestamp": _AT}
                file.write(json.dumps(record | {"message": reply}, separators=(",", ":")) + "\n")
        argv = [sys.executable, "-c", _LOOK, str(tmp_path / str(number))]
        done = subprocess.run(argv, capture_output=True, check=True, text=True, env=os.environ)
        requests, peak = map(int, done.stdout.split())
        assert requests == lines
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 20
