"""What the doctor asks of this machine: versions, retention, the briefings of sessions."""

import contextlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from abreast.agents import AGENTS, recording
from abreast.agents.imports import MOST, read_with_imports
from abreast.agents.parts import Records
from abreast.doctor.examined import BriefingFile
from abreast.doctor.housekeeping import TranscriptRetention
from abreast.model.economy import BYTES_PER_TOKEN, count_tokens
from abreast.model.finding import Evidence, numbers_of
from abreast.model.transcript import Transcript
from abreast.process.folders import written

_MOST = 20_000  # transcripts whose age is looked at


def kept(environ: Mapping[str, str]) -> Iterator[TranscriptRetention]:
    """Yield how long each CLI keeps the user's transcripts, and their times of change."""
    for name, records in recording().items():
        stated = None
        # Settings that may not be read are in a folder that may not be read either.
        with contextlib.suppress(OSError):
            stated = AGENTS[name].retention(environ)
        if stated is not None:
            yield TranscriptRetention(
                name, stated.days, stated.change, tuple(_ages(records, environ))
            )


def unreadable(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the folders of transcripts that are there and may not be listed."""
    for records in recording().values():
        for root in records.roots(environ):
            try:
                os.scandir(root).close()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                yield f"{root}: its transcripts cannot be listed: {error.strerror}"


def _ages(records: Records, environ: Mapping[str, str]) -> Iterator[float]:
    for entry in islice(records.scan(environ, ()), _MOST):
        with contextlib.suppress(OSError):  # gone since
            yield entry.stat(follow_symlinks=False).st_mtime


def known_bad(
    environ: Mapping[str, str], newest: Mapping[str, str], checkouts: Sequence[Path]
) -> Iterator[Evidence]:
    """Yield the defects of each CLI's version: as installed, else that of its `newest` transcript.

    What does no harm on this machine is left out.
    """
    for name, agent in AGENTS.items():
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


def briefing_of(transcript: Transcript, top: Path | None) -> tuple[BriefingFile, ...]:
    """Return the project's files that the session's CLI read when it began.

    Only where they have not been written since; else it is not known what they were.
    """
    agent = AGENTS.get(transcript.agent)
    if top is None or agent is None or agent.briefing is None:
        return ()
    cwd = Path(transcript.cwd)
    between = [one for one in (cwd, *cwd.parents) if one == top or top in one.parents]
    reads, folders = agent.briefing, between[::-1]
    files = [one / reads.name for one in folders]
    if reads.instead and numbers_of(transcript.version) >= numbers_of(reads.since):
        found_any = any(map(os.path.isfile, files))
        files = files if found_any else [one / reads.instead for one in folders]
    found = tuple(_standing(files, top, imports=reads.imports))
    if reads.most:
        found = tuple(_cut(found, reads.most // BYTES_PER_TOKEN))
    # One that has just gone has been changed, and what it was is not known.
    last = max((written(Path(one.path)) or math.inf for one in found), default=0.0)
    return found if last <= transcript.begun else ()


def _cut(found: Iterable[BriefingFile], left: int) -> Iterator[BriefingFile]:
    """Yield the files that a CLI reads, cut after `left` tokens in all."""
    for one in found:
        yield replace(one, tokens=min(one.tokens, left))
        left -= min(one.tokens, left)


def _standing(files: Iterable[Path], top: Path, *, imports: bool) -> Iterator[BriefingFile]:
    for file in files:
        if not os.path.isfile(file) or not os.access(file, os.R_OK):  # noqa: PTH113
            continue
        text = read_with_imports(top, file).text if imports else _start_of(file)
        if text.strip():
            yield BriefingFile(str(file), count_tokens(text))


def _start_of(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(MOST)
    except OSError:  # gone since it was looked for
        return ""
