"""What Gemini CLI's own record of a session adds to its stream (0.61.0).

The stream states usage in its last line only, in total, and a process that was stopped never comes
to it; the record has the tokens of each reply. It also tells whether there is anything to resume.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.agents.lines import load_line
from abreast.model.usage import Usage

_CONTEXT = "<session_context>"  # how the CLI's own first message begins


def records(home: Path, session: str) -> list[Path]:
    """Return the files that hold `session` under the `GEMINI_CLI_HOME` `home`, oldest first."""
    # A resume in a later minute may begin another file of the same session.
    named = home.glob(f".gemini/tmp/*/chats/session-*-{session[:8]}.jsonl") if session else ()
    return sorted(path for path in named if _header(path).get("sessionId") == session)


def resumable(home: Path, session: str, worktree: Path) -> bool:
    """Tell whether anything was said in `session`, which the CLI knows in `worktree` only."""
    return any(
        any(map(_said, _messages(path)))
        for path in records(home, session)
        if _read(path.parent.with_name(".project_root")).strip() == bytes(worktree)
    )


@dataclass(frozen=True)
class Reply:
    """What one request to a model has cost."""

    model: str
    usage: Usage


def replies(home: Path, session: str, since: str) -> list[Reply]:
    """Return the replies in `session` since a moment of the CLI's own clock, the first one first.

    What the CLI asks aside, such as which model to take, is not in its record.
    """
    found: dict[str, Reply] = {}
    for path in records(home, session):
        for line in _lines(path):
            tokens, at = line.get("tokens"), str(line.get("timestamp", ""))
            # The same reply is written again with its tool calls.
            if isinstance(tokens, Mapping) and tokens and at >= since:
                found[str(line.get("id"))] = Reply(str(line.get("model", "")), _usage(tokens))
    return list(found.values())


def _usage(tokens: Mapping[str, Any]) -> Usage:
    """Whatever of the total is not input is output, as in the stream."""
    given, total = _count(tokens, "input"), _count(tokens, "total")
    said = max(_count(tokens, "output"), total - given)
    return Usage(given, _count(tokens, "cached"), said, None, "transcript")


def _count(tokens: Mapping[str, Any], key: str) -> int:
    value = tokens.get(key)
    return value if isinstance(value, int) else 0


def _messages(path: Path) -> list[Mapping[str, Any]]:
    """Return the messages as they are in the end: a failed request is taken out again."""
    kept: dict[str, Mapping[str, Any]] = {}
    for line in _lines(path):
        changed = line.get("$set")
        if isinstance(changed, Mapping) and isinstance(changed.get("messages"), list):
            kept = _by_id(changed["messages"])
        elif "id" in line:
            kept |= _by_id([line])
    return list(kept.values())


def _by_id(messages: Iterable[Any]) -> dict[str, Mapping[str, Any]]:
    return {str(m.get("id")): m for m in messages if isinstance(m, Mapping)}


def _said(message: Mapping[str, Any]) -> bool:
    if message.get("type") != "user":
        return message.get("type") == "gemini"
    content = message.get("content")
    part = content[0] if isinstance(content, list) and content else content
    text = part.get("text") if isinstance(part, Mapping) else part
    return not str(text or "").startswith(_CONTEXT)


def _header(path: Path) -> Mapping[str, Any]:
    return next(_lines(path), {})


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    for line in _read(path).splitlines():
        try:
            value = load_line(line)
        except ValueError:  # the last line of a process that was killed
            continue
        if isinstance(value, dict):
            yield value


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
