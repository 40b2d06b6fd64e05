"""The index on both databases."""

import abreast
from abreast.engine.reading.ledger.index import refresh
from abreast.places import Places
from abreast.store.transcripts import Indexed, load_index, load_requests, save_index
from tests.support.recorded_homes import counts, install, total, wire


def test_the_ledger_on_either_database(tmp_path, database_url):
    places, environ = Places(tmp_path / "state", database_url), {"HOME": str(tmp_path)}
    for agent in ("claude", "codex", "gemini"):
        install(tmp_path, agent, "subagents")
    first = abreast.ledger(places=places, environ=environ)
    second = abreast.ledger(places=places, environ=environ)
    assert (second.read, second.total) == (0, first.total)
    assert second.delegations == first.delegations != ()
    stated = [total(wire(agent, "subagents")) for agent in ("claude", "codex", "gemini")]
    assert counts(first.total) == tuple(sum(column) for column in zip(*stated, strict=True))
    index = refresh(places, environ)
    assert load_requests(database_url) == load_requests(database_url, index.files)
    assert all(load_requests(database_url).values())


def test_a_database_that_is_new_is_made(tmp_path, empty_database, database_url):
    places, environ = Places(tmp_path / "state", database_url), {"HOME": str(tmp_path)}
    install(tmp_path, "claude", "plain")
    abreast.ledger(places=places, environ=environ)
    assert abreast.ledger(places=places, environ=environ).read == 0


def test_who_comes_too_late_writes_nothing(tmp_path, database, database_url):
    one = Indexed("/a \udce9\n", "claude", session="s\0\ud800", cwd="/w", models=["\ud83d m"])
    assert save_index(database_url, [one], {one.path: b"\0\xff"}, 0)
    found, generation = load_index(database_url)
    assert generation == 1
    assert load_requests(database_url, [one.path]) == {one.path: b"\0\xff"}
    assert found[one.path].session == "s\ufffd\ufffd"
    assert not save_index(database_url, [Indexed("/b", "codex")], {"/b": b""}, 0)
    assert save_index(database_url, [Indexed("/b", "codex")], {"/b": b""}, 1)
    assert [*load_index(database_url)[0]] == [one.path, "/b"]
    many = [Indexed(f"/{n}", "codex") for n in range(1200)]
    assert save_index(database_url, many, {one.path: b"x" for one in many}, 2)
    assert len(load_requests(database_url, [one.path for one in many])) == 1200
