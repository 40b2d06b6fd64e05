"""Which files of Codex are found, opened and read, and which never are."""

import gzip
import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from abreast.agents.codex import records
from abreast.agents.codex.records import children, open_record, read, roots
from abreast.agents.codex.rollout import find_rollout
from tests.agents.codex.reading import files, record
from tests.support.transcripts import finder

find = finder(records)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def test_where_they_lie(tmp_path: Path) -> None:
    home = tmp_path / ".codex"
    assert roots({"HOME": str(tmp_path)}) == (home / "sessions", home / "archived_sessions")
    assert list(find({"HOME": str(tmp_path)})) == []
    day = home / "sessions/2026/11/22"
    day.mkdir(parents=True)
    (home / "archived_sessions").mkdir()
    private = tmp_path / "private"
    (private / "sessions").mkdir(parents=True)
    kept = [
        day / "rollout-1.jsonl",
        day / "rollout-2.jsonl.zst",
        home / "archived_sessions/rollout-3.jsonl.gz",
        private / "sessions/rollout-4.jsonl",
    ]
    others = [day / "notes.jsonl", day / "rollout-5.json", private / "rollout-6.jsonl"]
    for path in (*kept, *others):
        path.write_bytes(b"")
    (day / "rollout-7.jsonl").mkdir()
    os.mkfifo(day / "rollout-8.jsonl")
    assert list(find({"CODEX_HOME": str(home)}, [private, private, tmp_path / "none"])) == kept


def test_no_link_is_followed(tmp_path: Path, opened: list[str]) -> None:
    day = tmp_path / "sessions/2026/11/22"
    day.mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.mkdir()
    parent = shutil.copy(files("subagents")[0], day)
    for number, path in enumerate(files("subagents")[1:]):
        outside = secret / path.name
        shutil.copy(path, outside)
        (day / path.name).symlink_to(outside)
        (tmp_path / f"sessions/2026/11/{number}").symlink_to(secret)
    (day / "loop").symlink_to(tmp_path / "sessions")
    opened.clear()
    assert list(find({"CODEX_HOME": str(tmp_path)})) == [Path(parent)]
    assert children(Path(parent)) == []
    assert read(Path(parent)).children == ()
    assert not [name for name in opened if "secret" in name]


def test_no_later_day_that_is_a_link_is_looked_into(tmp_path: Path, opened: list[str]) -> None:
    day, secret = tmp_path / "sessions/2026/11/22", tmp_path / "secret"
    day.mkdir(parents=True)
    secret.mkdir()
    parent = Path(shutil.copy(files("subagents")[0], day))
    for path in files("subagents")[1:]:
        shutil.copy(path, secret)
    (day.parent / "23").symlink_to(secret)
    later = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
    os.utime(parent, (later, later))
    opened.clear()
    assert children(parent) == []
    assert not [name for name in opened if "secret" in name]
    (day.parent / "23").unlink()
    secret.rename(day.parent / "23")
    assert len(children(parent)) == len(files("subagents")) - 1


def test_no_name_in_a_record_is_opened(tmp_path: Path, opened: list[str]) -> None:
    day = tmp_path / "sessions/2026/11/22"
    day.mkdir(parents=True)
    away = "../../../../../etc/passwd\0"
    path = day / "rollout-2026-11-22T00-00-00-x.jsonl"
    meta = {"id": away, "parent_thread_id": away, "forked_from_id": away, "cwd": away}
    item = {"type": "CollabAgentToolCall", "id": "c", "receiver_thread_ids": [away]}
    path.write_bytes(
        record("session_meta", {**meta, "history_base": {"thread_id": away}, "rollout_path": away})
        + record("event_msg", {"type": "item_completed", "item": item})
    )
    # It says that it is its own parent, and so does another.
    shutil.copy(path, day / "rollout-2026-11-22T00-00-01-y.jsonl")
    opened.clear()
    transcript = read(path)
    assert transcript.session == transcript.parent == away
    assert transcript.children == ()
    assert {Path(name).resolve().parent for name in opened} <= {day, day.parent}


def test_a_cycle_of_parents_ends(tmp_path: Path) -> None:
    day = tmp_path / "sessions/2026/11/22"
    day.mkdir(parents=True)
    for number in range(4):
        ids = {"id": f"s{number}", "parent_thread_id": f"s{(number - 1) % 4}"}
        path = day / f"rollout-2026-11-22T00-00-0{number}-s{number}.jsonl"
        path.write_bytes(record("session_meta", ids))
    transcript = read(day / "rollout-2026-11-22T00-00-00-s0.jsonl")
    seen = []
    while transcript.children:
        (transcript,) = transcript.children
        seen.append(transcript.session)
    assert seen == ["s1", "s2", "s3"]


@pytest.mark.parametrize(
    ("ending", "compress"), [("gz", gzip.compress), ("zst", zstd.compress)], ids=["gz", "zst"]
)
def test_compressed_records(
    tmp_path: Path, ending: str, compress: Callable[[bytes], bytes]
) -> None:
    """Codex itself compresses old ones with Zstandard."""
    (path,) = files("plain")
    packed = tmp_path / f"{path.name}.{ending}"
    packed.write_bytes(compress(path.read_bytes()))
    with open_record(packed) as file:
        assert file.read() == path.read_bytes()
    assert read(packed).events == read(path).events
    packed.write_bytes(packed.read_bytes()[:-500])
    torn = read(packed)
    assert torn.events == read(path).events[: len(torn.events)]
    assert "cannot be read beyond line" in torn.warnings[0]
    packed.write_bytes(b"not compressed")
    assert len(read(packed).warnings) == 1


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    gone = read(tmp_path / "rollout-x.jsonl")
    assert gone.events == ()
    assert len(gone.warnings) == 1
    assert children(tmp_path / "rollout-x.jsonl") == []


def test_sub_agents_are_found_where_either_was_archived(tmp_path: Path) -> None:
    day, archive = tmp_path / "sessions/2026/11/22", tmp_path / "archived_sessions"
    day.mkdir(parents=True)
    archive.mkdir()
    first, second = (f"rollout-2026-11-22T00-00-0{n}-s{n}.jsonl" for n in range(2))
    (day / first).write_bytes(record("session_meta", {"id": "s0"}))
    (day / second).write_bytes(record("session_meta", {"id": "s1", "parent_thread_id": "s0"}))
    assert children(day / first) == [day / second]
    (day / second).rename(archive / second)
    assert children(day / first) == [archive / second]
    (day / first).rename(archive / first)
    assert children(archive / first) == [archive / second]
    (archive / second).rename(day / second)
    assert children(archive / first) == [day / second]


def test_the_record_of_a_session_is_found_where_it_was_put_away(tmp_path: Path) -> None:
    archive, name = tmp_path / "archived_sessions", "rollout-2026-11-22T00-00-00-s0.jsonl"
    archive.mkdir()
    (archive / f"{name}.gz").write_bytes(gzip.compress(record("session_meta", {"id": "s0"})))
    assert find_rollout(tmp_path, "s0") is None
    assert find_rollout(tmp_path, "s0", archived=True) == archive / f"{name}.gz"
