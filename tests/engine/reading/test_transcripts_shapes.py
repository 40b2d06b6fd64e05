"""Records of a shape that no version has had: any JSON in the place of any value of a real one.

Whoever reads them finds values of the types that are promised, and the rest stays right.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from abreast import api
from abreast.agents import records_of
from abreast.agents.codex.rollout import load_rollout
from abreast.agents.gemini.records_usage import replies, resumable
from tests.support.recorded_homes import (
    FIXTURES,
    PLACE,
    counts,
    install,
    make_places,
    recordings,
    total,
    wire,
)
from tests.support.shapes import distinct, misfits, mutations
from tests.support.transcripts import finder

AGENTS = ("claude", "codex", "gemini")


def recorded(agent: str, name: str = "") -> Iterator[Any]:
    for one in [name] if name else recordings(agent):
        for path in sorted((FIXTURES / agent / one).rglob("*.jsonl")):
            for line in path.read_bytes().splitlines():
                try:
                    yield json.loads(line)
                except ValueError:  # torn, as some are
                    continue


def written(record: Any) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize("agent", AGENTS)
def test_any_value_in_the_place_of_any_other(agent: str) -> None:
    records = records_of(agent)
    events, spending = records.Events(Path("any.jsonl")), records.Spending(Path("any.jsonl"))
    count = 0
    for record in distinct(recorded(agent)):
        for changed in mutations(record):
            line = written(changed)
            for found in (*events.feed(line), *spending.feed(line)):
                assert misfits(found) == [], changed
            count += 1
        list(events.feed(written(record)))
        list(spending.feed(written(record)))
    assert count > 5_000
    assert events.skipped > 200


@pytest.mark.parametrize("agent", AGENTS)
def test_files_of_odd_records_are_read_to_their_end(tmp_path: Path, agent: str) -> None:
    """By all that reads files: the ledger, doctor, a handoff, and what judges a session."""
    home = tmp_path / "home"
    install(home, agent, "plain")
    [path] = finder(records_of(agent))({"HOME": str(home)}, ())
    first, *rest = path.read_bytes().splitlines(keepends=True)
    odd = b"".join(
        written(one) for record in map(json.loads, [first, *rest]) for one in _odd(record)
    )
    path.write_bytes(first + odd + b"".join(rest))
    places, environ = make_places(home), {"HOME": str(home)}
    assert api.ledger(places=places, environ=environ).total.requests >= 3
    assert api.doctor(places=places, environ=environ).sessions == 1
    made = api.handoff(str(path), places=places, environ=environ)
    assert made.text.startswith("# Current work")
    session = records_of(agent).read(path).session
    if agent == "codex":
        rollout = load_rollout(home / PLACE[agent], session)
        assert rollout is not None
        assert misfits(rollout.usage) == misfits(rollout.own) == []
    elif agent == "gemini":
        assert len(replies(home, session, "2026-01-01T00:00:00Z")) >= 3
        assert not resumable(home, session, tmp_path)


def _odd(record: Any) -> Iterator[Any]:
    return (one for one in mutations(record) if isinstance(one, dict))


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("key", ["type", "status", "id"])
@pytest.mark.parametrize("value", [["completed"], {"state": "completed"}])
def test_what_one_odd_record_says_is_left_out_and_no_more(
    tmp_path: Path, agent: str, key: str, value: Any
) -> None:
    """It stands beside the good one, as that of a later version would."""
    install(tmp_path, agent, "plain")
    [path] = finder(records_of(agent))({"HOME": str(tmp_path)}, ())
    lines = []
    for line in path.read_bytes().splitlines(keepends=True):
        record = json.loads(line)
        lines.append(line)
        if not any(word in line for word in (b'"usage"', b'"tokens"', b"token_", b"session")):
            lines.append(written(_changed(record, key, value)))
    path.write_bytes(b"".join(lines))
    found = api.ledger(places=make_places(tmp_path), environ={"HOME": str(tmp_path)})
    assert counts(found.total) == total(wire(agent, "plain"))


def _changed(value: Any, key: str, new: Any) -> Any:
    if isinstance(value, dict):
        return {k: new if k == key else _changed(v, key, new) for k, v in value.items()}
    return [_changed(one, key, new) for one in value] if isinstance(value, list) else value
