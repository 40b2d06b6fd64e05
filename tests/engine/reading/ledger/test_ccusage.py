"""Side by side with ccusage on the same files: per day and per session, tokens by tokens.

Where the two differ, what the model server stated tells who is right.
"""

import time
from pathlib import Path

import pytest
from benchmarks.ledger_files import make_transcripts

import abreast
from tests.support.ccusage import ccusage, ccusage_binary
from tests.support.recorded_homes import counts, install, make_places, recordings, total, wire

pytestmark = pytest.mark.clis

DIFFERENT = {
    # The request for the summary is on no record; the CLI's own count of all requests has it.
    ("claude", "compacted"),
    # ccusage reads the running totals, which a killed process did not come to write.
    ("codex", "killed"),
    ("codex", "revived"),
    # It leaves out rollouts of sub-agents and of forks, and counts again what some forks repeat.
    ("codex", "subagents"),
    ("codex", "collaboration"),
    ("codex", "forked"),
    ("gemini", "forked"),
}


@pytest.fixture(scope="session")
def binary(tmp_path_factory) -> Path:
    return ccusage_binary(tmp_path_factory.mktemp("ccusage"))


@pytest.mark.parametrize("agent", ["claude", "codex", "gemini"])
def test_recordings(tmp_path, binary, agent):
    for name in recordings(agent):
        home = tmp_path / name
        install(home, agent, name)
        stated = total(wire(agent, name))
        found = abreast.ledger(places=make_places(home), environ={"HOME": str(home)}).total
        assert counts(found) == stated
        theirs = together(ccusage(binary, home, "daily").values())
        same = theirs == comparable(agent, stated)
        assert same == ((agent, name) not in DIFFERENT), name


# Where the days begin at other times; the last two not at a full hour.
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
def test_generated_transcripts_by_day(tmp_path, binary, set_zone, zone):
    set_zone(zone)
    made = make_transcripts(tmp_path, 12_000_000, seed=3, days=6)
    assert {one.agent for one in made} == {"claude", "codex", "gemini"}
    environ, places = {"HOME": str(tmp_path)}, make_places(tmp_path)
    found = abreast.ledger(places=places, environ=environ, by="day")
    theirs = {}
    for key, one in ccusage(binary, tmp_path, "daily").items():
        day = key.split()[1]
        theirs[day] = together([theirs.get(day, (0, 0, 0, 0)), one])
    assert {row.name: counts(row) for row in found.rows} == theirs
    truth = {}
    for one in made:
        for request in one.requests:
            day = time.strftime("%Y-%m-%d", time.localtime(request.at))
            counted = (request.prompt, request.cached, request.written, request.output)
            truth[day] = together([truth.get(day, (0, 0, 0, 0)), counted])
    assert theirs == truth


def test_generated_transcripts_by_session(tmp_path, binary):
    make_transcripts(tmp_path, 12_000_000, seed=4)
    environ, places = {"HOME": str(tmp_path)}, make_places(tmp_path)
    found = abreast.ledger(places=places, environ=environ, by="session")
    theirs = {key[-36:]: one for key, one in ccusage(binary, tmp_path, "session").items()}
    # A subagent of Gemini CLI is a session to ccusage; here it counts for the one that asked it.
    for path in (tmp_path / ".gemini").glob("tmp/*/chats/*/*.jsonl"):
        parent = path.parent.name
        theirs[parent] = together([theirs[parent], theirs.pop(path.stem)])
    assert {row.name: counts(row) for row in found.rows} == theirs


def together(several):
    return tuple(sum(column) for column in zip(*several, strict=True))


def comparable(agent, stated):
    """What ccusage can see: the recordings lack the details of what Claude's cache was given."""
    prompt, cached, written, output = stated
    return (prompt - written, cached, 0, output) if agent == "claude" else stated
