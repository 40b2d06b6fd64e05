"""The index: only what is new is read, nothing is counted twice, nothing that was is forgotten."""

import gzip
import os
import shutil
from pathlib import Path

import pytest
from benchmarks.ledger_files import make_transcripts

import abreast
from abreast.agents import records_of
from abreast.engine.reading.ledger import cores, index
from abreast.engine.reading.ledger.cores import read_all
from abreast.engine.reading.ledger.index import refresh
from abreast.engine.reading.ledger.read import read
from abreast.engine.reading.transcripts import find_transcripts
from abreast.model.economy import By
from abreast.process import command
from abreast.store import transcripts as store
from abreast.store.transcripts import Indexed
from tests.support.deadlines import eventually
from tests.support.recorded_homes import (
    anybody,
    counts,
    install,
    locked,
    make_places,
    recordings,
    total,
    wire,
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def places(tmp_path: Path):
    return make_places(tmp_path)


def look(home, places, by=By.DAY):
    return abreast.ledger(places=places, environ={"HOME": str(home)}, by=by)


@pytest.mark.parametrize("agent", ["claude", "codex", "gemini"])
def test_a_file_that_grows_line_by_line_and_torn(home, places, agent):
    """As if the ledger had been asked for at the worst of moments, all the time."""
    source = home.parent / "source"
    install(source, agent, "plain")
    [path] = [one.path for one in find_transcripts(places, {"HOME": str(source)})]
    growing = home / path.relative_to(source)
    growing.parent.mkdir(parents=True)
    growing.touch()
    content = path.read_bytes()
    ends = [n for n, byte in enumerate(content, 1) if byte == ord("\n")]
    read_bytes = 0
    for end in sorted([*(n - 40 for n in ends[3::4]), *ends[4::9], len(content)]):
        with growing.open("wb") as file:
            file.write(content[:end])
        found = look(home, places)
        read_bytes += found.read
    assert counts(found.total) == total(wire(agent, "plain"))
    assert found.notes == ()
    assert read_bytes < 2 * len(content)  # torn lines are read again, and nothing else
    assert look(home, places).read == 0


@pytest.mark.parametrize("agent", ["claude", "codex", "gemini"])
def test_a_last_line_without_its_end_counts_and_is_read_again(home, places, agent):
    install(home, agent, "plain")
    [path] = [one.path for one in find_transcripts(places, {"HOME": str(home)})]
    lines = path.read_bytes().splitlines(keepends=True)
    records = records_of(agent)
    place = max(n for n, one in enumerate(lines) if any(m in one for m in records.MARKS))
    path.write_bytes(b"".join(lines[: place + 1]).rstrip(b"\n"))
    assert counts(look(home, places).total) == total(wire(agent, "plain"))
    path.write_bytes(b"".join(lines))
    assert counts(look(home, places).total) == total(wire(agent, "plain"))


@pytest.mark.parametrize("agent", ["claude", "codex", "gemini"])
def test_what_shrank_or_was_replaced_is_read_again_and_nothing_is_forgotten(home, places, agent):
    install(home, agent, "plain")
    [path] = [one.path for one in find_transcripts(places, {"HOME": str(home)})]
    whole = path.read_bytes()
    before = look(home, places).total
    path.write_bytes(whole[: len(whole) // 2])
    found = look(home, places)
    assert found.read == len(whole) // 2
    assert found.total == before
    path.write_bytes(whole.replace(b"I look", b"I took"))  # the same size, in the same place
    os.utime(path, ns=(1, 1))
    assert look(home, places).total == before
    path.write_bytes(b"x" * 5000 + b"\n" + whole)  # longer, but not the same at its beginning
    again = look(home, places)
    assert again.read > 0
    assert again.total.input_tokens == before.input_tokens
    copy = path.with_name("copy")
    copy.write_bytes(whole)
    copy.rename(path)
    assert look(home, places).total.input_tokens == before.input_tokens


def test_what_is_gone_still_counts_and_is_marked(home, places):
    install(home, "claude", "plain")
    before = look(home, places, By.SESSION)
    shutil.rmtree(home)
    after = look(home, places, By.SESSION)
    assert counts(after.total) == counts(before.total)
    assert after.total.gone
    assert not before.total.gone
    assert after.notes == (
        "1 transcript no longer there: what was read of them before still counts",
    )
    install(home, "claude", "plain")
    back = look(home, places, By.SESSION)
    assert counts(back.total) == counts(before.total)
    assert not back.total.gone
    assert back.notes == ()


def test_a_session_that_is_moved_or_copied_counts_once(home, places):
    install(home, "codex", "plain")
    before = look(home, places).total
    archive = home / ".codex/archived_sessions"
    archive.mkdir()
    [path] = [one.path for one in find_transcripts(places, {"HOME": str(home)})]
    shutil.copy(path, archive)
    assert counts(look(home, places).total) == counts(before)
    path.unlink()
    assert counts(look(home, places).total) == counts(before)


def test_a_compressed_rollout(home, places):
    install(home, "codex", "plain")
    [path] = [one.path for one in find_transcripts(places, {"HOME": str(home)})]
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert counts(look(home, places).total) == total(wire("codex", "plain"))
    assert look(home, places).read == 0


@pytest.mark.parametrize("agent", ["claude", "codex", "gemini"])
def test_a_fork_in_a_later_look_has_only_its_own(home, places, agent):
    """The original is known by then; at once, the order is told by who is whose fork."""
    install(home, agent, "forked")
    environ = {"HOME": str(home)}
    at_once = {row.name: counts(row) for row in look(home, places, By.SESSION).rows}
    paths = [one.path for one in find_transcripts(places, environ)]
    kept = {path: path.read_bytes() for path in paths}
    for path in paths:
        path.unlink()
    shutil.rmtree(places.state)
    for path in sorted(paths, key=lambda one: _place(one, at_once, kept)):
        path.write_bytes(kept[path])
        look(home, places, By.SESSION)
    one_by_one = {row.name: counts(row) for row in look(home, places, By.SESSION).rows}
    assert one_by_one == at_once
    assert counts(look(home, places).total) == total(wire(agent, "forked"))


def _place(path, _rows, kept):
    return kept[path].count(b"\n") if "codex" not in str(path) else 0, path.name


def test_helpers_find_the_same_and_a_lost_one_loses_nothing(home, places, monkeypatch):
    make_transcripts(home, 6_000_000, seed=2)
    monkeypatch.setattr(cores, "WORTH", 1_000_000)
    monkeypatch.setattr(cores, "_BATCH", 300_000)
    found = find_transcripts(places, {"HOME": str(home)})
    tasks = [(Indexed(one.name, one.agent), one.size) for one in found]
    alone = {task.path: read(task) for task, _ in tasks}
    helped = {one.row.path: one for one in read_all(tasks, cores=3)}
    assert helped == alone
    asked = []

    class Lost(command.Piped):
        def ask(self, line):
            asked.append(line)
            if len(asked) > 1:
                self._process.kill()
            return super().ask(line)

    monkeypatch.setattr(command, "Piped", Lost)
    monkeypatch.setattr(cores, "_work", lambda *_: eventually(lambda: len(asked) > 1))
    lost = {one.row.path: one for one in read_all(tasks, cores=2)}
    assert len(asked) == 2
    for path, one in lost.items():
        assert one == alone[path]


def test_two_looks_at_once_keep_the_index_right(home, places, monkeypatch):
    install(home, "claude", "plain")
    saved = store.save_index
    inside = []

    def slow(*given):
        if not inside:
            inside.append(True)
            install(home, "codex", "plain")
            look(home, places)  # somebody else, who reads more and is faster
        return saved(*given)

    monkeypatch.setattr(index, "save_index", slow)
    first = look(home, places)
    assert counts(first.total) == total(wire("claude", "plain"))
    both = tuple(
        a + b
        for a, b in zip(total(wire("claude", "plain")), total(wire("codex", "plain")), strict=True)
    )
    again = look(home, places)
    assert counts(again.total) == both
    assert again.read == 0


def test_an_index_that_cannot_be_kept_is_told(home, places):
    install(home, "claude", "plain")
    places.state.write_text("in the way")
    for _ in range(2):
        found = look(home, places)
        assert counts(found.total) == total(wire("claude", "plain"))
        [note] = found.notes
        assert note.startswith("the index could not be kept, the next look reads all again: ")


def test_a_database_that_is_none_is_an_error(home, places):
    install(home, "claude", "plain")
    places.state.mkdir()
    (places.state / "abreast.db").write_bytes(b"no database" * 1000)
    with pytest.raises(abreast.StoreError):
        look(home, places)


def test_hostile_files_cost_a_note_at_most(home, places):
    folder = home / ".claude/projects/-x"
    folder.mkdir(parents=True)
    reply = (
        b'{"type":"assistant","sessionId":"s","cwd":"/w","timestamp":"2026-11-21T12:00:00.000Z",'
        b'"message":{"id":"%s","model":"claude-opus-5","usage":{"input_tokens":%d,'
        b'"output_tokens":7}}}\n'
    )
    (folder / "good.jsonl").write_bytes(reply % (b"m1", 100))
    (folder / "huge.jsonl").write_bytes(reply % (b"m2", 2**40) + reply % (b"m3", 10))
    (folder / "deep.jsonl").write_bytes(b"[" * 100_000 + b'"usage":{' + b"\n" + reply % (b"m4", 1))
    (folder / "bytes.jsonl").write_bytes(bytes(range(256)) * 40 + b"\n" + reply % (b"m5", 1000))
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "link.jsonl").symlink_to("/etc/passwd")
    (folder / "locked.jsonl").mkdir()
    found = look(home, places)
    assert found.total.input_tokens == 100 + 10 + 1 + 1000
    assert sorted(found.notes) == [
        "1 transcript: lines with usage could not be read",
        "1 transcript: requests state numbers of tokens that cannot be: left out",
    ]


def test_a_damaged_compressed_file_costs_a_note(home, places):
    install(home, "codex", "plain")
    [path] = [one.path for one in find_transcripts(places, {"HOME": str(home)})]
    packed = bytearray(gzip.compress(path.read_bytes()))
    middle = len(packed) // 2
    packed[middle : middle + 40] = bytes(255 - byte for byte in packed[middle : middle + 40])
    damaged = path.with_name(f"{path.name}.gz")
    for content in (packed, packed[:middle], b"no gzip"):
        damaged.write_bytes(content)
        found = look(home, places)
        assert counts(found.total) == total(wire("codex", "plain"))
        [note] = found.notes
        assert note.startswith(f"{damaged} cannot be read: ")


def test_a_session_whose_name_a_subagent_claims(home, places):
    """Then what the CLI has counted of it is nobody's; what is recorded is the other one's."""
    project = home / ".claude/projects/-x"
    folder = project / "p/subagents"
    folder.mkdir(parents=True)
    reply = (
        '{"type":"assistant","cwd":"/w","timestamp":"2026-11-21T12:00:00.000Z","message":{"id":"%s"'
        ',"model":"claude-opus-5","usage":{"input_tokens":5,"output_tokens":7}}}\n'
    )
    state = '{"type":"cost-state","modelUsage":{},"totalCostUSD":1,"hasUnknownModelCost":false}\n'
    (project / "s.jsonl").write_text(reply % "m1" + state)
    (folder / "agent-s.jsonl").write_text(reply % "m2")
    [row] = look(home, places, By.SESSION).rows
    assert (row.name, row.input_tokens, row.output_tokens) == ("p", 10, 14)


def test_a_locked_folder_is_told_of_and_its_files_are_not_gone():
    with anybody() as folder:
        home, places = folder / "home", make_places(folder)
        for agent in ("claude", "codex", "gemini"):
            install(home, agent, "plain")
        before = look(home, places)
        for path in folder.rglob("*"):
            path.chmod(0o777)
        for name in (".claude", ".codex/sessions", ".gemini/tmp", ".gemini/tmp/work"):
            with locked(home / name):
                found = look(home, places)
            assert found.total == before.total
            [note] = found.notes
            assert note.startswith(str(home / name))
            assert note.endswith("may not be looked into: what is in it is missing")
        assert look(home, places).notes == ()


def test_names_that_are_no_text_are_kept(home, places):
    install(home, "codex", "plain")
    [path] = [one.path for one in find_transcripts(places, {"HOME": str(home)})]
    odd = os.fsdecode(b"rollout-caf\xe9-\\-\xf0\x9f\x98\x80-\n.jsonl")
    path.rename(path.with_name(odd))
    first = look(home, places)
    assert counts(first.total) == total(wire("codex", "plain"))
    second = look(home, places)
    assert (second.read, second.total) == (0, first.total)
    index = refresh(places, {"HOME": str(home)})
    assert [Path(path).exists() for path in index.files] == [True]


@pytest.mark.parametrize("name", recordings("codex"))
def test_a_reader_that_goes_on_knows_what_it_knew(home, places, name):
    """Cut in the middle of the file, not of a line: what Codex told before has to be remembered."""
    install(home, "codex", name)
    paths = [one.path for one in find_transcripts(places, {"HOME": str(home)})]
    kept = {path: path.read_bytes() for path in paths}
    for path, content in kept.items():
        lines = content.splitlines(keepends=True)
        path.write_bytes(b"".join(lines[: len(lines) // 2]))
    look(home, places)
    for path, content in kept.items():
        path.write_bytes(content)
    assert counts(look(home, places).total) == total(wire("codex", name))


def test_what_was_put_away_or_compressed_is_not_gone(home, places):
    """It is known by the id of its session, wherever it lies."""
    install(home, "codex", "plain")
    before = look(home, places, By.SESSION)
    [path] = [one.path for one in find_transcripts(places, {"HOME": str(home)})]
    archived = home / ".codex/archived_sessions" / path.name
    archived.parent.mkdir()
    path.rename(archived)
    assert look(home, places, By.SESSION).rows == before.rows
    packed = archived.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(archived.read_bytes()))
    archived.unlink()
    found = look(home, places, By.SESSION)
    assert (found.rows, found.notes) == (before.rows, ())
    packed.unlink()
    found = look(home, places, By.SESSION)
    assert counts(found.total) == counts(before.total)
    assert found.total.gone
    assert len(found.notes) == 1


def test_a_session_in_a_folder_that_was_renamed_is_not_gone(home, places):
    install(home, "claude", "subagents")
    before = look(home, places, By.SESSION)
    [project] = (home / ".claude/projects").iterdir()
    project.rename(project.with_name("-elsewhere"))
    found = look(home, places, By.SESSION)
    assert (found.rows, found.total, found.notes) == (before.rows, before.total, ())
