"""The gate's cache and index: kept by commit, made again when broken, found by words."""

import sqlite3
from pathlib import Path

import pytest

from abreast.model.history import Change, ChangedFile, ChangeKind, Hunk, Meeting, MeetingOutcome
from abreast.store.gate_cache import open_gate_cache
from abreast.store.gate_index import BY_NAME, GateIndex

CHANGE = Change(
    "c1", "c0", 5, "Ada", "ü", (ChangedFile("a", ChangeKind.ADDED, 7, (Hunk(1, 0, 2, "f"),)),)
)
MEETING = Meeting("c0", "c1", MeetingOutcome.ONE, ("a",), ("a",))


def test_what_was_kept_is_there_the_next_time(tmp_path: Path) -> None:
    file = tmp_path / "state" / "gate.db"
    with open_gate_cache(file) as cache:
        cache.add_changes([CHANGE], {"c1"})
        cache.add_meetings([("c0", "c1"), ("c0", "c2")], [MEETING])
    with open_gate_cache(file) as cache:
        assert cache.changes(["c1", "unknown"]) == ({"c1": CHANGE}, {"c1"})
        assert cache.meetings(["c1", "c2"]) == {("c0", "c1"): MEETING, ("c0", "c2"): None}


def test_a_file_that_is_no_database_is_made_again(tmp_path: Path) -> None:
    file = tmp_path / "gate.db"
    file.write_bytes(b"no database at all" * 1000)
    with open_gate_cache(file) as cache:
        cache.add_changes([CHANGE], ())
        assert cache.changes(["c1"])[0] == {"c1": CHANGE}


def test_a_file_of_another_version_is_made_again(tmp_path: Path) -> None:
    file = tmp_path / "gate.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE change (id)")
        other.execute("PRAGMA user_version = 999")
    other.close()
    with open_gate_cache(file) as cache:
        assert cache.changes(["c1"]) == ({}, set())


def test_few_digests_are_kept(tmp_path: Path) -> None:
    with open_gate_cache(tmp_path / "gate.db") as cache:
        for number in range(30):
            cache.keep_digest(f"k{number}", b"d%d" % number)
        assert cache.digest("k29") == b"d29"
        assert cache.digest("k0") is None


def test_two_at_once_make_it_together(tmp_path: Path) -> None:
    file = tmp_path / "gate.db"
    with open_gate_cache(file) as one, open_gate_cache(file) as other:
        one.add_changes([CHANGE], ())
        other.add_changes([CHANGE], ())
        assert other.changes(["c1"])[0] == {"c1": CHANGE}


@pytest.fixture
def index(tmp_path: Path):
    with open_gate_cache(tmp_path / "gate.db") as cache:
        yield GateIndex(cache.connection)


def words(path: str) -> str:
    return path.replace("/", " ").replace(".", " ")


def test_paths_and_changes_are_found_by_any_of_the_words(index: GateIndex) -> None:
    index.set_paths("t1", ["src/http.py", "docs/a.md"], words)
    index.add_changes(
        [("c1", "retry http", {"src/http.py": ""}), ("c2", "docs", {"docs/a.md": ""})]
    )
    assert [path for path, _ in index.find_paths(["http", "unknown"])] == ["src/http.py"]
    assert [one.paths for one in index.find_changes(["retry"])] == [("src/http.py",)]
    assert index.missing(["c1", "c3", "c2"]) == ["c3"]


def test_paths_come_and_go_with_the_tree(index: GateIndex) -> None:
    index.set_paths("t1", ["a.py", "b.py"], words)
    index.set_paths("t2", ["b.py", "c.py"], words)
    assert sorted(path for path, _ in index.find_paths(["py"])) == ["b.py", "c.py"]


def test_a_path_is_found_by_what_was_done_to_it_and_not_by_that_alone(index: GateIndex) -> None:
    index.set_paths("t1", ["a.py", "b.py"], words)
    index.add_changes([("c1", "connect", {"a.py": "Socket", "gone.py": ""})])
    index.add_changes([("c2", "close", {"a.py": ""}), ("c1", "again", {"b.py": ""})])
    for word in ("connect", "close", "socket"):
        assert [path for path, _ in index.find_paths([word])] == ["a.py"]
    assert index.find_paths(["again"]) == []
    assert [score for _, score in index.find_paths(["connect"], BY_NAME)] == [0.0]


def test_odd_words_are_no_query_language(index: GateIndex) -> None:
    index.set_paths("t1", ["a.py"], words)
    assert index.find_paths(['"', "NEAR(", "z*", "", "OR"]) == []
    assert index.find_paths([]) == index.find_changes([]) == []
    assert index.find_paths(["word"] * 100_000) == []


def test_the_same_tree_is_not_looked_at_again(index: GateIndex) -> None:
    index.set_paths("t1", ["a.py"], words)
    index.set_paths("t1", ["b.py"], words)
    assert [path for path, _ in index.find_paths(["py"])] == ["a.py"]
    index.drop_paths(["a.py"])
    index.set_paths("t1", ["b.py"], words)
    assert [path for path, _ in index.find_paths(["py"])] == ["b.py"]


def test_a_word_that_most_files_have_finds_them_only_by_itself(index: GateIndex) -> None:
    index.set_paths("t1", ["src/a.py", "src/b.py", "src/c.py"], words)
    assert [path for path, _ in index.find_paths(["src", "b"])] == ["src/b.py"]
    assert len(index.find_paths(["src"])) == 3
