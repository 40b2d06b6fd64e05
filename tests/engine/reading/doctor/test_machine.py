"""What the CLIs on this machine will do: delete transcripts, misbehave in known ways."""

import json
import os
import time

import pytest

from abreast.agents import AGENTS
from abreast.agents.claude.install import retention as claude
from abreast.agents.gemini.home import retention as gemini
from abreast.doctor.housekeeping import TranscriptRetention, expiring
from abreast.engine.reading.doctor.machine import kept, unreadable
from tests.support.repos import make_repo

DAY = 86_400


@pytest.mark.parametrize(
    ("settings", "days"),
    [(None, 30), ({}, 30), ({"cleanupPeriodDays": 365}, 365), ({"cleanupPeriodDays": True}, 30)],
)
def test_how_long_claude_keeps_its_transcripts(settings, days, tmp_path):
    if settings is not None:
        (tmp_path / ".claude").mkdir()
        (tmp_path / ".claude" / "settings.json").write_text(json.dumps(settings))
    assert claude({"HOME": str(tmp_path)}).days == days


@pytest.mark.parametrize(
    ("stated", "days"),
    [
        (None, 30),
        ({"maxAge": "2w"}, 14),
        ({"maxAge": "36h"}, 1.5),
        ({"enabled": False}, None),
        ({"maxAge": "soon"}, None),
        ("odd", 30),
    ],
)
def test_how_long_gemini_keeps_its_transcripts(stated, days, tmp_path):
    if stated is not None:
        (tmp_path / ".gemini").mkdir()
        text = "// mine\n" + json.dumps({"general": {"sessionRetention": stated}})
        (tmp_path / ".gemini" / "settings.json").write_text(text)
    found = gemini({"HOME": str(tmp_path)})
    assert (found and found.days) == days


def test_transcripts_about_to_be_deleted(home, diagnose):
    place = home("claude-corrections")
    [file] = place.rglob("*.jsonl")
    now = time.time()
    os.utime(file, (now - 26 * DAY,) * 2)
    assert diagnose(place, since=now).findings == ()
    os.utime(file, (now - 28 * DAY,) * 2)
    [found] = diagnose(place, since=now).findings
    assert found.id == "expiring-transcripts"
    assert "1 transcript of claude is deleted within 3 days" in found.evidence[0].text
    (place / ".claude" / "settings.json").write_text('{"cleanupPeriodDays": 3650}')
    assert diagnose(place, since=now).findings == ()


def test_two_are_told_in_the_plural():
    [found] = expiring([TranscriptRetention("gemini", 30, "it", (0.0, DAY, 29 * DAY))], 30 * DAY)
    assert found.text.startswith("2 transcripts of gemini are deleted within 3 days")
    assert found.at == 0.0


@pytest.mark.parametrize(
    ("agent", "version", "bad"),
    [
        ("gemini", "0.61.0", True),
        ("gemini", "0.61.1", False),
        ("gemini", "0.62.0-nightly.20261101", False),
        ("codex", "0.131.4", True),
        ("codex", "0.132.0", False),
        ("codex", "0.169.0", False),
        ("claude", "2.1.197", True),
        ("claude", "2.1.277", False),
        ("claude", "2.1.330", False),
        ("claude", "", False),
    ],
)
def test_known_versions(agent, version, bad):
    assert any(one.affects(version) for one in AGENTS[agent].defects) is bad


def test_every_defect_says_from_where_and_when_it_is_known():
    defects = [one for agent in AGENTS.values() for one in agent.defects]
    assert {"2026-" in one.source for one in defects} == {True}
    assert all(bool(one.unless) is (one.harmless is not None) for one in defects)


def test_the_version_at_work_counts_where_none_is_installed(tmp_path, home, diagnose):
    place = home("claude-corrections")
    [file] = place.rglob("*.jsonl")
    file.write_text(file.read_text().replace('"2.1.330"', '"2.1.197"'))
    repo = make_repo(tmp_path / "repo")
    assert [one.id for one in diagnose(place, repo.path).findings] == ["corrections"]
    repo.write({"AGENTS.md": "Be kind.\n"})
    assert {one.id for one in diagnose(place, repo.path).findings} == {
        "corrections",
        "known-bad-version",
    }
    repo.write({"CLAUDE.md": "@AGENTS.md\n"})
    assert [one.id for one in diagnose(place, repo.path).findings] == ["corrections"]


def test_the_installed_version_counts(tmp_path, diagnose, monkeypatch):
    package = tmp_path / "lib" / "gemini-cli"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"name": "@google/gemini-cli", "version": "0.61.0"}')
    (package / "gemini").write_text("#!/bin/sh\nexit 1\n")  # it is not run
    (package / "gemini").chmod(0o755)
    from abreast import api
    from abreast.places import Places

    places = Places(tmp_path / "state", f"sqlite:///{tmp_path / 'none.db'}")
    environ = {"HOME": str(tmp_path), "PATH": str(package)}
    monkeypatch.chdir(tmp_path)
    [found] = api.doctor(since=0, environ=environ, places=places).findings
    assert found.id == "known-bad-version"
    assert str(package / "gemini") in found.evidence[0].text
    (tmp_path / ".gemini").mkdir()
    settings = tmp_path / ".gemini" / "settings.json"
    settings.write_text('{"general": {"sessionRetention": {"enabled": false}}}')
    assert api.doctor(since=0, environ=environ, places=places).findings == ()


def test_folders_that_may_not_be_read_are_told(tmp_path):
    """As root may read anything, links that go round stand for what may not be read."""
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / "projects").symlink_to("projects")
    (tmp_path / ".claude" / "settings.json").symlink_to("settings.json")
    environ = {"HOME": str(tmp_path)}
    [told] = unreadable(environ)
    assert told.startswith(f"{tmp_path}/.claude/projects: its transcripts cannot be listed")
    assert [*kept(environ)] == [TranscriptRetention("gemini", 30, gemini(environ).change, ())]
