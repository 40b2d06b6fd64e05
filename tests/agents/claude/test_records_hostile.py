"""Transcripts of Claude Code as nobody should write them: torn, forged, huge, and noise."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abreast.agents import recorded
from abreast.agents.claude import records
from abreast.agents.claude.records import Events, children, read, roots
from abreast.model.transcript import (
    Begun,
    Called,
    Spent,
)
from tests.agents.claude.reading import (
    SESSION,
    UNREAD,
    everybody,
    fast,
    files,
    line,
    reply,
    slow,
    write,
)
from tests.support.transcripts import finder, lines_of, of, watching

find = finder(records)


def test_a_torn_last_line_is_normal(tmp_path: Path) -> None:
    path = write(tmp_path / f"{SESSION}.jsonl", reply("m1"), reply("m2")[:-9])
    found = read(path)
    assert [s.id for s in of(Spent, found)] == ["m1"]
    assert (found.skipped, found.warnings) == (1, ())


def test_a_line_that_was_torn_and_written_on_is_told() -> None:
    events = Events(Path("any.jsonl"))
    found = slow([reply("m1")[:-9] + reply("m2")], events)
    assert [e.id for e in found if isinstance(e, Spent)] == ["m2"]
    assert (events.skipped, events.warnings) == (1, [UNREAD])


def test_a_reply_without_usage_is_told() -> None:
    events = Events(Path("any.jsonl"))
    slow([line(message={"id": "m", "model": "claude-x", "content": []})], events)
    assert events.warnings == [UNREAD]


def test_what_another_version_writes_is_counted() -> None:
    events = Events(Path("any.jsonl"))
    slow([line("hologram"), b"[1]\n", b"null\n", b"\n", b"\0\0\0\n", b"{}\n"], events)
    assert events.skipped == 5
    assert events.warnings == []


def test_a_line_beyond_all_measure_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded.record_lines, "__defaults__", (50_000,))
    long = line("user", message={"content": "x" * 200_000})
    found = read(write(tmp_path / f"{SESSION}.jsonl", reply("m1"), long, reply("m2")))
    assert [s.id for s in of(Spent, found)] == ["m1", "m2"]
    assert found.warnings == ("line 2 is longer than 50000 bytes: left out",)


def test_five_megabytes_and_deep_nesting(tmp_path: Path) -> None:
    big = line("user", message={"content": "x" * 5_000_000})
    deep = b'{"type":"user","message":' + b"[" * 900 + b"]" * 900 + b"}\n"
    deeper = b'{"type":"user","message":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    nested: Any = "x"
    for _ in range(500):
        nested = [nested]
    block = {"type": "tool_use", "name": "Bash", "input": {"command": nested, "path": nested}}
    odd = reply("m2", content=[block])
    found = read(write(tmp_path / f"{SESSION}.jsonl", big, deep, deeper, reply("m1"), odd))
    assert [s.id for s in of(Spent, found)] == ["m1", "m2"]
    assert found.skipped == 1
    assert of(Called, found)[0].subject == "…"


def test_no_link_and_no_pipe_is_opened(tmp_path: Path) -> None:
    root, out = tmp_path / "projects", tmp_path / "out"
    write(root / "-w" / f"{SESSION}.jsonl", reply("m1"))
    secret = write(out / "subagents" / "agent-a1.jsonl", reply("m2"))
    write(out / "agent-a2.jsonl", reply("m3"))
    (root / "-w" / "stolen.jsonl").symlink_to(secret)
    (root / "-v").symlink_to(out)
    (root / "-w" / SESSION).symlink_to(out)
    os.mkfifo(root / "-w" / "pipe.jsonl")
    with watching() as opened:
        (path,) = find({"CLAUDE_CONFIG_DIR": str(tmp_path)})
        assert [s.id for one in everybody(read(path)) for s in of(Spent, one)] == ["m1"]
        for odd in ("stolen.jsonl", "pipe.jsonl", "none.jsonl", "nul\0.jsonl"):
            assert read(root / "-w" / odd).warnings[0].startswith("cannot be read beyond line 0: ")
    assert str(path) in opened
    assert not [one for one in opened if "out" in Path(one).parts]


@pytest.mark.parametrize("hostile", ["../../../out/agent-x", "/etc/passwd", "a\0b", "x" * 5000])
def test_no_path_is_taken_from_a_record(tmp_path: Path, hostile: str) -> None:
    folder = tmp_path / "projects" / "-w"
    write(tmp_path / "out" / "agent-x.jsonl", reply("m9"))
    told = {"agentId": hostile, "outputFile": hostile}
    block = {"type": "tool_result", "tool_use_id": "t", "content": "x"}
    main = line("user", message={"content": [block]}, toolUseResult=told, sessionId=hostile)
    path = write(folder / f"{SESSION}.jsonl", main, reply("m1"))
    child = write(folder / SESSION / "subagents" / "agent-a1.jsonl", reply("m2"))
    about = {"parentAgentId": hostile, "toolUseId": [hostile]}
    child.with_suffix(".meta.json").write_text(json.dumps(about))
    with watching() as seen:
        found = read(path)
    assert [s.id for one in everybody(found) for s in of(Spent, one)] == ["m1", "m2"]
    assert str(path) in seen
    assert [one for one in seen if not Path(one).resolve().is_relative_to(folder)] == []


def test_names_that_no_terminal_should_see_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "-w" / "evil\x1b[2J.jsonl", reply("m1"))
    (tmp_path / "-w" / os.fsdecode(b"half\xff.jsonl")).write_bytes(reply("m2"))
    assert list(find({"CLAUDE_CONFIG_DIR": "/nowhere"}, [tmp_path])) == []


def test_parents_that_go_round_lose_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "-w" / SESSION / "subagents"
    path = write(tmp_path / "-w" / f"{SESSION}.jsonl", reply("m0"))
    for name, parent in {"a": "b", "b": "a", "c": "a", "d": "nobody", "e": "e"}.items():
        write(folder / f"agent-{name}.jsonl", reply(f"m{name}"))
        (folder / f"agent-{name}.meta.json").write_text(json.dumps({"parentAgentId": parent}))
    for number in range(40):
        write(folder / "deep" / f"agent-n{number}.jsonl", reply(f"n{number}"))
        about = json.dumps({"parentAgentId": f"n{number + 1}"})
        (folder / "deep" / f"agent-n{number}.meta.json").write_text(about)
    ids = [s.id for one in everybody(read(path)) for s in of(Spent, one)]
    assert len(ids) == len(set(ids)) == 46


def test_subagents_of_older_versions_lie_beside_their_session(tmp_path: Path) -> None:
    path = write(tmp_path / "-w" / f"{SESSION}.jsonl", reply("m1"))
    mine = write(tmp_path / "-w" / "agent-1f.jsonl", reply("m2"))
    write(tmp_path / "-w" / "agent-2f.jsonl", line(sessionId="another"))
    (child,) = read(path).children
    assert children(path) == [mine]
    assert (child.session, child.parent) == ("1f", SESSION)
    within = line("user", message={"content": "find it"}, isSidechain=True)
    assert [type(event) for event in slow([within])] == [Begun]


def test_a_copy_under_another_name_knows_its_session(tmp_path: Path) -> None:
    assert read(write(tmp_path / "transcript.jsonl", reply())).session == SESSION


def test_where_they_lie(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert roots(home)[0] == tmp_path / ".claude" / "projects"
    assert roots({**home, "CLAUDE_CONFIG_DIR": "/c"}) == (Path("/c/projects"),)
    own = write(tmp_path / ".claude" / "projects" / "-w" / "a.jsonl", b"")
    private = write(tmp_path / "p" / ".claude" / "projects" / "-w" / "b.jsonl", b"")
    bare = write(tmp_path / "bare" / "-w" / "c.jsonl", b"")
    deep = write(tmp_path / "bare" / "-w" / "c" / "subagents" / "x" / "y" / "agent-d.jsonl", b"")
    write(tmp_path / "bare" / "-w" / "c" / "tool-results" / "e.jsonl", b"")
    write(tmp_path / "bare" / "-w" / "memory.txt", b"")
    also = [tmp_path / "p", tmp_path / "bare", tmp_path / ".claude", tmp_path / "none"]
    assert list(find(home, also)) == [own, private, bare, deep]


def test_finding_opens_no_file() -> None:
    with watching() as opened:
        assert len(files("subagents")) == 3
    assert not [one for one in opened if one.endswith((".jsonl", ".json"))]


# --- fuzz -----------------------------------------------------------------------------------

SAMPLES = [
    line for name in ("plain", "todos", "forked") for p in files(name) for line in lines_of(p)
]
CHILDREN = [line for p in files("nested") for line in lines_of(p)]
FUZZ = settings(max_examples=60)


def check(lines: list[bytes]) -> None:
    """Whatever the lines: both readers agree, and all they tell can be written down."""
    events = Events(Path(f"{SESSION}.jsonl"))
    found = slow(lines, events)
    assert [event for event in found if isinstance(event, Spent)] == fast(lines)
    "".join(map(repr, found)).encode()
    json.dumps([events.warnings, events.session]).encode()
    assert events.skipped >= 0


@given(st.data())
@FUZZ
def test_truncated_and_interleaved(data: st.DataObject) -> None:
    one, other = data.draw(st.sampled_from(SAMPLES)), data.draw(st.sampled_from(CHILDREN))
    at, to = data.draw(st.integers(0, len(one))), data.draw(st.integers(0, len(other)))
    check([one[:at] + other[:to] + one[at:], other[to:], one[:at]])
    events = Events(Path("any.jsonl"))
    slow([one[:at] + other], events)
    if b'"role":"assistant"' in one[:at] and at < len(one) - 1 and b"<synthetic>" not in one:
        assert events.warnings, "a usage was lost and nobody said so"


@given(st.data())
@FUZZ
def test_corrupt_bytes(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(SAMPLES + CHILDREN)))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    check([bytes(raw)])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
@FUZZ
def test_values_of_any_kind_anywhere(data: st.DataObject) -> None:
    record_ = json.loads(data.draw(st.sampled_from(SAMPLES + CHILDREN)))
    for _ in range(data.draw(st.integers(1, 4))):
        place: Any = record_
        while isinstance(place, dict | list) and place:
            key = data.draw(
                st.sampled_from(sorted(place))
                if isinstance(place, dict)
                else st.integers(0, len(place) - 1)
            )
            if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
                place[key] = data.draw(JSON)
                break
            place = place[key]
    check([json.dumps(record_, separators=(",", ":")).encode() + b"\n"])


@given(st.binary(max_size=2000))
@FUZZ
def test_noise(raw: bytes) -> None:
    check(raw.splitlines(keepends=True))


@given(
    st.lists(st.sampled_from([b"\0", b"\xff\xfe", b"\n", b"[" * 3000, b'{"', b'":{}}']), max_size=9)
)
@FUZZ
def test_whole_files_of_noise(parts: list[bytes]) -> None:
    folder = Path(os.environ["TMPDIR"]) / "claude-noise"
    try:
        path = write(folder / "-w" / f"{SESSION}.jsonl", *parts, reply("m1"))
        write(folder / "-w" / SESSION / "subagents" / "agent-a.jsonl", b"".join(parts))
        write(folder / "-w" / SESSION / "subagents" / "agent-a.meta.json", b"".join(parts))
        found = read(path)
        assert found.session == SESSION
        assert len(of(Spent, found)) == 1 or found.warnings or found.skipped
    finally:
        shutil.rmtree(folder)
