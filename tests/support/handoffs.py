"""Recorded sessions, and handoffs of them, for the tests of handoffs."""

from collections.abc import Iterator
from pathlib import Path

from abreast.agents import records_of
from abreast.handoff.compose import compose
from abreast.handoff.facts import CheckoutState, SessionFacts
from abreast.handoff.transcript import TranscriptFacts, transcript_facts
from abreast.model.handoff import TOKENS, Handoff, Header
from abreast.model.transcript import (
    Called,
    Returned,
    Said,
    ToolKind,
    Transcript,
    TranscriptEvent,
)
from tests.support.transcripts import finder

RECORDED = Path(__file__).parents[1] / "recordings"
CLIS = ("claude", "codex", "gemini")
HEADER = Header("claude", "5e55-10", 1_795_375_764.0, "1a2b3c4d5e6f", "main", "ab12cd34")


def recorded(cli: str, name: str) -> Transcript:
    """The session of a recording: the first one of those in it."""
    return next(sessions(cli, name))


def sessions(cli: str, name: str) -> Iterator[Transcript]:
    """The sessions of a recording, oldest first; subagents are in their parents."""
    folder = RECORDED / cli / name
    place = folder / "projects" if cli == "claude" else folder
    records = records_of(cli)
    found = [records.read(path) for path in finder(records)({"HOME": "/nonexistent"}, [place])]
    yield from sorted((one for one in found if not one.parent), key=lambda one: one.begun)


def left_in(cli: str, home: Path) -> TranscriptFacts:
    """What is told of the only session that a CLI has recorded in a HOME, or a home of ours."""
    place = home / ".claude/projects" if cli == "claude" else home
    records = records_of(cli)
    [path] = finder(records)({"HOME": "/nonexistent"}, [place])
    return transcript_facts(records.read(path))


def every_recording() -> list[tuple[str, str]]:
    return [
        (cli, folder.name)
        for cli in CLIS
        for folder in sorted((RECORDED / cli).iterdir())
        if folder.is_dir()
    ]


def handoff_of(
    transcript: Transcript, checkout: CheckoutState | None = None, limit: int = TOKENS
) -> Handoff:
    facts = SessionFacts(
        transcript_facts(transcript), checkout or CheckoutState(), cwd=transcript.cwd
    )
    return compose(facts, HEADER, limit)


def session(*events: TranscriptEvent) -> Transcript:
    """A session in which these things happened."""
    return Transcript("claude", "/t.jsonl", "s", events=events, cwd="/repo")


def ran(command: str, code: int | None, text: str = "", *, failed: bool | None = None) -> list:
    """The events of a command."""
    name = f"{command}-{code}-{text}"
    bad = code != 0 if failed is None else failed
    call = Called(1.0, name, ToolKind.SHELL, "Bash", command)
    return [call, Returned(1.0, name, bad, code, len(text), text)]


def user(text: str) -> Said:
    return Said(1.0, by_user=True, text=text)


def agent(text: str) -> Said:
    return Said(1.0, by_user=False, text=text)
