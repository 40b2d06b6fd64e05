"""Claude Code's own record of a session: where it lies, and the words that it has for things."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from abreast.agents.recorded import load_record, record_lines
from abreast.agents.values import count, listed, mapping, text
from abreast.model.text import one_line
from abreast.process.folders import matching

# The CLI's own messages (API errors, "no response requested") carry this model.
SYNTHETIC = "<synthetic>"
WRITERS = {"Write": "write", "Edit": "edit", "MultiEdit": "edit", "NotebookEdit": "edit"}
READERS = {"Read": "read", "Glob": "glob", "Grep": "grep"}

_RECORD = b'{"parentUuid":'
_PLAIN = re.compile(r"[\w-]{1,200}(?: [\w-]{1,200})?", re.ASCII).fullmatch  # as all names are


def config_folder(environ: Mapping[str, str]) -> Path:
    """Return the CLI's own folder."""
    return Path(environ.get("CLAUDE_CONFIG_DIR") or Path(environ.get("HOME", "/")) / ".claude")


Written = tuple[str, Mapping[str, Any]]
"""A message that is on record, and its name (see `reply_name`)."""


def written(config: Path, session: str, *kinds: str) -> Iterator[Written]:
    """Yield the messages of `session` under the CLI's folder `config`, by default its replies.

    A reply is written once for each of its parts, each time with its final usage.
    """
    wanted = kinds or ("assistant",)
    found = (
        matching(config / "projects", f"*/{session}.jsonl") if re.match(r"[\w-]+$", session) else ()
    )
    for path in found:
        for line in record_lines(path, []):
            record = load(line)[0] or {}
            message = record.get("message")
            if record.get("type") in wanted and isinstance(message, dict):
                yield reply_name(message, record.get("requestId")), message


def reply_name(message: Mapping[str, Any], request: Any) -> str:
    """Return the id of a reply, and behind a space that of its request, if it is told.

    Gateways use the former more than once. "" when there is neither.
    """
    plain = message.get("id")
    plain = plain if isinstance(plain, str) else ""
    name = f"{plain} {request}" if isinstance(request, str) and request else plain
    if _PLAIN(name):
        return name
    return f"{one_line(plain).replace(' ', '_')} {one_line(text(request))}".strip()


def load(line: bytes) -> tuple[dict[str, Any] | None, bool]:
    """Return the record on a line, None when there is none, and whether the line is whole."""
    return load_record(line, _RECORD)


def paths_of(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths among the arguments of one of the CLI's own tools."""
    for key in ("file_path", "notebook_path", "path"):
        if isinstance(arguments.get(key), str):
            yield arguments[key]


def prompt_tokens(usage: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return the whole prompt's tokens, those read from the cache, and those written to it."""
    read = tokens(usage.get("cache_read_input_tokens"))
    stored = tokens(usage.get("cache_creation_input_tokens"))
    return tokens(usage.get("input_tokens")) + read + stored, read, stored


def advised(usage: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield model and usage of each request that the provider made to an advisor meanwhile.

    The top level of `usage` leaves them out (Anthropic's documentation of the advisor tool).
    """
    for one in map(mapping, listed(usage.get("iterations"))):
        if one.get("type") == "advisor_message" and text(one.get("model")):
            yield one["model"], one


def tokens(value: Any) -> int:
    """Return a count as the CLI states it; what is no count is 0."""
    return count(value) or 0


def model_name(name: str) -> str:
    """Return the model's name without the mark of its context window: `claude-opus-4-8[1m]`."""
    return re.sub(r"\[\w+\]$", "", name)
