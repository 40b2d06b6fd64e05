"""Codex's own records of its sessions: where they lie, and what is in them."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from abreast.agents.codex.config import codex_home
from abreast.agents.codex.records_events import Events, begun_by, introduces
from abreast.agents.codex.records_lines import ENDINGS, load_record
from abreast.agents.codex.records_spending import MARKS, Spending, carries
from abreast.agents.recorded import is_link, open_record, record_lines
from abreast.model.transcript import Begun, Spent, Transcript, TranscriptEvent
from abreast.process.folders import scan as scan_folder

__all__ = [
    "ASIDES",
    "MARKS",
    "Events",
    "Spending",
    "carries",
    "children",
    "introduces",
    "open_record",
    "read",
    "roots",
    "scan",
]

ASIDES: tuple[str, ...] = ()  # it marks none of its subagents as its own
_FOLDERS = ("sessions", "archived_sessions")
_DEPTH = 8  # of folders; Codex makes four: sessions/YYYY/MM/DD
_HEAD = 4 * 2**20  # bytes of a first line; the base instructions are in it
_GENERATIONS = 8
_DAY = re.compile(r"rollout-(\d{4})-(\d\d)-(\d\d)T")
_SPAN = 1000  # days


def roots(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders of Codex's rollouts; they need not exist."""
    home = codex_home(environ)
    return tuple(home / name for name in _FOLDERS)


def scan(environ: Mapping[str, str], also: Iterable[Path] = ()) -> Iterator[os.DirEntry[str]]:
    """Yield every rollout under the roots and under `also`, homes of Codex or folders of rollouts.

    No file is opened and no symbolic link followed, but for the roots themselves.
    """
    seen: set[Path] = set()
    for given in (*roots(environ), *also):
        inside = [*filter(os.path.isdir, (given / name for name in _FOLDERS))]
        for root in inside or [given]:
            if (real := root.resolve()) not in seen:
                seen.add(real)
                yield from _rollouts(root, _DEPTH)


def children(path: Path) -> list[Path]:
    """Return the rollouts of the sub-agents that a session started, oldest first.

    They name their parent in their first line, so those are read of all rollouts beside it, from
    the day it began to the day it was last written.
    """
    meta = _head(path)
    session = str(meta.get("id") or "")
    if not session:
        return []
    found = [one for one in _later(path) if _parent(_head(one)) == session]
    return sorted(found, key=lambda one: one.name)


def read(path: Path) -> Transcript:
    """Read a whole session with its sub-agents; what cannot be read is told in `warnings`."""
    return _read(path, frozenset(), _GENERATIONS)


def _read(path: Path, above: frozenset[str], generations: int) -> Transcript:
    events, warnings = Events(path), list[str]()
    told: dict[object, TranscriptEvent] = {}
    begun, last = Begun(0.0, ""), 0.0
    for line in record_lines(path, warnings):
        for event in events.feed(line):
            begun = event if isinstance(event, Begun) else begun
            last = max(last, event.at)
            if isinstance(event, Spent):  # the last record of a response counts
                told.pop(event.id, None)
                told[event.id] = event
            else:
                told[len(told), event] = event
    below = above | {begun.session}
    return Transcript(
        agent="codex",
        path=str(path),
        session=begun.session,
        events=tuple(told.values()),
        children=tuple(
            _read(one, below, generations - 1) for one in _kin(path, below, generations)
        ),
        parent=begun.parent,
        cwd=begun.cwd,
        branch=begun.branch,
        version=begun.version,
        begun=begun.at,
        last=last,
        skipped=events.skipped,
        warnings=(*events.warnings, *warnings),
    )


def _kin(path: Path, above: frozenset[str], generations: int) -> list[Path]:
    """Return the sub-agents' rollouts; none that says it is its own ancestor."""
    found = children(path) if generations else []
    return [one for one in found if str(_head(one).get("id")) not in above]


def _rollouts(folder: str | Path, depth: int) -> Iterator[os.DirEntry[str]]:
    for entry in scan_folder(folder):
        if entry.is_dir(follow_symlinks=False):
            if depth:
                yield from _rollouts(entry.path, depth - 1)
        elif _is_rollout(entry):
            yield entry


def _is_rollout(entry: "os.DirEntry[str]") -> bool:
    name = entry.name
    named = name.startswith("rollout-") and name.endswith(ENDINGS)
    return named and entry.is_file(follow_symlinks=False)


def _later(path: Path) -> Iterator[Path]:
    """Yield the rollouts begun after this one, on the days on which its session was at work.

    Those are in the folders sessions/YYYY/MM/DD, or have been archived, as this one may be. One
    that lies elsewhere has its sub-agents beside it.
    """
    folder, days = path.parent, _days(path)
    folders = [folder]
    if days:
        archived = folder.name == _FOLDERS[1]
        archive = folder if archived else folder.parents[2].with_name(_FOLDERS[1])
        top = archive.with_name(_FOLDERS[0])
        real = top.resolve()
        named = [f"{day:%Y/%m/%d}" for day in days]
        # No link leads elsewhere.
        folders = [top / name for name in named if (top / name).resolve() == real / name]
        folders += [archive] if archive.is_dir() and not is_link(archive) else []
    latest = f"rollout-{days[-1]:%Y-%m-%d}U" if days else "s"
    for each in folders:
        for one in _rollouts(each, 0):
            if path.name < one.name < latest:  # it begins with the time
                yield Path(one)


def _days(path: Path) -> list[date]:
    """Return the days from a rollout's first to that of its last change; none of one elsewhere."""
    folder = path.parent
    stamp = _DAY.match(path.name) if folder.name == _FOLDERS[1] else None
    if not stamp and _FOLDERS[0] not in {one.name for one in list(folder.parents)[2:3]}:
        return []
    try:
        day = date(*(int(part) for part in (stamp.groups() if stamp else folder.parts[-3:])))
        end = datetime.fromtimestamp(path.stat().st_mtime).astimezone().date()
    except (OSError, OverflowError, TypeError, ValueError):
        return []
    count = min(max((end - day).days, 0), _SPAN)
    return [day + timedelta(days=n) for n in range(count + 1)]


def _parent(meta: Mapping[str, Any]) -> str:
    return begun_by(meta).parent


def _head(path: Path) -> Mapping[str, Any]:
    """Return what the first line of a rollout says of its session."""
    line = next(record_lines(path, [], longest=_HEAD), b"")
    record = load_record(line)
    return record.payload if record is not None and record.kind == "session_meta" else {}
