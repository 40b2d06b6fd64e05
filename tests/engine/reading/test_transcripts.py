"""Transcripts are found under the roots of the three CLIs, and opened nowhere else unasked."""

import os
import shutil
from pathlib import Path

import pytest

from abreast.agents import recording
from abreast.engine.reading.transcripts import (
    find_transcripts,
    newest_transcript,
    open_transcript,
    transcript_file,
    transcript_of,
)
from abreast.errors import NotFoundError
from abreast.model.session import Session, SessionState
from abreast.places import Places

FIXTURES = Path(__file__).parents[2] / "recordings"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "state", f"sqlite:///{tmp_path}/abreast.db").make()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A HOME in which each CLI has the recording of a plain session."""
    home = tmp_path / "home"
    for name, folder in {"claude": ".claude", "codex": ".codex", "gemini": ""}.items():
        shutil.copytree(FIXTURES / name / "plain", home / folder, dirs_exist_ok=True)
    return {"HOME": str(home)}


def test_the_transcripts_of_every_cli_are_found(places, environ):
    found = list(find_transcripts(places, environ))
    assert [one.agent for one in found] == ["claude", "codex", "gemini"]
    for one in found:
        assert (one.size, one.inode) == (one.path.stat().st_size, one.path.stat().st_ino)
        assert open_transcript(one.path, places, environ).agent == one.agent
    os.utime(found[1].path, (5e8, 5e8))
    assert [one.agent for one in find_transcripts(places, environ, since=6e8)] == [
        "claude",
        "gemini",
    ]


def test_sessions_in_private_homes_are_found_and_known_by_their_id(places, environ):
    home = places.sessions / "r1/ask/cli/gemini-home"
    shutil.copytree(FIXTURES / "gemini/resumed", home)
    [own] = [one for one in find_transcripts(places, environ) if home in one.path.parents]
    transcript = open_transcript(own.path, places, environ)
    session = Session(
        "r1/ask", "r1", "ask", "gemini", SessionState.DONE, cli_session=transcript.session
    )
    assert transcript_file(session, places, environ) == own.path
    assert transcript_of(session, places, environ) == transcript
    of_nobody = Session("r1/ask", "r1", "ask", "gemini", SessionState.DONE, cli_session="0" * 36)
    assert transcript_of(of_nobody, places, environ) is None
    scripted = Session("r1/ask", "r1", "ask", "scripted", SessionState.DONE, cli_session="x")
    assert transcript_of(scripted, places, environ) is None


@pytest.mark.parametrize("agent", recording())
def test_a_session_of_the_users_own_is_known_by_its_id(places, environ, agent):
    [path] = [one.path for one in find_transcripts(places, environ) if one.agent == agent]
    name = open_transcript(path, places, environ).session
    session = Session("r1/a", "r1", "a", agent, SessionState.DONE, cli_session=name)
    assert transcript_file(session, places, environ) == path


def test_a_file_elsewhere_is_read_only_when_it_is_named(places, environ, tmp_path):
    for name in ("claude", "codex", "gemini"):
        [inside] = [one.path for one in find_transcripts(places, environ) if one.agent == name]
        outside = tmp_path / f"{name}.jsonl"
        shutil.copy(inside, outside)
        with pytest.raises(NotFoundError, match="outside of the folders"):
            open_transcript(outside, places, environ)
        assert open_transcript(outside, places, environ, named=True).agent == name
    other = tmp_path / "other.jsonl"
    other.write_text('{"type":"user"}\nnothing\n')
    with pytest.raises(NotFoundError, match="not a transcript that abreast can read"):
        open_transcript(other, places, environ, named=True)


def test_what_leads_out_of_a_root_is_outside_of_it(places, environ, tmp_path):
    secret = tmp_path / "secret.jsonl"
    secret.write_text("{}\n")
    [inside] = [one.path for one in find_transcripts(places, environ) if one.agent == "codex"]
    link = inside.with_name("rollout-2027-01-01T00-00-00-x.jsonl")
    link.symlink_to(secret)
    assert link not in [one.path for one in find_transcripts(places, environ)]
    for path in (link, inside.parent / "../../../../../../secret.jsonl"):
        with pytest.raises(NotFoundError, match="outside of the folders"):
            open_transcript(path, places, environ)
    for path in (tmp_path / "none", tmp_path / "a\0b", inside.parent):
        with pytest.raises(NotFoundError):
            open_transcript(path, places, environ)


def test_the_newest_session_of_a_folder(environ, places, tmp_path, monkeypatch):
    monkeypatch.setenv("ABREAST_STATE_DIR", str(places.state))
    paths = {one.agent: one.path for one in find_transcripts(places, environ)}
    for agent, path in paths.items():
        cwd = Path(open_transcript(path, places, environ).cwd)
        assert newest_transcript(cwd, environ) == path, agent
        older = path.with_name(path.name.replace(path.stem[-3:], "eee"))
        shutil.copy(path, older)
        os.utime(older, (5e8, 5e8))
        assert newest_transcript(cwd, environ) == path
    assert newest_transcript(tmp_path, environ) is None
