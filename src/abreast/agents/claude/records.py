"""Claude Code's own records of its sessions: where they lie, and what is in them."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from abreast.agents.claude.records_events import Events, identity, introduces, said_of
from abreast.agents.claude.records_usage import MARKS, Spending, carries, config_folder
from abreast.agents.recorded import as_text, is_link, load_record, record_lines
from abreast.model.transcript import Begun, Called, Returned, Spent, Transcript, TranscriptEvent
from abreast.process.folders import scan as scan_folder

__all__ = [
    "ASIDES",
    "MARKS",
    "Events",
    "Spending",
    "carries",
    "children",
    "introduces",
    "read",
    "roots",
    "scan",
]

ASIDES = ("acompact-", "aprompt_suggestion-", "aside_question-")
"""How the ids begin of the subagents that the CLI runs for itself, on all of the parent's context.

Their requests are the session's; nothing was delegated to them.
"""

_DEPTH = 6  # of folders under `subagents`; the CLI makes two
_GENERATIONS = 8
_HEAD = 2**20  # bytes of a subagent's first line
_INSIDE = (("projects",), (".claude", "projects"))


def roots(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders of Claude Code's transcripts; they need not exist."""
    folders = [config_folder(environ)]
    if not environ.get("CLAUDE_CONFIG_DIR"):
        home = Path(environ.get("HOME", "/"))
        # Where some versions keep it.
        folders.append(Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "claude")
    return tuple(folder / "projects" for folder in folders)


def scan(environ: Mapping[str, str], also: Iterable[Path] = ()) -> Iterator[os.DirEntry[str]]:
    """Yield every transcript under the roots and under `also`: homes, or folders of projects.

    No file is opened and no symbolic link followed, but for the roots themselves.
    """
    seen: set[str] = set()
    for given in (*roots(environ), *also):
        inside = [given.joinpath(*names) for names in _INSIDE]
        for root in [*filter(os.path.isdir, inside)] or [given]:
            if (real := os.path.realpath(root)) not in seen:
                seen.add(real)
                for project in _listed(root)[1]:
                    yield from _transcripts(project)


def _transcripts(project: os.DirEntry[str]) -> Iterator[os.DirEntry[str]]:
    files, sessions = _listed(project)
    yield from files
    for session in sessions:
        yield from _agents(Path(session, "subagents"))


def children(path: Path) -> list[Path]:
    """Return the transcripts of the subagents that the session itself started."""
    return _family(path).get(path, [])


def read(path: Path) -> Transcript:
    """Read a whole session with its subagents; what cannot be read is told in `warnings`."""
    return _read(path, _family(path))[0]


def _read(path: Path, family: Mapping[Path, list[Path]]) -> tuple[Transcript, list[Spent]]:
    """Return the transcript, and what it and its subagents spent."""
    events, warnings = Events(path), list[str]()
    told: dict[object, TranscriptEvent] = {}
    last = 0.0
    for line in record_lines(path, warnings):
        for event in events.feed(line):
            last = max(last, event.at)
            # A reply stands where it was first recorded, with what was last recorded of it.
            told[event.id if isinstance(event, Spent) else len(told)] = event
    begun = events.begun or Begun(0.0, events.session, parent=events.parent)
    parts = [_read(one, family) for one in family.get(path, [])]
    below = sorted((one for one, _ in parts), key=lambda one: (one.begun, one.session))
    spent = [event for event in told.values() if isinstance(event, Spent)]
    spent += [one for _, paid in parts for one in paid]
    transcript = Transcript(
        agent="claude",
        path=str(path),
        session=begun.session,
        events=tuple(_linked(told.values(), below)),
        children=tuple(below),
        parent=begun.parent,
        cwd=begun.cwd,
        branch=begun.branch,
        version=begun.version,
        begun=begun.at,
        last=last,
        skipped=events.skipped,
        warnings=(*events.warnings, *warnings, *_uncounted(events, spent)),
    )
    return transcript, spent


def _linked(
    events: Iterable[TranscriptEvent], below: Iterable[Transcript]
) -> Iterator[TranscriptEvent]:
    """Name the subagent in the call that started it, and in what that returned.

    Its result says it, or what is said about the subagent beside its transcript.
    """
    kept = list(events)
    started = {as_text(said_of(Path(one.path)).get("toolUseId")): one.session for one in below}
    started |= {one.id: one.child for one in kept if isinstance(one, Returned) and one.child}
    for event in kept:
        if isinstance(event, Called | Returned) and event.id in started:
            yield replace(event, child=started[event.id])
        else:
            yield event


def _uncounted(events: Events, spent: Iterable[Spent]) -> Iterator[str]:
    """Yield a warning about tokens that the CLI counted and did not record, such as a summary's."""
    once = {one.id: one for one in spent}.values()
    read, written = sum(s.input_tokens for s in once), sum(s.output_tokens for s in once)
    more = max(0, events.counted[0] - read), max(0, events.counted[1] - written)
    if any(more):
        yield f"{more[0]} prompt and {more[1]} output tokens were used that no record has"


def _family(path: Path) -> dict[Path, list[Path]]:
    """Return the files of all subagents around the session at `path`, by their parents' files."""
    top, found = path, _below(path.with_suffix(""))
    if identity(path)[1]:
        folder = next(one for one in path.parents if one.name == "subagents")
        top = folder.parent.with_name(f"{folder.parent.name}.jsonl")
        found = _below(folder.parent)
    elif not found:
        found = _beside(path)
    named = {one.stem: one for one in reversed(found)}
    parents = {
        one: named.get(f"agent-{as_text(said_of(one).get('parentAgentId'))}", top) for one in found
    }
    family: dict[Path, list[Path]] = {}
    for one in found:
        parent = parents[one] if _ends(one, parents) else top
        family.setdefault(parent, []).append(one)
    return family


def _ends(path: Path, parents: Mapping[Path, Path]) -> bool:
    """Return whether the line of parents soon comes to an end; a forged one may go round."""
    for _ in range(_GENERATIONS):
        if path not in parents:
            return True
        path = parents[path]
    return False


def _beside(path: Path) -> list[Path]:
    """Return the subagents' files beside that of their session, where versions before 2.1 put them.

    Only their first lines tell whose they are.
    """
    found = []
    for one in map(Path, _listed(path.parent)[0]):
        if one.stem.startswith("agent-") and one != path:
            first = next(record_lines(one, [], _HEAD), b"")
            if as_text((load_record(first)[0] or {}).get("sessionId")) == path.stem:
                found.append(one)
    return found


def _below(session: Path) -> list[Path]:
    """Return the subagents' files in the folder of a session."""
    return [] if is_link(session) else [*map(Path, _agents(session / "subagents"))]


def _agents(folder: Path, depth: int = _DEPTH) -> list[os.DirEntry[str]]:
    """Return the subagents' files under `folder`, which some features of the CLI divide."""
    if not depth or is_link(folder):
        return []
    files, folders = _listed(folder)
    found = [one for one in files if one.name.startswith("agent-")]
    return found + [one for inner in folders for one in _agents(Path(inner), depth - 1)]


def _listed(
    folder: Path | os.DirEntry[str],
) -> tuple[list[os.DirEntry[str]], list[os.DirEntry[str]]]:
    """Return the transcripts and the folders in a folder, by name; none when it cannot be listed.

    Names that no terminal should see are left out: the CLI gives none such.
    """
    named = [e for e in scan_folder(folder) if e.name.isprintable()]
    files = [e for e in named if e.name.endswith(".jsonl") and e.is_file(follow_symlinks=False)]
    return files, [e for e in named if e.is_dir(follow_symlinks=False)]
