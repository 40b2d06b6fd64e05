"""Finds and opens transcripts, whichever CLI wrote them and whoever started the session."""

import heapq
import os
import stat
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from abreast.agents import AGENTS, recording, records_of
from abreast.agents.recorded import record_lines
from abreast.errors import NotFoundError
from abreast.model.session import Session
from abreast.model.transcript import Begun, Transcript
from abreast.places import Places, find_places
from abreast.process.folders import matching, scan

_HEAD = 2000  # lines in which a session has introduced itself
_NAMED = 8  # characters of a session's id that every CLI puts into the name of its file


@dataclass(frozen=True, slots=True)
class Found:
    """A transcript file, a subagent's own ones included. `mtime` is in nanoseconds."""

    agent: str
    name: str  # with its folders
    inode: int
    size: int
    mtime: int

    @property
    def path(self) -> Path:
        return Path(self.name)


def find_transcripts(
    places: Places | None = None, environ: Mapping[str, str] | None = None, *, since: float = 0
) -> Iterator[Found]:
    """Yield every transcript of this user, and of abreast's own sessions; opens no file.

    `since` leaves out those that were last written before that Unix time.
    """
    for agent in recording():
        yield from _find(agent, places or find_places(), environ, since)


def hidden_folders(environ: Mapping[str, str] | None = None) -> Iterator[Path]:
    """Yield the folders of transcripts, and those right in them, that we may not look into."""
    roots = [root for one in recording().values() for root in one.roots(_environ(environ))]
    for root in roots:
        yield from filter(_is_hidden, (root, *_folders(root)))


def _is_hidden(folder: Path) -> bool:
    """Return whether we may not look into a folder: it is opened for that, and not listed."""
    try:
        os.scandir(folder).close()
    except OSError as refusal:
        return isinstance(refusal, PermissionError)
    return False


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder; none when it cannot be listed."""
    return [Path(one.path) for one in scan(folder) if one.is_dir(follow_symlinks=False)]


def open_transcript(
    path: Path,
    places: Places | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    named: bool = False,
) -> Transcript:
    """Read the session at `path` with its subagents, by the CLI under whose root it lies.

    Elsewhere only a file is read that the user has `named`, if it is a transcript at all. Raises
    NotFoundError when there is none.
    """
    try:
        real = path.resolve(strict=True)
        plain = stat.S_ISREG(real.stat().st_mode)
    except (OSError, ValueError) as error:
        raise NotFoundError(f"{path} cannot be read: {error}") from error
    if not plain:
        raise NotFoundError(f"{path} is not a file", hint="give the transcript of a session")
    owner = _owner(real, places or find_places(), _environ(environ))
    if owner:
        return records_of(owner).read(real)
    if not named:
        raise NotFoundError(
            f"{path} is outside of the folders in which agents keep transcripts",
            hint="give the file itself if it is a transcript",
        )
    return _recognised(real)


def transcript_of(
    session: Session, places: Places | None = None, environ: Mapping[str, str] | None = None
) -> Transcript | None:
    """Return the transcript of abreast's own session, by the id that its CLI knows it by."""
    path = transcript_file(session, places, environ)
    return records_of(session.agent).read(path) if path else None


def transcript_file(
    session: Session, places: Places | None = None, environ: Mapping[str, str] | None = None
) -> Path | None:
    """Return the file of abreast's own session, the newest one if a resume began another."""
    found = transcript_files(session, [session.cli_session], places, environ)
    return found[session.cli_session][-1] if found else None


def transcript_files(
    session: Session,
    known_as: Iterable[str],
    places: Places | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, list[Path]]:
    """Return the files of abreast's own session, oldest first, by the ids its CLI has for it.

    Those of which there is none are left out.
    """
    found: dict[str, list[Found]] = {name: [] for name in known_as if name}
    if session.agent not in recording() or not found:
        return {}
    heads = {name[:_NAMED] for name in found}
    for one in _find(session.agent, places or find_places(), environ, 0, own=session):
        if any(head in one.name.rpartition("/")[2] for head in heads):
            of = _begun(one)
            if of.session in found and not of.parent:
                found[of.session].append(one)
    by_age = {name: sorted(files, key=lambda one: one.mtime) for name, files in found.items()}
    return {name: [one.path for one in files] for name, files in by_age.items() if files}


def newest_transcript(
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    *,
    agent: str = "",
    without: Container[str] = (),
) -> Path | None:
    """Return the transcript last written to of the sessions that began in the folder `cwd`.

    `agent` asks for one CLI's only; sessions `without` are passed over.
    """
    wanted = cwd.resolve()
    found = (one for one in find_transcripts(None, environ) if agent in {"", one.agent})
    newest = [(-one.mtime, one.name, one) for one in found]
    heapq.heapify(newest)
    while newest:
        one = heapq.heappop(newest)[2]
        begun = _begun(one)
        if begun.session in without:
            continue
        if begun.cwd and not begun.parent and Path(begun.cwd).resolve() == wanted:
            return one.path
    return None


def _environ(given: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if given is None else given


def _find(
    agent: str,
    places: Places,
    environ: Mapping[str, str] | None,
    since: float,
    own: Session | None = None,
) -> Iterator[Found]:
    """Yield an agent's transcripts; of private homes, with `own`, that of this session alone."""
    homes = _homes(agent, places, own)
    for entry in records_of(agent).scan(_environ(environ), homes):
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:  # gone since
            continue
        if found.st_mtime >= since and stat.S_ISREG(found.st_mode):
            yield Found(agent, entry.path, found.st_ino, found.st_size, found.st_mtime_ns)


def _homes(agent: str, places: Places, own: Session | None = None) -> Iterable[Path]:
    """Return the private homes of our sessions, or of `own`, if the agent's CLI has such."""
    home, session = AGENTS[agent].private_home, f"{own.run}/{own.task}" if own else "*/*"
    return matching(places.sessions, f"{session}/cli/{home}") if home else ()


def _owner(path: Path, places: Places, environ: Mapping[str, str]) -> str:
    """Return the agent under whose roots `path` lies, "" if it is not one."""
    for agent, records in recording().items():
        roots = (*records.roots(environ), *_homes(agent, places))
        if any(path.is_relative_to(root.resolve()) for root in roots):
            return agent
    return ""


def _recognised(path: Path) -> Transcript:
    """Return the transcript that a file is, from wherever it was copied."""
    for agent, records in recording().items():
        begun, understood = _head(agent, path)
        if begun is not None and begun.session and understood:
            return records.read(path)
    raise NotFoundError(
        f"{path} is not a transcript that abreast can read",
        hint=f"those of {', '.join(recording())} can be read",
    )


def _begun(found: Found) -> Begun:
    return _head(found.agent, found.path)[0] or Begun(0.0, "")


def _head(agent: str, path: Path) -> tuple[Begun | None, bool]:
    """Return how a file introduces its session; and whether most lines up to there made sense."""
    events = records_of(agent).Events(path)
    for number, line in enumerate(record_lines(path, []), 1):
        for event in events.feed(line):
            if isinstance(event, Begun):
                return event, 2 * events.skipped < number
        if number == _HEAD:
            break
    return None, False
