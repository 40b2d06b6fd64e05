"""Versions of the agent CLIs that are known to misbehave, and since when we know."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from abreast.model.finding import Evidence

_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True)
class Defect:
    """What is wrong with an agent's versions from `since` to before `until` (""; no bound).

    `source` says where that is known from and when it was looked at. `unless` names a state of the
    machine in which it does no harm.
    """

    agent: str
    since: str
    until: str
    what: str
    source: str
    command: str
    unless: str = ""


RETENTION_OFF = "retention off"
CLAUDE_READS_AGENTS = "2.1.277"
CLAUDE_BRIEFED = "no AGENTS.md without a CLAUDE.md"

DEFECTS = (
    Defect(
        agent="gemini",
        since="0.61.0",
        until="0.61.1",
        what="a session that was resumed is deleted by the next start in that folder, by its own "
        "retention; set general.sessionRetention.enabled to false",
        source="tested with 0.61.0 on 2026-11-22; google-gemini/gemini-cli#27368",
        command="",
        unless=RETENTION_OFF,
    ),
    Defect(
        agent="codex",
        since="",
        until="0.132.0",
        what="`codex exec resume` takes no --output-schema, so an answer that is asked for again "
        "is held to no shape",
        source="openai/codex#23123, read on 2026-11-22",
        command="npm install -g @openai/codex@latest",
    ),
    Defect(
        agent="claude",
        since="",
        until=CLAUDE_READS_AGENTS,
        what="AGENTS.md is not read: a project without CLAUDE.md has no briefing",
        source="tested with 2.1.197 (not read) and 2.1.330 (read) on 2026-11-22",
        command="claude update",
        unless=CLAUDE_BRIEFED,
    ),
)


@dataclass(frozen=True)
class Seen:
    """A version that is installed or was at work: `where` says which.

    `ruled_out` are the states, of those a defect is harmless in, that the machine is in.
    """

    agent: str
    version: str
    where: str
    ruled_out: frozenset[str] = frozenset()


def known_bad(seen: Iterable[Seen]) -> Iterator[Evidence]:
    """A version in the table `DEFECTS`."""
    for one in seen:
        for defect in DEFECTS:
            if defect.agent == one.agent and _within(one.version, defect):
                if defect.unless in one.ruled_out:
                    continue
                yield Evidence(
                    f"{one.agent} {one.version} ({one.where}): {defect.what} [{defect.source}]",
                    agent=one.agent,
                    command=defect.command,
                )


def _within(version: str, defect: Defect) -> bool:
    number = number_of(version)
    if not number:
        return False
    return number_of(defect.since) <= number and (
        not defect.until or number < number_of(defect.until)
    )


def number_of(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, without what marks it as preliminary."""
    return tuple(int(part) for part in _NUMBERS.findall(version.partition("-")[0])[:4])
