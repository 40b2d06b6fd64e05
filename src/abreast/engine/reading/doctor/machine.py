"""What the doctor asks of this machine: versions, retention, the briefings of sessions."""

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import cast

from abreast.agents import AGENTS as ALL
from abreast.agents.claude.defects import READS_AGENTS_MD
from abreast.agents.imports import MOST, read_with_imports
from abreast.doctor.case import Standing
from abreast.doctor.housekeeping import Kept
from abreast.engine.reading.transcripts import AGENTS, records_of
from abreast.model.defect import numbers_of
from abreast.model.finding import Evidence
from abreast.model.tokens import BYTES_PER_TOKEN, count_tokens
from abreast.model.transcript import Transcript
from abreast.process.listing import written

_KEEPING = ("claude", "gemini")  # Codex deletes nothing
_BRIEFINGS = {"claude": "CLAUDE.md", "codex": "AGENTS.md", "gemini": "GEMINI.md"}
_CODEX_TAKES = 32_768  # bytes, its project_doc_max_bytes by default
_IMPORTING = ("claude", "gemini")
_MOST = 20_000  # transcripts whose age is looked at


def kept(environ: Mapping[str, str]) -> Iterator[Kept]:
    """Yield for how long each CLI keeps the user's transcripts, and how old those are."""
    for agent in _KEEPING:
        days, setting = _retention(agent, environ)
        if days is not None:
            yield Kept(agent, days, setting, tuple(_ages(agent, environ)))


def _retention(agent: str, environ: Mapping[str, str]) -> tuple[float | None, str]:
    """Return for how many days an agent keeps transcripts, and what to change; None: for ever."""
    try:
        found = import_module(f"abreast.agents.{agent}.retention").retention(environ)
    except OSError:  # settings that may not be read are in a folder that may not be read either
        return None, ""
    return cast("tuple[float | None, str]", found)


def unreadable(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the folders of transcripts that are there and may not be listed."""
    for agent in AGENTS:
        for root in records_of(agent).roots(environ):
            try:
                os.scandir(root).close()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                yield f"{root}: its transcripts cannot be listed: {error.strerror}"


def _ages(agent: str, environ: Mapping[str, str]) -> Iterator[float]:
    for number, path in enumerate(records_of(agent).find(environ, ())):
        if number == _MOST:
            return
        try:
            yield path.stat(follow_symlinks=False).st_mtime
        except OSError:
            continue


def known_bad(
    environ: Mapping[str, str], newest: Mapping[str, str], checkouts: Sequence[Path]
) -> Iterator[Evidence]:
    """Yield the defects of each CLI's version: as installed, else that of its `newest` transcript.

    What does no harm on this machine is left out.
    """
    for name, agent in ALL.items():
        installed = agent.find(environ) if agent.defects else None
        version, where = newest.get(name, ""), "its newest session"
        if installed is not None and installed.version:
            version, where = installed.version, str(installed.path)
        for one in agent.defects:
            if one.affects(version) and not (one.harmless and one.harmless(environ, checkouts)):
                yield Evidence(
                    f"{name} {version} ({where}): {one.what} [{one.source}]",
                    agent=name,
                    command=one.command,
                )


def briefing_of(transcript: Transcript, top: Path | None) -> tuple[Standing, ...]:
    """Return the project's files that the session's CLI read when it began.

    Only where they have not been written since; else it is not known what they were.
    """
    if top is None or transcript.agent not in _BRIEFINGS:
        return ()
    cwd = Path(transcript.cwd)
    between = [one for one in (cwd, *cwd.parents) if one == top or top in one.parents]
    folders = between[::-1]
    files = [one / _BRIEFINGS[transcript.agent] for one in folders]
    if transcript.agent == "claude" and numbers_of(transcript.version) >= numbers_of(
        READS_AGENTS_MD
    ):
        # Only where there is no CLAUDE.md at all.
        files = files if any(map(os.path.isfile, files)) else [one / "AGENTS.md" for one in folders]
    found = tuple(_standing(files, top, imports=transcript.agent in _IMPORTING))
    if transcript.agent == "codex":
        found = tuple(_cut(found))
    # One that has just gone has been changed, and what it was is not known.
    last = max((written(Path(one.path)) or math.inf for one in found), default=0.0)
    return found if last <= transcript.begun else ()


def _cut(found: Iterable[Standing]) -> Iterator[Standing]:
    """Yield what Codex takes of its briefing: it stops in the middle of a file."""
    left = _CODEX_TAKES // BYTES_PER_TOKEN
    for one in found:
        yield replace(one, tokens=min(one.tokens, left))
        left -= min(one.tokens, left)


def _standing(files: Iterable[Path], top: Path, *, imports: bool) -> Iterator[Standing]:
    for file in files:
        if not os.path.isfile(file) or not os.access(file, os.R_OK):  # noqa: PTH113
            continue
        text = read_with_imports(top, file).text if imports else _start_of(file)
        if text.strip():
            yield Standing(str(file), count_tokens(text))


def _start_of(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(MOST)
    except OSError:  # gone since it was looked for
        return ""
