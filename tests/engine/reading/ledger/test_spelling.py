"""The same records, spelled otherwise: scripts rewrite transcripts, and JSON can be written in many
ways. What they say was spent does not change with it."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from abreast.agents import records_of
from abreast.engine.reading.ledger.read import read, unpack
from abreast.store.transcripts import Indexed
from tests.support.recorded_homes import install, recordings
from tests.support.transcripts import finder

Rewrite = Callable[[Sequence[bytes]], list[bytes]]


def by_record(dump: Callable[[Any], str]) -> Rewrite:
    """Write each record anew, and leave alone what is none."""

    def rewrite(lines: Sequence[bytes]) -> list[bytes]:
        found = []
        for line in lines:
            try:
                found.append(dump(json.loads(line)).encode() + b"\n")
            except ValueError:
                found.append(line)
        return found

    return rewrite


def with_odd_keys(value: Any) -> str:
    """Every letter of every key and of every `type` as an escape."""
    if isinstance(value, dict):
        said = ",".join(f"{escaped(k)}:{told(k, v)}" for k, v in value.items())
        return f"{{{said}}}"
    if isinstance(value, list):
        return f"[{','.join(map(with_odd_keys, value))}]"
    return json.dumps(value)


def escaped(text: str) -> str:
    return '"' + "".join(f"\\u{ord(one):04x}" for one in text) + '"'


def told(key: str, value: Any) -> str:
    return escaped(value) if key == "type" and isinstance(value, str) else with_odd_keys(value)


def turned_round(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: turned_round(value[key]) for key in reversed(value)}
    return [turned_round(one) for one in value] if isinstance(value, list) else value


COMPACT = (",", ":")
SPELLINGS: dict[str, Rewrite] = {
    "with spaces": by_record(json.dumps),
    "in Unicode": by_record(lambda value: json.dumps(value, ensure_ascii=False)),
    "sorted": by_record(lambda value: json.dumps(value, sort_keys=True, separators=COMPACT)),
    "reversed": by_record(lambda value: json.dumps(turned_round(value), separators=COMPACT)),
    "with escapes": by_record(with_odd_keys),
    "with CRLF": lambda lines: [line.replace(b"\n", b"\r\n") for line in lines],
    "with a byte order mark": lambda lines: [b"\xef\xbb\xbf" + lines[0], *lines[1:]],
    "without its last end of line": lambda lines: [*lines[:-1], lines[-1].rstrip(b"\n")],
}


def spent(agent: str, path: Path) -> Any:
    found = read(Indexed(str(path), agent))
    assert not found.failed
    return found.row.session, found.row.cwd, unpack(found.requests, found.row.models)


@pytest.mark.parametrize("agent", ["claude", "codex", "gemini"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings(tmp_path: Path, agent: str, spelling: str) -> None:
    requests = 0
    for name in recordings(agent):
        home = tmp_path / name
        install(home, agent, name)
        for path in finder(records_of(agent))({"HOME": str(home)}, ()):
            before = spent(agent, path)
            lines = path.read_bytes().splitlines(keepends=True)
            path.write_bytes(b"".join(SPELLINGS[spelling](lines)))
            assert spent(agent, path) == before, path
            requests += len(before[2])
        shutil.rmtree(home)
    assert requests > 20
