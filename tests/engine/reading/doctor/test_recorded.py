"""Every check on sessions of the real CLIs: it finds the sick one, and nothing in a healthy one."""

import os
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from textwrap import fill

import pytest
from inline_snapshot import snapshot

from abreast import api
from abreast.doctor.check import OF_A_SESSION, OF_SESSIONS
from abreast.doctor.context import heavy_briefing
from abreast.doctor.examined import BriefingFile, ExaminedSession, work_of
from abreast.doctor.side_by_side import invalidated, same_files
from abreast.engine.reading.doctor.machine import briefing_of
from abreast.engine.reading.doctor.sessions import measured
from abreast.model.economy import count_tokens
from abreast.model.finding import Severity
from abreast.model.transcript import Transcript
from tests.recordings.doctor.record import RECORDED, record
from tests.recordings.doctor.recordings import RECORDINGS
from tests.support.repos import make_repo

BRIEFED = ("gemini-heavy-briefing", "gemini-light-briefing")


@pytest.mark.parametrize("check", [*OF_A_SESSION, *OF_SESSIONS])
def test_every_check_has_a_sick_and_a_healthy_recording(check):
    assert any(check in one.sick for one in RECORDINGS.values())
    assert any(check in one.near and not one.sick for one in RECORDINGS.values())


def test_the_recordings_are_of_all_three_clis():
    assert {one.cli for one in RECORDINGS.values() if one.sick} == {"claude", "codex", "gemini"}
    assert {path.name for path in RECORDED.iterdir()} == set(RECORDINGS)


@pytest.mark.parametrize("name", [name for name in RECORDINGS if name not in BRIEFED])
def test_it_finds_what_is_wrong_and_nothing_else(name, home, diagnose):
    found = diagnose(home(name))
    assert sorted(one.id for one in found.findings) == sorted(RECORDINGS[name].sick)
    assert found.sessions == len(RECORDINGS[name].turns[0])
    assert found.warnings == ()


def test_the_evidence_has_the_numbers(home, diagnose):
    told = {}
    for name in sorted(RECORDINGS):
        for finding in diagnose(home(name)).findings:
            for one in finding.evidence:
                assert one.session
                assert one.path
                assert one.at
                line = Path(one.path).read_text().splitlines()[one.line - 1]
                assert one.line
                assert f"{datetime.fromtimestamp(one.at, UTC):%Y-%m-%dT%H:%M:%S}" in line
                told.setdefault(finding.id, []).append((one.text, one.tokens))
    assert told.pop("same-files")[0][0].endswith("edited 1 file in one checkout: a.py")
    [[text, _]] = told.pop("invalidated")
    assert text.startswith("1 file that it had read, changed by claude ")
    assert text.endswith(", then read or edited again: a.py; about 7 tokens")
    lines = [f"{name}, {cost}: {text}" for name in sorted(told) for text, cost in told[name]]
    assert "\n".join(fill(line, 92, subsequent_indent="  ") for line in lines) == snapshot("""\
below-break-even, 17680: 2 of 2 children lost 17,680 tokens: kept out 320, start-up 18,000,
  summary 0
child-per-file, 18000: 3 children read one file each (a.py, b.py, c.py) for the same
  question; start-ups 27,000 tokens
corrections, 1600: 3 turns of the user in a row that correct: "No, that is not what I asked
  …", "Still wrong, it must be a str…", "You forgot the test. [THREE]"
growth-by-summaries, 10542: the context grew by 11,050 tokens, about 10,542 of them
  summaries of 2 children
long-summary, 1038: a child returned about 3,038 tokens to "report on a.py as a list"
long-summary, 1007: a child returned about 3,007 tokens to "what is in a.py"
long-summary, 3271: a child returned about 5,271 tokens to "Report on a.py in at most 3,000
  words. [CHILD-A]"
long-summary, 3271: a child returned about 5,271 tokens to "Report on all of b.py, as a
  list. [CHILD-B]"
many-children, 90000: 10 children; their start-ups alone: 90,000 tokens
no-shape, 2507: "what is in a.py" says nothing of the shape or length of the answer: about
  3,007 tokens came back
no-shape, 271: "Look into the modules here. [CHILD]" says nothing of the shape or length of
  the answer: about 771 tokens came back
past-fill, 40000: 3 of 4 requests with more than 100,000 tokens in the context, up to
  140,000
read-again, 2546: the parent read about 2,546 tokens again that its children had read, by 1
  call
read-alone, 42858: about 42,858 tokens read by 2 calls for an answer of about 4, then
  carried through 3 requests
summary-again, 405: the parent said about 405 tokens, 97 % of them word by word from its
  child's summary\
""")


@pytest.mark.parametrize("name", BRIEFED)
def test_a_briefing_is_weighed_against_the_first_request(name, transcripts):
    [session] = transcripts(name)
    file = RECORDED / name / "GEMINI.md"
    briefing = (BriefingFile(str(file), count_tokens(file.read_text())),)
    found = list(heavy_briefing(ExaminedSession(session, briefing=briefing)))
    assert bool(found) is ("heavy-briefing" in RECORDINGS[name].sick)


def test_a_heavy_briefing_says_its_share(transcripts):
    [session] = transcripts("gemini-heavy-briefing")
    file = RECORDED / "gemini-heavy-briefing" / "GEMINI.md"
    [found] = heavy_briefing(ExaminedSession(session, briefing=(BriefingFile(str(file), 3200),)))
    assert found.numbers["start_up"] == session.events[2].input_tokens
    assert found.numbers["share"] == round(3200 / found.numbers["start_up"], 3)
    assert found.tokens == 3200 - round(0.15 * found.numbers["start_up"])


def test_the_briefing_is_what_the_cli_read(tmp_path, transcripts):
    [session] = transcripts("gemini-heavy-briefing")
    repo = make_repo(tmp_path / "repo", {"GEMINI.md": "@more.md\nRules.\n", "more.md": "x" * 400})
    here = replace(session, cwd=str(repo.path / "src"), begun=session.begun)
    (repo.path / "src").mkdir()
    old = session.begun - 100
    os.utime(repo.path / "GEMINI.md", (old, old))
    [standing] = briefing_of(here, repo.path)
    assert standing.tokens == 102  # with what it imports
    os.utime(repo.path / "GEMINI.md", (session.begun + 100,) * 2)
    assert briefing_of(here, repo.path) == ()  # it may have been another one then


@pytest.mark.parametrize(
    ("version", "name", "read"),
    [("2.1.330", "README.md", 1), ("2.1.330", "CLAUDE.md", 0), ("2.1.276", "README.md", 0)],
)
def test_claude_code_reads_agents_md_where_it_has_no_other(version, name, read, tmp_path):
    repo = make_repo(tmp_path / "repo", {"AGENTS.md": "x" * 400, name: " "})
    begun = time.time() + 1
    session = Transcript("claude", "", "s", cwd=str(repo.path), version=version, begun=begun)
    assert [one.tokens for one in briefing_of(session, repo.path)] == [100] * read


def test_codex_takes_a_part_of_a_long_briefing(tmp_path):
    repo = make_repo(tmp_path / "repo", {"AGENTS.md": "x" * 24_000, "in/AGENTS.md": "x" * 24_000})
    cwd, begun = str(repo.path / "in"), time.time() + 1
    found = briefing_of(Transcript("codex", "", "s", cwd=cwd, begun=begun), repo.path)
    assert [one.tokens for one in found] == [6_000, 8_192 - 6_000]


def test_the_same_edits_in_two_worktrees_are_told_as_such(transcripts):
    sessions = transcripts("codex-same-files")
    works = [
        work_of(replace(one, cwd=f"/trees/{n}"), "/repo/.git", f"/trees/{n}")
        for n, one in enumerate(sessions)
    ]
    [found] = same_files(works)
    assert "in two worktrees" in found.text
    apart = [replace(works[0], repo="/other/.git"), works[1]]
    assert list(same_files(apart)) == []
    later = replace(works[1], begun=works[0].last + 1, last=works[0].last + 2)
    assert list(same_files([works[0], later])) == []


def test_what_changed_in_another_worktree_invalidates_nothing(transcripts):
    sessions = transcripts("claude-invalidated")
    works = [
        work_of(replace(one, cwd=f"/trees/{n}"), "/repo/.git", f"/trees/{n}")
        for n, one in enumerate(sessions)
    ]
    assert list(invalidated(works)) == []


def test_most_costly_first_and_severity_counts(tmp_path, home, diagnose):
    whole = tmp_path / "whole"
    for name in RECORDINGS:
        shutil.copytree(home(name), whole, dirs_exist_ok=True)
    found = diagnose(whole)
    costs = [one.cost_tokens for one in found.findings]
    known = [cost for cost in costs if cost is not None]
    assert known == sorted(known, reverse=True)
    assert costs[len(known) :] == [None] * (len(costs) - len(known))
    assert len(found.at_least(Severity.INFO)) == len(found.findings)
    assert found.at_least(Severity.SEVERE) == ()


def test_only_what_was_written_since_is_read(home, diagnose):
    place = home("codex-past-fill")
    [file] = place.rglob("*.jsonl")
    os.utime(file, (1000.0, 1000.0))
    assert diagnose(place, since=2000.0).sessions == 0
    assert diagnose(place, since=500.0).sessions == 1


@pytest.mark.parametrize("name", ["claude-losses", "gemini-few-children", "gemini-summaries"])
def test_a_net_is_that_of_the_ledger(name, places, transcripts):
    [session] = transcripts(name)
    told = {one.child: one.account.net for one in measured(session)}
    environ = {"HOME": session.path.partition("/.")[0], "PATH": ""}
    found = api.ledger(environ=environ, places=places).delegations
    assert told == {one.child: one.net for one in found}
    assert len(told) == 2


@pytest.mark.clis
@pytest.mark.parametrize("name", ["claude-losses", "codex-read-alone", "gemini-few-children"])
def test_a_new_recording_is_found_alike(name, tmp_path, diagnose):
    found = diagnose(record(name, tmp_path / "again"))
    assert [one.id for one in found.findings] == list(RECORDINGS[name].sick)
