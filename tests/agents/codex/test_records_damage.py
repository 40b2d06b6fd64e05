"""Rollouts that are torn, mixed, corrupt or hostile: never a crash, nor a wrong total untold."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abreast.agents.codex.records import (
    MARKS,
    Events,
    Spending,
    read,
)
from abreast.agents.recorded import KEPT
from abreast.model.transcript import (
    Spent,
)
from tests.agents.codex.reading import (
    ANY,
    META,
    MISSING,
    counts,
    fast,
    files,
    record,
    slow,
    stated,
    wire,
)
from tests.support.transcripts import lines_of, of, talk


def test_while_it_is_written(tmp_path: Path) -> None:
    """A torn last line is normal: no warning, and nothing of it counts yet."""
    (path,) = files("plain")
    given = path.read_bytes()
    marks = [given.index(b'"token_usage_record"') + n for n in (0, 30, 300)]
    for cut in marks:
        copy = tmp_path / path.name
        copy.write_bytes(given[:cut])
        torn = read(copy)
        assert (torn.skipped, torn.warnings, of(Spent, torn)) == (1, (), [])


def test_a_record_that_is_lost_is_made_up_for() -> None:
    """Its running total tells, in the same file and in the next record."""
    (path,) = files("plain")
    given = lines_of(path)
    for number, line in enumerate(given):
        if b'"type":"token_usage_record"' in line:
            spending = Spending(path)
            spent = fast([*given[:number], line[:200] + b"\n", *given[number + 1 :]], spending)
            assert counts(spent) == stated(wire("plain"))
            assert spending.skipped == 1
            assert spending.warnings
    without = [line for line in given if b'"token_count"' not in line]
    stating = [n for n, line in enumerate(without) if b'"type":"token_usage_record"' in line]
    del without[stating[3]]
    spending = Spending(path)
    total = [sum(column) for column in list(zip(*counts(fast(without, spending)), strict=True))[1:]]
    assert total == [sum(column) for column in list(zip(*stated(wire("plain")), strict=True))[1:]]
    assert spending.warnings == [MISSING]


def test_a_number_that_is_wrong_is_told() -> None:
    (path,) = files("plain")
    spending = Spending(path)
    wrong = [
        line.replace(b'"usage":{"input_tokens":13', b'"usage":{"input_tokens":93')
        for line in lines_of(path)
    ]
    assert counts(fast(wrong, spending)) != stated(wire("plain"))
    assert spending.warnings == ["a request's usage does not fit its total"]


def test_a_line_that_goes_on_behind_a_torn_one() -> None:
    (path,) = files("resumed")
    given = lines_of(path)
    half = next(n for n, line in enumerate(given) if b'"type":"token_usage_record"' in line)
    joined = [*given[:half], given[half - 1][:50] + given[half], *given[half + 1 :]]
    events = Events(path)
    assert counts(e for e in slow(joined, events) if isinstance(e, Spent)) == stated(
        wire("resumed")
    )
    assert events.warnings == ["a line was torn"]


def test_a_total_that_is_torn_before_a_request() -> None:
    (path,) = files("resumed")
    given = lines_of(path)
    total = next(line for line in given if b'"token_count"' in line)
    used = [n for n, line in enumerate(given) if b'"type":"token_usage_record"' in line][1]
    given[used] = total[:-200] + given[used]
    assert counts(fast(given)) == stated(wire("resumed"))


def test_records_of_another_session_are_told() -> None:
    (one,), (other,) = files("plain"), files("quota")
    spending = Spending(one)
    fast([*lines_of(one), *lines_of(other)[1:]], spending)
    assert spending.warnings == ["it has records of another session"]


def test_long_texts_are_cut(tmp_path: Path) -> None:
    text = "a" * 5_000_000 + "\0end"
    item = {"type": "AgentMessage", "content": [{"type": "Text", "text": text}]}
    call = {"type": "function_call_output", "call_id": "c", "output": text}
    path = tmp_path / "rollout-x.jsonl"
    path.write_bytes(
        META
        + record("event_msg", {"type": "item_completed", "item": item})
        + record("response_item", call)
    )
    _, said, returned = read(path).events
    for event in (said, returned):
        assert 2 * KEPT < len(event.text) < 2 * KEPT + 100
        assert event.text.endswith("\N{REPLACEMENT CHARACTER}end")
    assert returned.size == len(text)


def test_a_line_beyond_all_measure_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rollout-x.jsonl"
    with path.open("wb") as file:
        file.write(META + b'{"timestamp":"')
        for _ in range(80):
            file.write(b"x" * 2**20)
        file.write(b'"}\n' + record("event_msg", {"type": "user_message", "message": "on"}))
    tracemalloc.start()
    whole = read(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert talk(whole) == [(True, "on")]
    assert whole.warnings == ("line 2 is longer than 67108864 bytes: left out",)
    assert most < 200e6


def base() -> bytes:
    return b"".join(b"".join(lines_of(path)) for path in files("code_mode"))


BASE = base()
OTHER = lines_of(files("subagents")[2])
USED = stated(wire("code_mode"))
HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = (
    *("type", "item", "id", "call_id", "name", "namespace", "arguments", "input", "output"),
    *("usage", "thread_token_usage", "info", "total_token_usage", "last_token_usage", "content"),
    *("source", "git", "error", "reason", "message", "changes", "command", "plan", "action"),
    *("thread_id", "turn_id", "response_id", "receiver_thread_ids", "result", "exit_code"),
)


def survives(given: bytes) -> None:
    """Neither reader raises, and they agree."""
    spending, events = Spending(ANY, copies=True), Events(ANY)
    parts = given.splitlines(keepends=True)
    told = slow(parts, events)
    found = [spent for line in parts for spent in spending.feed(line)]
    assert [e for e in told if isinstance(e, Spent)] == found
    assert set(spending.warnings) <= set(events.warnings)
    repr(told).encode()  # there is nothing in it that cannot be written down
    if "".join(spending.warnings) == "":
        for spent in found:
            assert spent.input_tokens >= 0
            assert spent.output_tokens >= 0


quickly = settings(max_examples=60, database=None)


@quickly
@given(st.integers(0, len(BASE)))
def test_truncated(cut: int) -> None:
    spending = Spending(ANY)
    given = BASE[:cut].splitlines(keepends=True)
    survives(BASE[:cut])
    assert not set(counts(fast(given, spending))) - set(USED)
    assert spending.warnings == []


@quickly
@given(st.lists(st.tuples(st.integers(0, len(BASE) - 1), st.integers(0, 255)), max_size=30))
def test_corrupted(changes: list[tuple[int, int]]) -> None:
    given = bytearray(BASE)
    for place, byte in changes:
        given[place] = byte
    survives(bytes(given))


def test_a_damaged_byte_in_a_count_that_is_not_needed_is_seen_by_both_readers() -> None:
    assert BASE.count(b'"turn_token_usage":{"input') > 1
    survives(BASE.replace(b'"turn_token_usage":{"input', b'"turn_token_usage":{"in\xf9ut'))


@quickly
@given(st.randoms(use_true_random=False))
def test_interleaved(chance: Any) -> None:
    mixed = [*BASE.splitlines(keepends=True), *OTHER]
    order = sorted(range(len(mixed)), key=lambda _: chance.random())
    survives(b"".join(mixed[place] for place in order))


@quickly
@given(
    st.sampled_from(list(BASE.splitlines())),
    st.lists(st.tuples(st.sampled_from(FIELDS), HOSTILE), min_size=1, max_size=4),
)
def test_hostile_values(line: bytes, changes: list[tuple[str, Any]]) -> None:
    value = json.loads(line)
    places = [value, value["payload"], value["payload"].get("item"), value["payload"].get("info")]
    for name, what in changes:
        for place in places:
            if isinstance(place, dict) and name in place:
                place[name] = what
    survives(META + json.dumps(value).encode() + b"\n" + BASE[-5000:])


@quickly
@given(st.binary(max_size=400))
def test_anything(given: bytes) -> None:
    survives(given)


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"event_msg","payload":' + b"[" * 200_000 + b"\n",
        b'{"type":"event_msg","payload":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}\n",
        rb'{"type":"\ud800","payload":' + b"[" * 200_000 + b"\n",
        rb'{"type":"event_msg","payload":{"type":"user_message","message":"\ud83d half"}}' + b"\n",
        b'{"type":"event_msg","payload":{"type":"user_message","message":"\xff\xfe"}}\n',
        b"\0" * 1000 + b"\n",
        b'{"type":"token_usage_record","payload":{"usage":{"input_tokens":1e999}}}\n',
        b'{"type":"token_usage_record","payload":{"usage":{"input_tokens":-5}}}\n',
        b'{"type":"token_usage_record","payload":{"usage":{"input_tokens":' + b"9" * 400 + b"}}}\n",
        b'{"type":"token_usage_record","payload":{"usage":{"input_tokens":true}}}\n',
        b'[{"type":"token_count"}]\n',
        b'"token_count"\n',
    ],
)
def test_odd_lines(line: bytes) -> None:
    survives(META + line + BASE[-5000:])
    events = Events(ANY)
    slow([line], events)
    marked = any(mark in line for mark in MARKS)
    assert events.skipped == (0 if b"half" in line else 1)
    assert bool(events.warnings) is marked
