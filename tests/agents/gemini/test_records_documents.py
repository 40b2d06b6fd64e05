"""Sessions as older versions of Gemini CLI keep them: one document, written anew each time."""

import json
from pathlib import Path
from typing import Any

import pytest

import abreast
from abreast.agents.gemini import records
from abreast.agents.gemini.records import read
from abreast.agents.gemini.records_usage import replies, resumable
from abreast.model.economy import By
from tests.agents.gemini.reading import files, session
from tests.support.ccusage import ccusage, ccusage_binary
from tests.support.recorded_homes import make_places
from tests.support.transcripts import finder, shape, talk

find = finder(records)


def document(path: Path) -> dict[str, Any]:
    """The session in a file of lines, as the older versions would have kept it."""
    found: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for record in map(json.loads, path.read_bytes().splitlines()):
        if "sessionId" in record:
            found |= record
        elif "id" in record:
            messages[record["id"]] = record
        elif "messages" in record.get("$set", {}):
            kept = {one["id"]: one for one in record["$set"]["messages"]}
            messages = {name: messages.get(name, one) for name, one in kept.items()}
    return found | {"messages": [*messages.values()]}


def place(home: Path, name: str = "plain", indent: int | None = 2) -> Path:
    (path,) = [one for one in files(name) if one.parent.name == "chats"]
    here = home / ".gemini/tmp/w/chats" / path.with_suffix(".json").name
    here.parent.mkdir(parents=True, exist_ok=True)
    here.write_text(json.dumps(document(path), indent=indent))
    return here


@pytest.mark.parametrize("indent", [2, None])
def test_it_is_read_as_lines_are(tmp_path: Path, indent: int | None) -> None:
    path = place(tmp_path, indent=indent)
    assert list(find({"HOME": str(tmp_path)})) == [path]
    found, lines = read(path), session("plain")
    assert (talk(found), shape(found)) == (talk(lines), shape(lines))
    assert (found.session, found.begun, found.last) == (lines.session, lines.begun, lines.last)
    assert (found.skipped, found.warnings) == (0, ())
    assert [r.usage for r in replies(tmp_path, found.session, "2026-01-01T00:00:00Z")]
    assert not resumable(tmp_path, found.session, tmp_path)


@pytest.mark.clis
def test_its_requests_count_once_while_it_is_written_anew(tmp_path: Path) -> None:
    home, environ = tmp_path / "home", {"HOME": str(tmp_path / "home")}
    path = place(home)
    whole = json.loads(path.read_text())
    replied = [n for n, one in enumerate(whole["messages"]) if one.get("tokens")]
    for end in (replied[0] + 1, replied[-1], len(whole["messages"])):
        path.write_text(json.dumps(whole | {"messages": whole["messages"][:end]}, indent=2))
        found = abreast.ledger(places=make_places(tmp_path), environ=environ, by=By.SESSION)
    spent = [one["tokens"] for one in whole["messages"] if one.get("tokens")]
    assert found.total.requests == len(spent)
    assert found.total.input_tokens == sum(one["input"] for one in spent)
    [theirs] = ccusage(ccusage_binary(tmp_path), home, "daily").values()
    total = found.total
    assert theirs == (total.input_tokens, total.cached_tokens, 0, total.output_tokens)
    # A newer version that goes on with it has the same messages, in lines.
    lines = [{k: v for k, v in whole.items() if k != "messages"}, *whole["messages"]]
    path.with_suffix(".jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    again = abreast.ledger(places=make_places(tmp_path), environ=environ, by=By.SESSION)
    assert again.total == total
    assert len(again.rows) == 1


@pytest.mark.parametrize("content", ['{"sessionId":"s","messages":[', "no JSON", "[" * 5000])
def test_a_torn_document_is_told_and_read_again(tmp_path: Path, content: str) -> None:
    home, environ = tmp_path / "home", {"HOME": str(tmp_path / "home")}
    path = place(home)
    whole = path.read_text()
    path.write_text(content)
    found = abreast.ledger(places=make_places(tmp_path), environ=environ)
    assert found.total.requests == 0
    assert len(found.notes) == 1
    assert read(path).warnings == ("not a file that can be read",)
    path.write_text(whole)
    assert abreast.ledger(places=make_places(tmp_path), environ=environ).total.requests > 0
    deep = f'{{"messages":{"[" * 800}{"]" * 800}}}'
    for nothing in ("", "\n", "[]", "3", '{"messages":[]}', deep):
        path.write_text(nothing)
        assert read(path).events == ()
