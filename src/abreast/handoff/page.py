"""The file itself: its header, its four sections, and how to know one again."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from abreast.handoff.line import Line, Section
from abreast.model.handoff import Header

TITLE = "# Current work"
_MARK = "> abreast handoff 1:"
_SAFE = "/:@+-_.~"
_RAW = "surrogateescape"  # git's names need not be UTF-8
_STAMP = "%Y-%m-%dT%H:%M:%SZ"


def write(header: Header, lines: Sequence[Line], left_out: int = 0) -> str:
    """Return the whole text."""
    parts = [TITLE, header_line(header)]
    for section in Section:
        found = [line.text for line in lines if line.section is section]
        if section is not Section.RIGHT_NOW:  # that is always a line, which begins in our words
            found = [f"- {text}" for text in found]
        if section is Section.CONTEXT:
            found += _note(left_out)
        parts.append("\n".join([f"## {section}", *(found or ["- nothing on record"])]))
    return "\n\n".join(parts) + "\n"


def _note(left_out: int) -> list[str]:
    if not left_out:
        return []
    noun = "line" if left_out == 1 else "lines"
    return [f"- ({left_out} less decisive {noun} left out; `--tokens` makes room)"]


def header_line(header: Header) -> str:
    """Return the header as one line that a person can read and a program can parse."""
    at = datetime.fromtimestamp(header.at, UTC).strftime(_STAMP)
    fields = {
        "agent": header.agent,
        "session": header.session,
        "of": header.of,
        "branch": header.branch,
        "commit": header.commit,
        "work": header.work,
        "at": at,
    }
    told = (
        f"{key}={quote(value, safe=_SAFE, errors=_RAW)}" for key, value in fields.items() if value
    )
    return " ".join([_MARK, *told])


def read_header(text: str) -> Header | None:
    """Return the header of a handoff that abreast wrote, None when `text` is none."""
    found = re.search(rf"^{re.escape(_MARK)} (.+)$", text[:4000], re.MULTILINE)
    if not found or not text.lstrip("\ufeff \n").startswith(TITLE):
        return None
    pairs = (word.partition("=") for word in found[1].split())
    fields = {key: unquote(value, errors=_RAW) for key, _, value in pairs}
    try:
        at = datetime.strptime(fields.get("at", ""), _STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return _header(fields, at)


def _header(fields: Mapping[str, str], at: float) -> Header:
    names = ("agent", "session", "commit", "branch", "work", "of")
    return Header(at=at, **{name: fields.get(name, "") for name in names})


def sections(text: str) -> dict[str, list[str]]:
    """Return the lines under each heading of second rank, in the order in which they stand."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("## "):
            current = found.setdefault(line[3:].strip(), [])
        elif line.strip():
            current.append(line)
    return found
